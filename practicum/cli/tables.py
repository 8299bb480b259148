"""Tables that people compare: seats, machines, checks, types, leftovers."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from generator.catalogue.model import MachineType
from generator.spec.units import format_size
from practicum.lxd.inventory import Marked
from practicum.lxd.plan import Plan
from practicum.probes.model import ProbeResult
from practicum.stages.progress import Progress
from practicum.stages.status import MachineStatus

STATE_STYLE = {"running": "green", "stopped": "yellow", "absent": "red", "incomplete": "yellow"}


def seats_table(rows: Sequence[MachineStatus], results: Sequence[ProbeResult] = ()) -> Table:
    """Return seats × machines with address and state, and what the probes found."""
    machines = list(dict.fromkeys(row.machine for row in rows))
    table = _table("seat", *machines, *(("checks", "isolation") if results else ()))
    for seat in dict.fromkeys(row.seat for row in rows):
        mine = {row.machine: row for row in rows if row.seat == seat}
        cells = [_machine(mine.get(name)) for name in machines]
        probes = [_score(results, seat, group) for group in ("check", "isolation")] if results else []
        table.add_row(seat, *cells, *probes)
    return table


def results_table(results: Sequence[ProbeResult]) -> Table:
    """Return one line a probe."""
    table = _table("seat", "probe", "", "seen")
    for result in results:
        mark = "[green]passed[/]" if result.ok else "[red]failed[/]"
        table.add_row(result.seat, escape(result.name), mark, escape(result.detail))
    return table


def progress_table(progress: Progress) -> Table:
    """Return seats × progress checks, with the points earned."""
    most = sum(progress.points.values())
    table = _table("seat", *(escape(f"{name} ({points})") for name, points in progress.points.items()), "points")
    for seat, results in progress.results.items():
        marks = ["[green]✓[/]" if result.ok else "[dim]–[/]" if result.known else "[yellow]?[/]" for result in results]
        table.add_row(seat, *marks, f"{progress.score(seat)} of {most}")
    return table


def plan_table(plan: Plan) -> Table:
    """Return what would be done."""
    table = _table("seat", "does", "object", "why")
    for action in plan.actions:
        table.add_row(action.seat, action.verb, f"{action.kind} {action.name}", action.why)
    return table


def types_table(catalogue: Mapping[str, MachineType]) -> Table:
    """Return the machine types that professors choose from."""
    table = _table("type", "what it is", "cpu", "memory", "disk", "ports", "image")
    for name, entry in catalogue.items():
        if not entry.hidden:
            ports = ", ".join(map(str, entry.ports))
            image = "yes" if entry.image.built else "not built yet"
            sizes = (format_size(entry.memory), format_size(entry.disk))
            table.add_row(name, escape(entry.description), str(entry.cpu), *sizes, ports, image)
    return table


def marked_table(things: Sequence[Marked]) -> Table:
    """Return objects on LXD with their markers."""
    table = _table("kind", "project", "name", "marker")
    for thing in things:
        table.add_row(thing.kind, thing.place, thing.name, thing.marker)
    return table


def show(table: Table | str) -> None:
    """Print a result to stdout; wide enough for programs that read it."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def _table(*columns: Any) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _machine(row: MachineStatus | None) -> str:
    if row is None:
        return ""
    style = STATE_STYLE.get(row.state, "")
    return f"[{style}]{row.address} {row.state}[/]" if style else f"{row.address} {row.state}"


def _score(results: Sequence[ProbeResult], seat: str, group: str) -> str:
    mine = [result for result in results if result.seat == seat and result.group == group]
    passed = sum(result.ok for result in mine)
    if not mine:
        return "[dim]not run[/]"
    return f"[green]{passed} of {len(mine)}[/]" if passed == len(mine) else f"[red]{passed} of {len(mine)}[/]"
