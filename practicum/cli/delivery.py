"""Verbs of the way to the students: checkpoint, promote, deliver."""

from collections import Counter
from collections.abc import Iterator
from typing import get_args

import click

from generator.spec.units import shown
from practicum.cli.context import (
    Context,
    TakingGroup,
    group_option,
    lab_argument,
    pass_context,
    seat_option,
    when_option,
    yes_option,
)
from practicum.cli.tables import checkpoints_table, prunable_table, results_table, seats_table, show
from practicum.errors import PracticumError, UsageError
from practicum.probes.model import ProbeResult, failures
from practicum.stages.checkpoint import Proof, prove, take_checkpoint
from practicum.stages.checkpoint_view import checkpoints, differences, words_of
from practicum.stages.deliver import Delivery
from practicum.stages.deliver import deliver as deliver_lab
from practicum.stages.outcomes import Changed
from practicum.stages.pipeline import require_delivered, seats_failed
from practicum.stages.promote import promote as promote_lab
from practicum.stages.propose import Proposed
from practicum.stages.prune import prunable, prune
from practicum.stages.reset import reset as reset_lab
from practicum.stages.retention import kept
from practicum.stages.status import status
from practicum.stages.undo import undo as undo_lab
from practicum.stages.wishes import When

FAILED = 1


@click.group(cls=TakingGroup)
def checkpoint() -> None:
    """Take a checkpoint of your copy and prove it on a pilot: checkpoint LAB -m TEXT."""


@checkpoint.command(hidden=True)
@lab_argument
@click.option("-m", "--message", default="", help="What changed, for those who read the list.")
@yes_option
@pass_context
def take(context: Context, lab: str, message: str) -> None:
    """Take a checkpoint of your copy and prove it on a pilot."""
    with context.display() as display:
        workspace = context.workspace(display)
        pins = take_checkpoint(workspace, lab, message, agreed=context.yes)
        display.finished(f"checkpoint {pins['checkpoint']} taken")
        proof = prove(workspace, lab)
    _require_proof(context, proof)
    click.echo(f"checkpoint {pins['checkpoint']} passed its pilot: release {proof.release}", err=True)
    click.echo(f"next: practicum promote {lab}", err=True)


@checkpoint.command("list")
@lab_argument
@pass_context
def list_releases(context: Context, lab: str) -> None:
    """Show what a pilot proved: checkpoints with date, author and message."""
    found = checkpoints(context.workspace(), lab)
    if not found:
        click.echo(f"{lab} has no release yet; 'practicum checkpoint {lab}' makes one of your copy", err=True)
        return
    show(checkpoints_table(found))


@checkpoint.command("show")
@lab_argument
@click.argument("number", type=int)
@pass_context
def show_checkpoint(context: Context, lab: str, number: int) -> None:
    """Show one checkpoint: what it was taken of, and what it consists of."""
    found = checkpoints(context.workspace(), lab).get(number)
    if found is None:
        raise UsageError(f"no pilot proved checkpoint {number}", resolution=f"practicum checkpoint list {lab}")
    for key in ("release", "checkpoint", "taken", "author", "message", "spec_commit"):
        click.echo(f"{key:<12} {found.get(key, '')}")
    if "size" in found:
        click.echo(f"{'size':<12} {shown(found['size'])}")
    for kind in ("images", "volumes", "packages"):
        for name, what in found.get(kind, {}).items():
            click.echo(f"{kind:<12} {name} {what}")
    if "changes" in found:
        click.echo(f"{'changes':<12} {words_of(found['changes'])}")


@checkpoint.command("diff")
@lab_argument
@click.argument("older", type=int, required=False)
@click.argument("newer", type=int, required=False)
@pass_context
def diff(context: Context, lab: str, older: int | None, newer: int | None) -> None:
    """Show which files differ between two checkpoints, the last two if none are named."""
    changes = differences(context.workspace(), lab, older, newer)
    for change in changes:
        click.echo(f"{change.sign} {change.machine} {change.path}")
    click.echo(f"{len(changes)} files differ", err=True)


@checkpoint.command("prune")
@lab_argument
@click.option("--keep", default=0, type=click.IntRange(min=0), metavar="N", help="Keep the newest N as well [0].")
@yes_option
@pass_context
def prune_checkpoints(context: Context, lab: str, keep: int) -> None:
    """Remove checkpoints that neither your copy, nor the class, nor a roll-back of it needs."""
    workspace = context.workspace()
    found = prunable(workspace, lab, keep)
    for one in kept(workspace, lab, keep):
        click.echo(f"stays: checkpoint {one.number}: {one.why}", err=True)
    if not found:
        click.echo("no other checkpoint is on LXD", err=True)
        return
    show(prunable_table(found, checkpoints(workspace, lab)))
    context.confirm(f"Remove these {len(found)} checkpoints for good?")
    with context.display() as display:
        count = prune(context.workspace(display), lab, found)
    click.echo(f"{count} objects removed, about {shown(sum(one.size for one in found))}", err=True)


@click.command()
@lab_argument
@click.option("--rollback", is_flag=True, help="Go back to the checkpoint before the one that prod has.")
@click.option("--merge", is_flag=True, help="With GitLab: merge the merge request now, if the token's user may.")
@click.option("--propose", is_flag=True, help="Without GitLab: push the branch of the promotion; people merge it.")
@pass_context
def promote(context: Context, lab: str, rollback: bool, merge: bool, propose: bool) -> None:
    """Write the proved checkpoint to prod, by a merge; with GitLab by a merge request."""
    with context.display() as display:
        promotion = promote_lab(context.workspace(display), lab, rollback=rollback, at_once=merge, propose=propose)
    if promotion.request:
        tell_request(promotion.request)
        return
    done = f"merged as {promotion.merge[:7]}" if promotion.merge else "prod has it already"
    waits = promotion.branch is not None and promotion.merge is None
    click.echo(f"release {promotion.release} of {lab}: {'proposed' if waits else done}", err=True)
    click.echo(f"next: {f'merge {promotion.branch} into main' if waits else f'practicum deliver {lab}'}", err=True)


def tell_request(request: Proposed) -> None:
    """Print where a merge request waits, and for whom."""
    click.echo(request.url)
    if request.waits_for:
        click.echo(f"it waits for {request.waits_for}", err=True)


@click.command()
@lab_argument
@seat_option
@click.option(
    "--changed",
    type=click.Choice(get_args(Changed)),
    default="ask",
    show_default=True,
    help="What becomes of systems that somebody changed outside of volumes and kept paths.",
)
@when_option
@pass_context
def deliver(context: Context, lab: str, seats: tuple[str, ...], changed: Changed, when: When) -> None:
    """Put prod's release onto the seats of the class, and probe them."""
    with context.display() as display:
        workspace = context.workspace(display)
        delivery = deliver_lab(workspace, lab, seats, changed, when)
        rows = status(workspace, lab, "prod")
    if not context.as_json:
        notes = {outcome.seat: outcome.what for outcome in delivery.outcomes}
        show(seats_table([row for row in rows if row.seat in notes], delivery.results, notes))
    for line in _outcomes(delivery):
        click.echo(line, err=True)
    require_delivered(lab, delivery, changed)
    _require_passed(delivery.results)


@click.command()
@lab_argument
@seat_option
@yes_option
@pass_context
def undo(context: Context, lab: str, seats: tuple[str, ...]) -> None:
    """Give seats the systems back that they had before the last delivery; volumes stay as they are."""
    context.confirm(f"Give {', '.join(seats) or 'all seats'} of {lab} their previous systems back?")
    with context.display() as display:
        done = undo_lab(context.workspace(display), lab, seats)
    click.echo(f"{len(done)} seats have their previous systems back: {', '.join(done)}", err=True)
    click.echo(f"the next 'practicum deliver {lab}' gives them the release again", err=True)


@click.command()
@lab_argument
@click.argument("seats", nargs=-1, metavar="SEAT…")
@group_option
@click.option("--start-over", is_flag=True, help="Start volumes and kept paths anew too.")
@yes_option
@pass_context
def reset(context: Context, lab: str, seats: tuple[str, ...], start_over: bool) -> None:
    """Give seats of the class their release anew; files on volumes and kept paths stay."""
    if not seats:
        raise UsageError("name the seats to reset, or a --group")
    what = "systems AND files" if start_over else "systems; their files stay"
    context.confirm(f"Reset {', '.join(seats)} of {lab}: {what}? What was before is kept for 14 days.")
    with context.display() as display:
        done = reset_lab(context.workspace(display), lab, seats, start_over=start_over)
    if done.failed:
        raise seats_failed(done)
    click.echo(f"{', '.join(seats)}: as the release is", err=True)


def _outcomes(delivery: Delivery) -> Iterator[str]:
    """Yield in words what a delivery did, of how many seats, and what is possible now."""
    yield from (f"{outcome.seat}: {outcome.words}" for outcome in delivery.outcomes if outcome.detail)
    counts = Counter(outcome.what for outcome in delivery.outcomes)
    yield ", ".join(f"{count} {what}" for what, count in counts.items())
    if counts["replaced"]:
        yield "a system from before can be had back for 14 days: 'practicum undo'"
    if delivery.pending:
        yield "'practicum schedule', run by a timer, goes on with the pending seats"


def _require_proof(context: Context, proof: Proof) -> None:
    if proof.release is None:
        if not context.as_json:
            show(results_table(proof.results))
        raise PracticumError(
            "the pilot failed, so nothing can be promoted",
            details="\n".join(f"{one.name}: {one.detail}" for one in proof.results if not one.ok),
            resolution="mend your copy and take a new checkpoint",
        )


def _require_passed(results: tuple[ProbeResult, ...]) -> None:
    failed = failures(results)
    for result in failed:
        click.echo(f"{result.seat}: {result.name}: {result.detail}", err=True)
    if failed:
        click.get_current_context().exit(FAILED)


COMMANDS = (checkpoint, promote, deliver, undo, reset)
