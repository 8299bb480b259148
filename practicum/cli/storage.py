"""Verbs about storage: disk, backup."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.table import Table

from generator.spec.platform import ENVIRONMENTS
from generator.spec.units import shown
from practicum.cli.context import Context, environment_option, lab_argument, lab_name, pass_context, yes_option
from practicum.cli.tables import marked_table, show
from practicum.errors import TryAgainError
from practicum.lxd.usage import Use
from practicum.stages.backup import backup as make_backup
from practicum.stages.backup_store import Manifest
from practicum.stages.disk import Disk, freeable
from practicum.stages.disk import disk as read_disk
from practicum.stages.disk import free as free_space
from practicum.stages.restore import backups, choose, restore_beside, restore_checkpoint, restore_in_place

FAILED = 1


@click.command()
@click.option("--env", "environment", type=click.Choice(ENVIRONMENTS), help="Your copy or the class [both].")
@click.option("--free", "to_free", is_flag=True, help="Remove what no release pins and what can be made again.")
@yes_option
@pass_context
def disk(context: Context, environment: str | None, to_free: bool) -> None:
    """Show what uses the space of the storage pools; --free removes what may go."""
    if to_free:
        _free(context)
        return
    found = read_disk(context.workspace(), environment)
    if context.as_json:
        click.echo(json.dumps(_document(found), ensure_ascii=False))
        return
    show(_pools_table(found))
    if found.uses:
        show(_uses_table(found.uses))
    for pool in found.pools:
        click.echo(f"{pool.name}: {shown(found.unattributed(pool.name))} are shared, of others, or not known to LXD")
        if pool.warning:
            click.echo(f"warning: {pool.warning}", err=True)


def _free(context: Context) -> None:
    listed = freeable(context.workspace())
    if not listed:
        click.echo("nothing may go", err=True)
        return
    show(marked_table(listed))
    context.confirm(f"Remove these {len(listed)} objects? What is needed again is made again.")
    with context.display() as display:
        removed = free_space(context.workspace(display), listed)
    click.echo(f"{len(removed)} objects removed", err=True)


def _document(found: Disk) -> dict[str, object]:
    pools = [
        {
            **vars(pool),
            "free": pool.free,
            "unattributed": found.unattributed(pool.name),
            "warning": pool.warning,
        }
        for pool in found.pools
    ]
    return {"pools": pools, "uses": [vars(use) for use in found.uses]}


def _pools_table(found: Disk) -> Table:
    table = _table("pool", "driver", "total", "used", "free", "reserve", "")
    for pool in found.pools:
        sizes = (shown(size) for size in (pool.total, pool.used, pool.free, pool.reserve))
        table.add_row(pool.name, pool.driver, *sizes, f"{100 * pool.used // max(1, pool.total)} %")
    return table


def _uses_table(uses: Sequence[Use]) -> Table:
    groups: dict[tuple[str, str, str, str], list[Use]] = defaultdict(list)
    for use in uses:
        groups[use.pool, use.kind, use.environment, use.lab].append(use)
    table = _table("pool", "what", "env", "lab", "number", "used", "at most")
    for key, group in sorted(groups.items(), key=lambda item: (-_known(item[1]), item[0])):
        pool, kind, environment, lab = key
        own = ("", "") if lab == "-/-" else ("both" if environment == "-" else environment, lab)
        most = sum(use.most or 0 for use in group)
        table.add_row(pool, kind, *own, str(len(group)), _used(group), shown(most) if most else "")
    return table


def _known(group: Sequence[Use]) -> int:
    return sum(use.used or 0 for use in group)


def _used(group: Sequence[Use]) -> str:
    unknown = sum(use.used is None for use in group)
    if unknown == len(group):
        return "unknown"
    return shown(_known(group)) + (f" and {unknown} unknown" if unknown else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


class _BackupGroup(click.Group):
    """`backup LAB` makes one; `backup list` and `backup restore LAB` work with those that there are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take everything that is no sub-command for the arguments of making a backup."""
        known = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known else ["make", *args])


@click.group(cls=_BackupGroup)
def backup() -> None:
    """Copy volumes and checkpoints to another disk, and bring them back: backup LAB…."""


@backup.command(hidden=True)
@click.argument("labs", nargs=-1, metavar="[LAB]…", callback=lambda c, p, names: [lab_name(c, p, one) for one in names])
@environment_option("prod")
@pass_context
def make(context: Context, labs: list[str], environment: str) -> None:
    """Copy the volumes and the checkpoint of labs to the folder or pool that the platform file names."""
    with context.display() as display:
        done = make_backup(context.workspace(display), environment, labs, datetime.now(UTC))
    for one in done:
        if one.manifest is not None:
            count = len(one.manifest["volumes"])
            click.echo(f"{one.lab}: {one.manifest['taken']}, {count} volumes{_size(one.manifest, ', ')}", err=True)
        elif one.error is not None:
            click.echo(f"{one.lab}: {one.error.message} {one.error.details}".rstrip(), err=True)
    if not done:
        click.echo("nothing to back up", err=True)
    errors = [one.error for one in done if one.error is not None]
    locked = all(isinstance(error, TryAgainError) for error in errors)
    click.get_current_context().exit((TryAgainError.exit_code if locked else FAILED) if errors else 0)


@backup.command("list")
@click.argument("lab", required=False, metavar="[LAB]", callback=lambda c, p, name: name and lab_name(c, p, name))
@environment_option("prod")
@pass_context
def list_backups(context: Context, lab: str | None, environment: str) -> None:
    """Show the backups that there are."""
    found = backups(context.workspace(), environment, lab or "*/*")
    if context.as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    table = _table("lab", "taken", "volumes", "size")
    for one in found:
        table.add_row(one["lab"], one["taken"], str(len(one["volumes"])), _size(one))
    show(table)


def _size(manifest: Manifest, before: str = "") -> str:
    """Return the size of a backup; in a pool backups share what has not changed, so there none has a size."""
    sizes = [entry["size"] for entry in manifest["volumes"] if "size" in entry]
    return before + shown(sum(sizes)) if sizes else ""


@backup.command()
@lab_argument
@environment_option("prod")
@click.option("--at", "taken", default="", metavar="MOMENT", help="The backup, as 'backup list' names it [the last].")
@click.option("--volume", "volumes", multiple=True, metavar="VOLUME", help="Only this volume; may be repeated.")
@click.option("--in-place", is_flag=True, help="Put them where they were; what is there now stays beside.")
@click.option("--checkpoint", is_flag=True, help="Bring back what LXD lacks of the checkpoint, and no volume.")
@yes_option
@pass_context
def restore(
    context: Context,
    lab: str,
    environment: str,
    taken: str,
    volumes: tuple[str, ...],
    in_place: bool,
    checkpoint: bool,
) -> None:
    """Bring volumes back under new names, or in place."""
    manifest = choose(context.workspace(), environment, lab, taken, volumes)
    if checkpoint:
        count = restore_checkpoint(context.workspace(), manifest)
        click.echo(f"{count} images and volumes of the checkpoint are back", err=True)
        return
    number = len(manifest["volumes"])
    if in_place:
        context.confirm(f"Stop the machines of {number} volumes of {lab} and put back {manifest['taken']}?")
    with context.display() as display:
        workspace = context.workspace(display)
        if in_place:
            done = restore_in_place(workspace, manifest, datetime.now(UTC))
        else:
            done = restore_beside(workspace, manifest)
    for one in done:
        aside = f"; what was there is {one.aside}" if one.aside else ""
        click.echo(f"{one.volume} of {manifest['taken']} is {one.name}{aside}", err=True)


COMMANDS = (disk, backup)
