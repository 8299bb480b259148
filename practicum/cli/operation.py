"""Verbs of operation: start, stop, move, exam, schedule."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.table import Table

from practicum.cli.context import Context, environment_option, lab_argument, pass_context, yes_option
from practicum.cli.tables import show
from practicum.errors import TryAgainError
from practicum.stages.move import move as move_lab
from practicum.stages.operate import exam as exam_lab
from practicum.stages.operate import start as start_lab
from practicum.stages.operate import stop as stop_lab
from practicum.stages.pipeline import seats_failed
from practicum.stages.schedule import Turn
from practicum.stages.schedule import schedule as schedule_labs

FAILED = 1
TIMES = ("ready_by", "starts_at", "due", "ends")


@click.command()
@lab_argument
@environment_option("dev")
@pass_context
def start(context: Context, lab: str, environment: str) -> None:
    """Start a lab that was stopped, or bring back one that was destroyed."""
    with context.display() as display:
        done = start_lab(context.workspace(display), lab, environment)
    if done.failed:
        raise seats_failed(done)
    count = len(done.plan.actions)
    machines = sum(len(seat["instances"]) for seat in done.deployment.seats.values() if seat["power"] == "running")
    click.echo(f"{count} changes made" if count else f"already running ({machines} machines)", err=True)
    for name in done.plan.outdated:
        click.echo(f"note: {name} runs an older release", err=True)


@click.command()
@lab_argument
@environment_option("dev")
@pass_context
def stop(context: Context, lab: str, environment: str) -> None:
    """Stop a lab's machines; no later run starts them until 'practicum start'."""
    with context.display() as display:
        done = stop_lab(context.workspace(display), lab, environment)
    words = f"stopped {done.changed} machines" if done.changed else f"already stopped ({done.machines} machines)"
    click.echo(words, err=True)


@click.command()
@lab_argument
@click.option("--to", "member", required=True, metavar="MEMBER", help="The member of the LXD cluster.")
@yes_option
@pass_context
def move(context: Context, lab: str, member: str) -> None:
    """Move a lab, with both environments, to another member of an LXD cluster."""
    context.confirm(f"Stop all machines of {lab} in both environments and move them, with their volumes, to {member}?")
    with context.display() as display:
        moved = move_lab(context.workspace(display), lab, member)
    for environment, result in moved.failed:
        click.echo(f"{environment}: {result.seat}: {result.name}: {result.detail}", err=True)
    click.echo(f"{lab} is on {member} now: {' and '.join(moved.environments)}", err=True)
    click.get_current_context().exit(FAILED if moved.failed else 0)


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@lab_argument
@pass_context
def exam(context: Context, switch: str, lab: str) -> None:
    """Cut the class of a lab off from the internet, or give back what the spec allows."""
    with context.display() as display:
        done = exam_lab(context.workspace(display), lab, on=switch == "on")
    what = "no internet" if switch == "on" else "the internet of the spec"
    changes = f"{done.changed} access lists and resolvers changed" if done.changed else "nothing to change"
    click.echo(f"{lab} has {what}: {done.seats} seats, {changes}", err=True)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be done.")
@pass_context
def schedule(context: Context, dry_run: bool) -> None:
    """Start labs before their 'ready_by', stop them after their 'ends'; for a timer."""
    with context.display() as display:
        turns = schedule_labs(context.workspace(display), datetime.now(UTC), dry_run=dry_run)
    if context.as_json:
        click.echo(json.dumps([_document(turn) for turn in turns], ensure_ascii=False))
    elif turns:
        show(_table(turns))
    else:
        click.echo("no lab of the class has a schedule", err=True)
    _tell_failures(turns)
    click.get_current_context().exit(_exit_code(turns))


def _exit_code(turns: Sequence[Turn]) -> int:
    errors = [turn.error for turn in turns if turn.error is not None]
    if any(not isinstance(error, TryAgainError) for error in errors):
        return FAILED
    return TryAgainError.exit_code if errors else 0


def _tell_failures(turns: Sequence[Turn]) -> None:
    for turn in turns:
        if turn.error is not None:
            click.echo(f"{turn.lab}: {turn.error.message}", err=True)
            for line in turn.error.details.splitlines():
                click.echo(f"  {line}", err=True)
            if turn.error.resolution:
                click.echo(f"  fix: {turn.error.resolution}", err=True)


def _document(turn: Turn) -> dict[str, str | None]:
    times = {key: _iso(getattr(turn.times, key)) for key in TIMES}
    error = turn.error.message if turn.error else None
    return {"lab": turn.lab, **times, "state": turn.state, "done": turn.done, "error": error}


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _table(turns: Sequence[Turn]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("lab", "ready by", "starts at", "due", "ends", "state", "done"):
        table.add_column(column)
    for turn in turns:
        times = [f"{time:%Y-%m-%d %H:%M%z}" if (time := getattr(turn.times, key)) else "" for key in TIMES]
        if times[1] and not turn.pace.measured:
            times[1] += " (estimated)"
        table.add_row(turn.lab, *times, turn.state, turn.done)
    return table


COMMANDS = (start, stop, move, exam, schedule)
