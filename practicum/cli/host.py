"""Verbs about the host: setup, doctor, image."""

import click
from rich.markup import escape
from rich.table import Table

from generator.catalogue.load import load_catalogue
from generator.spec.platform import DEFAULT_POOL
from practicum.cli.context import Context, pass_context, yes_option
from practicum.cli.tables import show
from practicum.errors import InputError
from practicum.events import Event
from practicum.lxd.images import ensure_image, find_image, image_properties
from practicum.stages.doctor import HostCheck
from practicum.stages.doctor import doctor as check_host
from practicum.stages.host import observe_host
from practicum.stages.setup import SetupOptions, apply_setup, plan_setup, remove_setup
from practicum.stages.workspace import platform_of

NOT_READY = 77


@click.command()
@click.option("--pool", default=DEFAULT_POOL, show_default=True, help="The name of the storage pool.")
@click.option("--adopt", is_flag=True, help="Share an LXD that has instances of others; they are never touched.")
@click.option("--remove", is_flag=True, help="Undo what setup did to this host.")
@yes_option
@pass_context
def setup(context: Context, pool: str, adopt: bool, remove: bool) -> None:
    """Make this host ready for labs: shows a plan, then does it."""
    options = SetupOptions(pool=pool, adopt=adopt)
    if remove:
        for left in remove_setup(options):
            click.echo(f"left: {left.what} ({left.why})", err=True)
        click.echo("what setup did to this host is undone", err=True)
        return
    steps = plan_setup(observe_host(options.socket, options.pool, places=options.places), adopt)
    for step in steps:
        click.echo(f"  {step.text}", err=True)
    if not steps:
        click.echo("this host is ready", err=True)
        return
    context.confirm("Do this?")
    apply_setup(options, lambda text: click.echo(f"✓ {text}", err=True))
    click.echo("this host is ready", err=True)


@click.command()
@click.option("--fix", is_flag=True, help="Do what setup would do.")
@yes_option
@click.pass_context
def doctor(click_context: click.Context, fix: bool) -> None:
    """Check this host; every failed check comes with its fix."""
    if fix:
        click_context.invoke(setup)
    checks = check_host()
    show(_checks_table(checks))
    failed = [check for check in checks if not check.ok]
    click.echo(f"{len(checks) - len(failed)} of {len(checks)} checks passed", err=True)
    if failed:
        click_context.exit(NOT_READY)


@click.group()
def image() -> None:
    """Images of machine types, made from Debian packages."""


@image.command()
@click.argument("type_name", metavar="TYPE")
@pass_context
def build(context: Context, type_name: str) -> None:
    """Build a type's image; an unchanged recipe is not built again."""
    catalogue = load_catalogue()
    if type_name not in catalogue:
        raise InputError(f"unknown type '{type_name}'", resolution=f"types are: {', '.join(catalogue)}", exit_code=2)
    with context.display() as display:
        workspace = context.workspace(display)
        platform = platform_of(workspace.repository.sources(None), "dev")

        def report(text: str) -> None:
            display.emit(Event("images", "started", text))

        lxd = workspace.lxd(platform)
        fingerprint = ensure_image(lxd, catalogue[type_name], platform.installation, platform.mirror, report)
    click.echo(fingerprint)


@image.command("list")
@pass_context
def list_images(context: Context) -> None:
    """Show which types have an image on LXD."""
    workspace = context.workspace()
    platform = platform_of(workspace.repository.sources(None), "dev")
    lxd = workspace.lxd(platform)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("type")
    table.add_column("image")
    for name, entry in load_catalogue().items():
        found = find_image(lxd, image_properties(entry, platform.installation)) if entry.image.built else None
        absent = "not made yet" if entry.image.built else "cannot be built yet"
        table.add_row(name, found[:12] if found else absent)
    show(table)


def _checks_table(checks: list[HostCheck]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "check", "found", "needed", "fix"):
        table.add_column(column, overflow="fold")
    for check in checks:
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
        table.add_row(mark, check.name, escape(check.found), escape(check.needed), escape(check.fix))
    return table


COMMANDS = (setup, doctor, image)
