"""Take the machines and volumes of a project to another member of an LXD cluster, where they have the same names."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError
from practicum.lxd.observe import Document, tail, volumes_wherever
from practicum.lxd.volume_backups import STREAM, packed
from practicum.lxd.volumes import Place, begin_incoming, rename

Tell = Callable[[str], None]


def move_project(lxd: Lxd, project: str, target: str, tell: Tell) -> None:
    """Move a project's stopped machines with all their volumes; what is on the target already stays there.

    Volumes are copied first, then machines move to them, and then what was copied goes: killed anywhere, each volume is
    whole on one member, and the next run goes on. Volumes that all members share stay where they are.
    """
    lxd.wait_until_idle(project)
    for place in _to_copy(lxd, project, target):
        _copy_volume(lxd, place, target)
        tell(f"volume {place.name}")
    for machine in _elsewhere(lxd, project, target):
        body = {"name": machine["name"], "migration": True}
        lxd.post("instances", machine["name"], body=body, project=project, target=target)
        tell(f"machine {machine['name']}")
    for place, volume in _volumes(lxd, project):
        if _must_move(volume, target):
            lxd.delete(*place.path, project=project, target=volume["location"])


def used_space(lxd: Lxd, project: str, target: str) -> dict[str, int]:
    """Return the bytes, by pool, that a project would need on a member, as far as LXD knows them."""
    needed: dict[str, int] = {}
    for place, volume in _volumes(lxd, project):
        if _must_move(volume, target):
            # A pool of directories cannot say.
            with suppress(LxdError):
                state = lxd.get(*place.path, "state", project=project, target=volume["location"])
                needed[place.pool] = needed.get(place.pool, 0) + (state["usage"] or {}).get("used", 0)
    for machine in _elsewhere(lxd, project, target, recursion=2):
        pool = machine["expanded_devices"]["root"]["pool"]
        disk = ((machine.get("state") or {}).get("disk") or {}).get("root") or {}
        needed[pool] = needed.get(pool, 0) + disk.get("usage", 0)
    return needed


def _to_copy(lxd: Lxd, project: str, target: str) -> list[Place]:
    """Return the volumes to copy, after removing copies on the target whose machines are all elsewhere still.

    Somebody may have started such a machine after the run that made the copy was killed. Once one machine has followed
    a volume, the copy on the target is what counts.
    """
    machines = lxd.get("instances", project=project, recursion=1)
    there = [one for one in machines if one["location"] == target]
    settled = {device.get("source") for one in there for device in one["expanded_devices"].values()}
    found = list(_volumes(lxd, project))
    copied = {place for place, volume in found if volume["location"] == target}
    away = [place for place, volume in found if _must_move(volume, target)]
    todo = [place for place in away if place not in copied or place.name not in settled]
    for place in todo:
        if place in copied:
            lxd.delete(*place.path, project=project, target=target)
    return todo


def _must_move(volume: Document, target: str) -> bool:
    """Say whether a volume is on another member alone; one that all members share is on none."""
    return volume["location"] not in ("", "none", target)


def _copy_volume(lxd: Lxd, place: Place, target: str) -> None:
    """Copy a volume, with its config, as a stream through this process.

    It comes in under another name: LXD finds no volume by a name that two members have.
    """
    incoming = begin_incoming(lxd, place)
    headers = {**STREAM, "X-LXD-name": incoming.name}
    with packed(lxd, place) as chunks:
        lxd.on(target).upload(*incoming.parent, data=chunks, headers=headers, project=place.project)
    rename(lxd, incoming, place.name)


def _volumes(lxd: Lxd, project: str) -> Iterator[tuple[Place, Document]]:
    for pool, volume in volumes_wherever(lxd, map(tail, lxd.get("storage-pools")), project):
        yield Place(project, pool, volume["name"]), volume


def _elsewhere(lxd: Lxd, project: str, target: str, recursion: int = 1) -> list[dict[str, Any]]:
    listed = lxd.get("instances", project=project, recursion=recursion)
    return [one for one in listed if one["location"] != target]
