"""Verbs about student work: collect, export, import."""

from datetime import UTC, datetime
from pathlib import Path

import click

from practicum.cli.context import Context, environment_option, lab_argument, pass_context, seat_option, yes_option
from practicum.stages.collect import collect as collect_work
from practicum.stages.collect import default_folder
from practicum.stages.export import export as export_work
from practicum.stages.imports import import_work, verified

FAILED = 1


@click.command()
@lab_argument
@seat_option
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write here.")
@click.option("--again", is_flag=True, help="Collect anew what was collected when it was due.")
@pass_context
def collect(context: Context, lab: str, seats: tuple[str, ...], folder: Path | None, again: bool) -> None:
    """Collect the work of the class: grades.csv, what each check said, and one archive a student."""
    with context.display() as display:
        workspace = context.workspace(display)
        target = folder or default_folder(workspace, lab)
        done = collect_work(workspace, lab, target, datetime.now(UTC), seats, again=again)
    went_on = ", going on with a collection that had not come to its end" if done.resumed else ""
    count = len(done.seats) - len(done.failed)
    click.echo(f"the work of {count} seats is in {done.folder}{went_on}; the digest of its manifest is {done.digest}")
    if done.kept:
        click.echo(f"{len(done.kept)} of them as they were when due; --again collects them anew", err=True)
    for seat, error in done.failed.items():
        click.echo(f"{seat}: {error.message} {error.details}".rstrip(), err=True)
    if done.failed:
        click.echo(f"again: practicum collect {lab} --to {done.folder}", err=True)
    click.get_current_context().exit(FAILED if done.failed else 0)


@click.command()
@lab_argument
@environment_option("prod")
@seat_option
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write here.")
@pass_context
def export(context: Context, lab: str, environment: str, seats: tuple[str, ...], folder: Path | None) -> None:
    """Write each student's volumes to one archive, with digests."""
    root = context.workspace().repository.root.resolve()
    target = folder or root.parent / f"{lab.replace('/', '-')}-export"
    with context.display() as display:
        done = export_work(context.workspace(display), lab, environment, target, datetime.now(UTC), seats)
    count = len(done.seats) - len(done.failed)
    click.echo(f"{count} archives in {done.folder}; the digest of their manifest is {done.digest}", err=True)
    running = [one.seat for one in done.seats if one.running]
    if running:
        click.echo(
            f"warning: machines of {len(running)} seats ran meanwhile: what they write now is not in the archives",
            err=True,
        )
    for one in done.failed:
        click.echo(
            f"{one.seat}: {one.error and one.error.message} {one.error and one.error.details}".rstrip(), err=True
        )
    if done.failed:
        again = " ".join(f"--seat {one.seat}" for one in done.failed)
        click.echo(f"again: practicum export {lab} --env {environment} {again} --to {done.folder}", err=True)
    click.get_current_context().exit(FAILED if done.failed else 0)


@click.command("import")
@lab_argument
@click.argument("path", metavar="FOLDER|ARCHIVE", type=click.Path(path_type=Path))
@environment_option("prod")
@seat_option
@yes_option
@pass_context
def import_(context: Context, lab: str, path: Path, environment: str, seats: tuple[str, ...]) -> None:
    """Put the volumes of archives back; what is there now stays beside."""
    sources = verified(lab, path, seats)
    volumes = sum(len(one.manifest["volumes"]) for one in sources)
    context.confirm(
        f"Stop machines of {len(sources)} seats of {lab} in {environment} and put back {volumes} volumes? "
        "What is there now stays as prev-…, in place of an older such one."
    )
    with context.display() as display:
        done = import_work(context.workspace(display), lab, environment, sources)
    failed = [one for one in done if one.error is not None]
    click.echo(f"the work of {len(done) - len(failed)} seats is back", err=True)
    for one in failed:
        click.echo(
            f"{one.seat}: {one.error and one.error.message} {one.error and one.error.details}".rstrip(), err=True
        )
    click.get_current_context().exit(FAILED if failed else 0)


COMMANDS = (collect, export, import_)
