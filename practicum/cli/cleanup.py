"""Verbs that remove: destroy, orphans."""

from pathlib import Path

import click

from practicum.cli.context import Context, lab_argument, pass_context, yes_option
from practicum.cli.tables import marked_table, show
from practicum.stages.destroy import destroy as destroy_lab
from practicum.stages.destroy import doomed, require_exported
from practicum.stages.destruction import Journal
from practicum.stages.orphans import orphans as find_orphans
from practicum.stages.orphans import remove_orphans

ENVIRONMENTS = {"dev": ["dev"], "prod": ["prod"], "all": ["prod", "dev"]}


@click.command()
@lab_argument
@click.option("--env", "environment", type=click.Choice(list(ENVIRONMENTS)), required=True, help="What to destroy.")
@click.option("--keep-volumes", is_flag=True, help="Keep the volumes with student work.")
@click.option("--without-export", is_flag=True, help="Destroy students' work that was not exported.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a proof: .md, .json."
)
@yes_option
@pass_context
def destroy(
    context: Context, lab: str, environment: str, keep_volumes: bool, without_export: bool, report: Path | None
) -> None:
    """Remove a lab's machines, networks and volumes, and prove that nothing is left."""
    environments = ENVIRONMENTS[environment]
    if not (keep_volumes or without_export):
        require_exported(context.workspace(), lab, environments)
    listed = doomed(context.workspace(), lab, environments, keep_volumes=keep_volumes)
    volumes = sum(thing.kind == "volume" for thing in listed)
    machines = sum(thing.kind == "instance" for thing in listed)
    if listed:
        work = f" and {volumes} volumes with their work" if volumes else ""
        context.confirm(f"Destroy {lab} in {', '.join(environments)}: {machines} machines{work}?")
    journal = Journal.open(report, lab) if report else Journal(None)
    with context.display() as display:
        done = destroy_lab(
            context.workspace(display),
            lab,
            environments,
            keep_volumes=keep_volumes,
            without_export=without_export,
            journal=journal,
        )
    where = ", ".join(environments)
    if done.removed:
        click.echo(f"{len(done.removed)} objects removed; nothing of {lab} is left in {where}", err=True)
    else:
        click.echo(f"nothing on LXD carries the mark of {lab} in {where}: nothing had to be removed", err=True)
    for one in done.already:
        click.echo(f"destroyed before: {one}", err=True)
    for kept in done.kept:
        click.echo(f"not deleted: {kept}", err=True)


@click.command()
@click.option("--delete", is_flag=True, help="Remove them.")
@yes_option
@pass_context
def orphans(context: Context, delete: bool) -> None:
    """Show what carries our marker but belongs to no lab."""
    found = find_orphans(context.workspace())
    if not found:
        click.echo("no orphans", err=True)
        return
    show(marked_table(found))
    if delete:
        volumes = sum(thing.kind == "volume" for thing in found)
        context.confirm(f"Remove these {len(found)} objects, {volumes} volumes with what is in them?")
        with context.display() as display:
            removed = remove_orphans(context.workspace(display), found)
        click.echo(f"{len(removed)} orphans removed", err=True)


COMMANDS = (destroy, orphans)
