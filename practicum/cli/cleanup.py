"""Verbs that remove: destroy, orphans."""

import click

from practicum.cli.context import Context, lab_argument, pass_context, yes_option
from practicum.cli.tables import marked_table, show
from practicum.stages.destroy import destroy as destroy_lab
from practicum.stages.destroy import doomed, remove_orphans
from practicum.stages.destroy import orphans as find_orphans

ENVIRONMENTS = {"dev": ["dev"], "prod": ["prod"], "all": ["prod", "dev"]}


@click.command()
@lab_argument
@click.option("--env", "environment", type=click.Choice(list(ENVIRONMENTS)), required=True, help="What to destroy.")
@click.option("--keep-volumes", is_flag=True, help="Keep the volumes with student work.")
@yes_option
@pass_context
def destroy(context: Context, lab: str, environment: str, keep_volumes: bool) -> None:
    """Remove a lab's machines, networks and volumes, and prove that nothing is left."""
    environments = ENVIRONMENTS[environment]
    listed = doomed(context.workspace(), lab, environments, keep_volumes=keep_volumes)
    volumes = sum(thing.kind == "volume" for thing in listed)
    machines = sum(thing.kind == "instance" for thing in listed)
    if listed:
        work = f" and {volumes} volumes with their work" if volumes else ""
        context.confirm(f"Destroy {lab} in {', '.join(environments)}: {machines} machines{work}?")
    with context.display() as display:
        done = destroy_lab(context.workspace(display), lab, environments, keep_volumes=keep_volumes)
    click.echo(f"{len(done.removed)} objects removed; nothing of {lab} is left in {', '.join(environments)}", err=True)
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
        context.confirm(f"Remove these {len(found)} objects?")
        with context.display() as display:
            remove_orphans(context.workspace(display), found)
        click.echo(f"{len(found)} orphans removed", err=True)


COMMANDS = (destroy, orphans)
