"""Verbs about one seat: restart, snapshot, restore, files."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.table import Table

from practicum.cli.context import Context, TakingGroup, environment_option, lab_argument, pass_context, yes_option
from practicum.cli.tables import show
from practicum.lxd.snapshots import Snapshot
from practicum.probes.model import printable
from practicum.stages.browse import Entry, browse
from practicum.stages.restart import restart as restart_seat
from practicum.stages.snapshots import delete_snapshots, list_snapshots, restore_snapshot, take_snapshot


@click.command()
@lab_argument
@click.argument("seat")
@click.argument("machines", nargs=-1, metavar="[MACHINE]…")
@environment_option("prod")
@pass_context
def restart(context: Context, lab: str, seat: str, machines: tuple[str, ...], environment: str) -> None:
    """Stop the machines of a seat, or one of them, and start them again."""
    with context.display() as display:
        done = restart_seat(context.workspace(display), lab, environment, seat, machines)
    click.echo(f"restarted: {', '.join(done)}", err=True)


@click.group(cls=TakingGroup)
def snapshot() -> None:
    """Take a snapshot of a seat's files, to go back to: snapshot LAB SEAT -m TEXT."""


@snapshot.command(hidden=True)
@lab_argument
@click.argument("seat")
@environment_option("prod")
@click.option("-m", "--message", default="", help="What it is, for those who read the list.")
@click.option("--system", is_flag=True, help="Take the systems of its machines too.")
@pass_context
def take(context: Context, lab: str, seat: str, environment: str, message: str, system: bool) -> None:
    """Take a snapshot of a seat's files."""
    with context.display() as display:
        workspace = context.workspace(display)
        taken = take_snapshot(workspace, lab, environment, seat, message, datetime.now(UTC), system=system)
    click.echo(taken.name)
    click.echo(f"back to it: practicum restore {lab} {seat} {taken.name}", err=True)


@snapshot.command("list")
@lab_argument
@click.argument("seat")
@environment_option("prod")
@pass_context
def list_(context: Context, lab: str, seat: str, environment: str) -> None:
    """Show the snapshots of a seat, those that were taken for safety among them."""
    _show(context, list_snapshots(context.workspace(), lab, environment, seat), lab, seat)


@snapshot.command()
@lab_argument
@click.argument("seat")
@click.argument("names", nargs=-1, required=True, metavar="SNAPSHOT…")
@environment_option("prod")
@yes_option
@pass_context
def delete(context: Context, lab: str, seat: str, names: tuple[str, ...], environment: str) -> None:
    """Delete snapshots of a seat."""
    context.confirm(f"Delete {', '.join(names)} of {seat}? The files in them are gone then.")
    delete_snapshots(context.workspace(), lab, environment, seat, names)
    click.echo(f"{len(names)} deleted", err=True)


@click.command()
@lab_argument
@click.argument("seat")
@click.argument("name", metavar="SNAPSHOT")
@environment_option("prod")
@click.option("--system", is_flag=True, help="Put back the systems too, of a snapshot that has them.")
@yes_option
@pass_context
def restore(context: Context, lab: str, seat: str, name: str, environment: str, system: bool) -> None:
    """Put the files of a snapshot back; what is there now becomes a snapshot itself."""
    what = "files AND systems" if system else "files"
    context.confirm(
        f"Stop machines of {seat} and put back the {what} of {name}? What is there now is kept for 14 days."
    )
    with context.display() as display:
        workspace = context.workspace(display)
        safety = restore_snapshot(workspace, lab, environment, seat, name, datetime.now(UTC), system=system)
    click.echo(f"{seat} is as it was at {name}; what was there is {safety.name}", err=True)


@click.command()
@lab_argument
@click.argument("seat")
@click.argument("name", required=False, metavar="[SNAPSHOT]")
@click.argument("inside", default="", metavar="[VOLUME/PATH]")
@environment_option("prod")
@pass_context
def files(context: Context, lab: str, seat: str, name: str | None, inside: str, environment: str) -> None:
    """Look at files from before: list snapshots, or a folder of one; a file is written to standard output."""
    if name is None:
        _show(context, list_snapshots(context.workspace(), lab, environment, seat), lab, seat)
        return
    entries = browse(context.workspace(), lab, environment, seat, name, inside, sys.stdout.buffer.write)
    sys.stdout.flush()
    if context.as_json:
        click.echo(json.dumps([asdict(one) for one in entries], default=str, ensure_ascii=False))
        return
    for one in entries:
        click.echo(_line(one))


def _line(one: Entry) -> str:
    arrow = f" -> {printable(one.target)}" if one.target else ""
    return f"{one.mode} {one.owner:>11} {one.size:>12} {one.changed:%Y-%m-%d %H:%M} {printable(one.name)}{arrow}"


def _show(context: Context, found: Sequence[Snapshot], lab: str, seat: str) -> None:
    if context.as_json:
        click.echo(json.dumps([json.loads(one.record) for one in found], ensure_ascii=False))
        return
    if not found:
        click.echo(f"{seat} has no snapshots; 'practicum snapshot {lab} {seat}' takes one", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("snapshot", "kind", "taken", "until", "has", "message"):
        table.add_column(column, overflow="fold")
    for one in found:
        times = [text[:16].replace("T", " ") for text in (one.taken, one.until)]
        has = [name.removeprefix(f"{seat}-") for name in sorted(one.places)]
        has += [f"system of {name.removeprefix(f'{seat}-')}" for name in one.machines]
        table.add_row(one.name, one.kind, *times, ", ".join(has), printable(one.message))
    show(table)


COMMANDS = (restart, snapshot, restore, files)
