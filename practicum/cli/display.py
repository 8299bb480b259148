"""How events look: live bars in a terminal, JSON lines for programs, only what matters otherwise."""

import json
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from practicum.events import Event

LIVE_SEATS = 24
MARKS = {"done": "[green]✓[/]", "failed": "[red]✗[/]", "warning": "[yellow]![/]", "skipped": "[dim]–[/]"}


class Display:
    """Shows the event stream while a command runs; use as a context manager and pass `emit` to stages."""

    def __init__(self, *, as_json: bool = False, console: Console | None = None) -> None:
        self._json = as_json
        self._console = console or Console(stderr=True)
        self._live = None if as_json or not self._console.is_terminal else self._progress()
        self._bars: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def emit(self, event: Event) -> None:
        """Show one event; called from any thread."""
        if self._json:
            print(json.dumps(event.document(), ensure_ascii=False), flush=True)  # noqa: T201 - the result of --json
        elif event.state in ("warning", "failed"):
            self._console.print(_line(event))
            if event.state == "failed" and self._live and (event.stage, event.seat) in self._bars:
                self._seat_done(event, self._live)
        elif self._live:
            self._show(event, self._live)

    def finished(self, stage: str) -> None:
        """Say that a stage of a long command has ended."""
        if self._live:
            for task in self._bars.values():
                self._live.remove_task(task)
            self._bars.clear()
        if not self._json:
            self._console.print(f"{MARKS['done']} {stage}")

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.fields[name]:<18}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
        )

    def _show(self, event: Event, live: Progress) -> None:
        key = (event.stage, event.seat)
        if key not in self._bars:
            if len(self._bars) > LIVE_SEATS:
                return
            name = (
                event.stage if event.seat == "-" else f"{event.stage if event.stage == 'images' else ''} {event.seat}"
            )
            self._bars[key] = live.add_task("", name=name, total=event.total or None)
        elif event.state == "started":
            live.advance(self._bars[key], 1 if event.seat != "-" else 0)
        live.update(self._bars[key], description=escape(event.detail[:70]), total=event.total or None)
        if event.state in ("done", "skipped") and event.seat != "-":
            self._seat_done(event, live)

    def _seat_done(self, event: Event, live: Progress) -> None:
        live.remove_task(self._bars.pop((event.stage, event.seat)))
        stage = self._bars.get((event.stage, "-"))
        if stage is not None:
            live.update(stage, advance=1, description="")


def _line(event: Event) -> str:
    seat = "" if event.seat == "-" else f"{event.seat} "
    machine = f"{event.machine} " if event.machine else ""
    return f"{MARKS[event.state]} {event.stage}: {seat}{machine}{escape(event.detail)}"
