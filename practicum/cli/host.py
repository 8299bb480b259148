"""Verbs about the host: setup, doctor, image."""

import json
from collections import Counter
from dataclasses import asdict

import click
from rich.table import Table

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from generator.catalogue.node_image import type_on
from generator.catalogue.virtual_machine import as_virtual_machine, image_key
from generator.spec.platform import DEFAULT_POOL
from practicum.cli.context import Context, pass_context, yes_option
from practicum.cli.tables import checks_text, show
from practicum.errors import InputError
from practicum.events import Event
from practicum.lxd.images import ensure_image, find_image, image_properties
from practicum.stages.doctor import HostCheck, pool_of
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
@click.option("--fix", is_flag=True, help="Do what setup would do: shows a plan, asks, records it for its undoing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@yes_option
@pass_context
def doctor(context: Context, fix: bool, as_json: bool) -> None:
    """Check this host; every failed check comes with its fix."""
    if fix:
        click.get_current_context().invoke(setup, pool=pool_of(context.folder))
    checks = check_host(folder=context.folder)
    missing = [check for check in checks if not check.ok]
    if as_json or context.as_json:
        listed = [asdict(check) for check in checks]
        click.echo(json.dumps({"ready": not missing, "checks": listed}, indent=2, ensure_ascii=False))
    else:
        for line in checks_text(checks):
            show(line)
        _tell_result(checks)
    if missing:
        click.get_current_context().exit(NOT_READY)


def _tell_result(checks: list[HostCheck]) -> None:
    counts = Counter(check.state for check in checks)
    warned = f", {counts['warning']} to think about (!)" if counts["warning"] else ""
    click.echo(f"{counts['missing']} of {len(checks)} checks failed (✗){warned}", err=True)
    if any(check.automatic for check in checks):
        names = ", ".join(check.name for check in checks if check.automatic)
        click.echo(f"'practicum doctor --fix' mends: {names}", err=True)


@click.group()
def image() -> None:
    """Images of machine types, made from Debian packages."""


@image.command()
@click.argument("type_name", metavar="TYPE")
@click.option("--vm", is_flag=True, help="Build the disk that virtual machines of the type boot from.")
@pass_context
def build(context: Context, type_name: str, vm: bool) -> None:
    """Build a type's image; an unchanged recipe is not built again."""
    catalogue = load_catalogue()
    if type_name not in catalogue:
        raise InputError(f"unknown type '{type_name}'", resolution=f"types are: {', '.join(catalogue)}", exit_code=2)
    with context.display() as display:
        workspace = context.workspace(display)
        platform = platform_of(workspace.repository.sources(None), "dev")
        type = type_on(catalogue, image_key(type_name, "vm" if vm else "container"), platform)
        assert type is not None  # noqa: S101 - for the type checker

        def report(text: str) -> None:
            display.emit(Event("images", "started", text))

        lxd = workspace.lxd(platform)
        fingerprint = ensure_image(lxd, type, platform.installation, platform.mirror, report)
    click.echo(fingerprint)


@image.command("list")
@pass_context
def list_images(context: Context) -> None:
    """Show which types have an image on LXD."""
    workspace = context.workspace()
    platform = platform_of(workspace.repository.sources(None), "dev")
    lxd = workspace.lxd(platform)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("type", "container", "virtual machine"):
        table.add_column(heading)

    def shown(type: MachineType) -> str:
        found = find_image(lxd, image_properties(type, platform.installation)) if type.image.built else None
        return found[:12] if found else "not made yet" if type.image.built else "cannot be built yet"

    catalogue = load_catalogue()
    for name in catalogue:
        entry = type_on(catalogue, name, platform) or catalogue[name]
        table.add_row(name, shown(entry), shown(as_virtual_machine(entry)))
    show(table)


COMMANDS = (setup, doctor, image)
