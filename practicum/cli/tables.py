"""Tables that people compare: seats, machines, checks, types, leftovers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from generator.catalogue.model import MachineType
from generator.seats.names import CLUSTER
from generator.spec.units import format_size, shown
from practicum.lxd.inventory import Marked
from practicum.lxd.plan import Plan
from practicum.probes.model import ProbeResult
from practicum.stages.checkpoint_view import words_of
from practicum.stages.gitlab_project import ProjectPlan
from practicum.stages.offline import LabPlan
from practicum.stages.overview import LabState
from practicum.stages.preconditions.model import HostCheck
from practicum.stages.progress import Progress
from practicum.stages.prune import Prunable
from practicum.stages.status import MachineStatus

STATE_STYLE = {"running": "green", "stopped": "yellow", "absent": "red", "incomplete": "yellow", "starting": "yellow"}
NO_OUTCOMES: Mapping[str, str] = {}
CHECK_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "missing": "[red]✗[/]"}


def seats_table(
    rows: Sequence[MachineStatus], results: Sequence[ProbeResult] = (), outcomes: Mapping[str, str] = NO_OUTCOMES
) -> Table:
    """Return seats × machines with address and state, what the probes found, and how a delivery ended for each."""
    nodes, rows = [row for row in rows if row.seat == CLUSTER], [row for row in rows if row.seat != CLUSTER]
    machines = list(dict.fromkeys(row.machine for row in rows)) or [""] * bool(nodes)
    table = _table(
        "seat", *machines, *(("checks", "isolation") if results else ()), *(("delivery",) if outcomes else ())
    )
    for seat in dict.fromkeys(row.seat for row in rows):
        mine = {row.machine: row for row in rows if row.seat == seat}
        cells = [_machine(mine.get(name)) for name in machines]
        probes = [_score(results, seat, group) for group in ("check", "isolation")] if results else []
        table.add_row(seat, *cells, *probes, *((outcomes.get(seat, ""),) if outcomes else ()))
    if nodes:
        table.add_row(CLUSTER, _nodes(nodes))
    return table


def overview_table(rows: Sequence[LabState]) -> Table:
    """Return labs × environments with what runs and what was delivered."""
    table = _table("lab", "environment", "seats running", "release", "power", "last delivered")
    for row in rows:
        seats = f"{'?' if row.running is None else row.running} of {row.seats}" if row.seats else ""
        power = row.power if row.power == "running" else f"[yellow]{row.power}[/]"
        table.add_row(row.lab, row.environment, seats, row.release, power, row.delivered)
    return table


def results_table(results: Sequence[ProbeResult]) -> Table:
    """Return one line a probe."""
    table = _table("seat", "probe", "", "seen")
    for result in results:
        mark = "[green]passed[/]" if result.ok else "[red]failed[/]" if result.known else "[yellow]not tried[/]"
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


def offline_table(plan: LabPlan) -> Table:
    """Return what a change of the spec does, for whom."""
    table = _table("for whom", "what changes")
    for one in plan.differences:
        table.add_row(one.who, escape(one.told()))
    return table


def room_table(plan: LabPlan) -> Table:
    """Return what a lab asks of each environment, and whether it fits."""
    table = _table("environment", "what is asked for", "is there room")
    for room in plan.rooms:
        table.add_row(room.environment, room.asked, f"[red]{room.verdict}[/]" if room.lacking else room.verdict)
    return table


def project_table(plan: ProjectPlan) -> Table:
    """Return what making a GitLab project ready changes, there and here."""
    table = _table("what", "name", "now", "then")
    for change in plan.changes:
        table.add_row(change.kind.replace("_", " "), escape(change.name), escape(change.now), escape(change.wanted))
    for path in plan.files:
        table.add_row("file", escape(path), "", "committed here")
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


def checks_text(checks: Sequence[HostCheck]) -> Iterator[str]:
    """Yield the lines of doctor's report: groups, and of what is not well the reason and the fix."""
    width = max(len(check.name) for check in checks)
    for group, members in groupby(checks, key=lambda check: check.group):
        yield f"[bold]{group}[/]"
        for check in members:
            why = f"[dim]{escape(check.why)}[/]"
            yield f"  {CHECK_MARKS[check.state]} {check.name:<{width}}  {escape(check.found)} · {why}"
            if check.fix:
                yield f"    {'':<{width}}  [bold]fix:[/] {escape(check.fix)}"


def checkpoints_table(found: Mapping[int, Mapping[str, Any]]) -> Table:
    """Return the proved checkpoints."""
    table = _table("checkpoint", "release", "taken", "by", "message", "spec", "size", "machines", "changes")
    for number, content in found.items():
        told = [escape(str(content.get(key, ""))) for key in ("taken", "author", "message")]
        packages = content.get("packages", {})
        machines = ", ".join(
            name + (f" ({packages[name]} packages)" if name in packages else "") for name in content["images"]
        )
        size = shown(content["size"]) if "size" in content else ""
        changes = words_of(content["changes"]) if "changes" in content else ""
        spec = content["spec_commit"][:7]
        table.add_row(str(number), str(content["release"]), *told, spec, size, machines, changes)
    return table


def prunable_table(found: Sequence[Prunable], proved: Mapping[int, Mapping[str, Any]]) -> Table:
    """Return the checkpoints that may go, with about what that frees."""
    table = _table("checkpoint", "taken", "message", "objects", "frees")
    for one in found:
        told = proved.get(one.number, {"message": "(no pilot passed it)"})
        words = [escape(str(told.get(key, ""))) for key in ("taken", "message")]
        table.add_row(str(one.number), *words, str(len(one.things)), shown(one.size))
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
    # A command to copy must not be broken over two lines.
    console.print(table, highlight=False, soft_wrap=isinstance(table, str))


def _table(*columns: Any) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _nodes(rows: Sequence[MachineStatus]) -> str:
    """Return the nodes of the lab's own cluster in few words: there may be dozens."""
    running = sum(row.state == "running" for row in rows)
    others = [f"{row.machine} {_machine(row)}" for row in rows if row.state != "running"]
    return f"{running} of {len(rows)} nodes running" + "".join(f", {words}" for words in others)


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
