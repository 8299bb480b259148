"""Verbs of the way to the students: checkpoint, promote, deliver, pipeline."""

import time

import click
from rich.table import Table

from practicum.cli.context import Context, lab_argument, pass_context
from practicum.cli.tables import results_table, seats_table, show
from practicum.errors import PracticumError
from practicum.probes.model import ProbeResult
from practicum.stages.checkpoint import Proof, prove, take_checkpoint
from practicum.stages.deliver import deliver as deliver_lab
from practicum.stages.pipeline import run_pipeline, seats_failed
from practicum.stages.promote import promote as promote_lab
from practicum.stages.releases import releases
from practicum.stages.status import status

FAILED = 1


class _CheckpointGroup(click.Group):
    """`checkpoint LAB` takes one; `checkpoint list LAB` shows them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take everything that is no sub-command for the name of a lab."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["take", *args])


@click.group(cls=_CheckpointGroup)
def checkpoint() -> None:
    """Take a checkpoint of your copy and prove it on a pilot: checkpoint LAB -m TEXT."""


@checkpoint.command(hidden=True)
@lab_argument
@click.option("-m", "--message", default="", help="What changed, for those who read the list.")
@pass_context
def take(context: Context, lab: str, message: str) -> None:
    """Take a checkpoint of your copy and prove it on a pilot."""
    with context.display() as display:
        workspace = context.workspace(display)
        pins = take_checkpoint(workspace, lab, message)
        display.finished(f"checkpoint {pins['checkpoint']} taken")
        proof = prove(workspace, lab)
    _require_proof(context, proof)
    click.echo(f"checkpoint {pins['checkpoint']} passed its pilot: release {proof.release}", err=True)
    click.echo(f"next: practicum promote {lab}", err=True)


@checkpoint.command("list")
@lab_argument
@pass_context
def list_releases(context: Context, lab: str) -> None:
    """Show what a pilot proved: releases with their checkpoints."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("release", "checkpoint", "spec", "machines"):
        table.add_column(column)
    for number, content in releases(context.workspace(), lab).items():
        images = ", ".join(f"{name} {fingerprint[:12]}" for name, fingerprint in content["images"].items())
        table.add_row(str(number), str(content["checkpoint"]), content["spec_commit"][:7], images)
    show(table)


@click.command()
@lab_argument
@pass_context
def promote(context: Context, lab: str) -> None:
    """Write the proved checkpoint to prod, by a merge."""
    with context.display() as display:
        promotion = promote_lab(context.workspace(display), lab)
    done = "prod has it already" if promotion.merge is None else f"merged as {promotion.merge[:7]}"
    click.echo(f"release {promotion.release} of {lab}: {done}", err=True)
    click.echo(f"next: practicum deliver {lab}", err=True)


@click.command()
@lab_argument
@pass_context
def deliver(context: Context, lab: str) -> None:
    """Put prod's release onto the seats of the class, and probe them."""
    with context.display() as display:
        workspace = context.workspace(display)
        delivery = deliver_lab(workspace, lab)
        if delivery.provisioned.failed:
            raise seats_failed(delivery.provisioned)
        rows = status(workspace, lab, "prod")
    if not context.as_json:
        show(seats_table(rows, delivery.results))
    _require_passed(delivery.results)


@click.command()
@lab_argument
@pass_context
def pipeline(context: Context, lab: str) -> None:
    """The whole life of a lab in one command: from the spec to the class."""
    began = time.monotonic()
    with context.display() as display:
        workspace = context.workspace(display)
        life = run_pipeline(workspace, lab, display.finished)
        rows = status(workspace, lab, "prod")
    if not context.as_json:
        show(seats_table(rows, life.delivery.results if life.delivery else ()))
        done = "done" if life.changed else "nothing had to change"
        click.echo(f"{done} in {time.monotonic() - began:.1f} s", err=True)


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
    failed = [result for result in results if not result.ok]
    for result in failed:
        click.echo(f"{result.seat}: {result.name}: {result.detail}", err=True)
    if failed:
        click.get_current_context().exit(FAILED)


COMMANDS = (checkpoint, promote, deliver, pipeline)
