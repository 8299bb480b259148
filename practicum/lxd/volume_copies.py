"""Copies of custom volumes in another pool, brought up to date by LXD's `refresh`.

Between two pools of btrfs, or two of zfs, LXD 5.0.2 sends what changed since a snapshot that both sides have, and all
of it when there is none or no newer one. So each copy takes a new snapshot of the volume, and the one before it goes
after that. A refresh removes the snapshots of the copy that the volume has not: what is to stay is made a volume of its
own. Between other drivers rsync compares times and sizes of files, and no snapshot is needed.
"""

from collections.abc import Mapping
from contextlib import suppress

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict
from practicum.lxd.observe import tail
from practicum.lxd.volumes import Place, set_keys

# Drivers that send differences of snapshots.
SENDING = ("btrfs", "zfs")
SNAPSHOT = "backup-"
NO_KEYS: Mapping[str, str] = {}


def refresh_copy(lxd: Lxd, volume: Place, copy: Place, moment: str) -> Place:
    """Bring a copy up to a volume, or make it; return what has the volume's content as it is now, to be copied from.

    Raises LxdNotFound when the volume is gone. Killed anywhere, the next refresh does the rest.
    """
    config = lxd.get(*volume.path, project=volume.project)["config"]
    sends, snapshot = _sends(lxd, volume.pool, copy.pool), f"{SNAPSHOT}{moment}"
    if sends:
        with suppress(LxdConflict):
            lxd.post(*volume.path, "snapshots", body={"name": snapshot}, project=volume.project)
    present = lxd.find(*copy.path, project=copy.project) is not None
    if present and "size" in config:
        set_keys(lxd, copy, {"size": config["size"]})
    _copy(lxd, volume, copy, config, refresh=present, with_snapshots=sends)
    if not sends:
        return copy
    for earlier in _snapshots(lxd, volume):
        if earlier != snapshot:
            lxd.delete(*volume.path, "snapshots", earlier, project=volume.project)
    return copy.named(f"{copy.name}/{snapshot}")


def copy_across(lxd: Lxd, origin: Place, target: Place, keys: Mapping[str, str] = NO_KEYS) -> None:
    """Make a volume as a copy of another one, or of a snapshot, with its config; an empty one of `keys` goes."""
    config = lxd.get(*origin.named(origin.name.split("/")[0]).path, project=origin.project)["config"]
    wanted = {key: value for key, value in {**config, **keys}.items() if value}
    _copy(lxd, origin, target, wanted, refresh=False, with_snapshots=False)


def _copy(
    lxd: Lxd, origin: Place, target: Place, config: Mapping[str, str], *, refresh: bool, with_snapshots: bool
) -> None:
    source = {
        "type": "copy",
        "name": origin.name,
        "pool": origin.pool,
        "project": origin.project,
        "refresh": refresh,
        "volume_only": not with_snapshots,
    }
    body = {"name": target.name, "type": "custom", "config": dict(config), "source": source}
    lxd.post(*target.parent, body=body, project=target.project)


def _sends(lxd: Lxd, *pools: str) -> bool:
    drivers = {lxd.get("storage-pools", pool)["driver"] for pool in pools}
    return len(drivers) == 1 and drivers <= set(SENDING)


def _snapshots(lxd: Lxd, volume: Place) -> list[str]:
    """Return the snapshots that backups took of a volume."""
    found = map(tail, lxd.get(*volume.path, "snapshots", project=volume.project))
    return [name for name in found if name.startswith(SNAPSHOT)]
