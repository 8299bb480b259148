"""Everything on an LXD server that carries a marker, and its removal in the order that LXD accepts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from practicum.lxd import power
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.observe import tail, volumes_wherever
from practicum.parallel import in_parallel

MARKER = "user.practicum"
# On a project: the folders of the host that its volumes are in, beside pools.
FOLDERS = "user.practicum.folders"
# Bridges and ACLs begin with the seven characters of their lab's hash.
OUR_NAME = re.compile(r"p[a-z2-7]{7}-")
# The seat in the marker of a project of backups.
BACKUP = "backup"
# Deletion goes this way round: users of a thing before the thing. A checkpoint's images go before its volumes, so
# that one half deleted is seen as gone.
ORDER = ("snapshot", "instance", "image", "volume", "profile", "network", "acl", "project")
# What may use things of a seat without being the seat's, such as the probe in the professor's network.
USERS = ("snapshot", "instance")
# Seats at once: a removal waits more than it works, for machines to stop and for LXD, which does bridges one by one.
AT_ONCE = 16


@dataclass(frozen=True, order=True)
class Marked:
    """One object with a marker. `place` is its project, and for volumes PROJECT/POOL."""

    kind: str
    place: str
    name: str
    marker: str

    @property
    def installation(self) -> str:
        """The installation that made it."""
        return self.marker.split("/")[0]

    @property
    def scope(self) -> tuple[str, str]:
        """Environment and COURSE/LAB."""
        parts = [*self.marker.split("/"), "", "", ""]
        return parts[1], "/".join(parts[2:4])

    @property
    def is_shared(self) -> bool:
        """Whether it belongs to no seat."""
        return self.marker.endswith("/-")


def inventory(lxd: Lxd, installation: str, prefix: str = "") -> list[Marked]:
    """Return everything that an installation has on an LXD server, sorted; backups are not in it: they outlive labs.

    `prefix`: networks and ACLs only of the lab whose names begin so; to read all of a host takes LXD seconds.
    """
    projects = [
        project
        for project in lxd.get("projects", recursion=1)
        if _owner(project) == installation and not project["config"][MARKER].endswith(f"/{BACKUP}")
    ]
    found = [Marked("project", "", project["name"], project["config"][MARKER]) for project in projects]
    found += _listed(lxd, "acl", "network-acls", installation, prefix)
    found += _listed(lxd, "network", "networks", installation, prefix)
    found += _images(lxd, installation)
    for project in projects:
        found += _of_project(lxd, project["name"], project["config"][MARKER])
    return sorted(found)


def remove(lxd: Lxd, objects: Iterable[Marked], done: Callable[[Marked], None] | None = None) -> None:
    """Delete marked objects; what is gone already counts as deleted.

    Each seat goes for itself, so that LXD deletes the bridges of some while machines of others stop.
    """
    listed = sorted(objects, key=lambda thing: thing.marker)

    def delete(thing: Marked) -> None:
        _DELETERS[thing.kind](lxd, thing)
        if done:
            done(thing)

    def delete_in_order(things: Iterable[Marked]) -> None:
        for thing in sorted(things, key=lambda thing: ORDER.index(thing.kind)):
            delete(thing)

    shared = [thing for thing in listed if thing.is_shared]
    _by_kind(delete, [thing for thing in shared if thing.kind in USERS])
    seats = groupby((thing for thing in listed if not thing.is_shared), key=lambda thing: thing.marker)
    in_parallel(delete_in_order, [list(things) for _, things in seats], AT_ONCE)
    _by_kind(delete, [thing for thing in shared if thing.kind not in USERS])


def _by_kind(delete: Callable[[Marked], None], things: Iterable[Marked]) -> None:
    listed = list(things)
    for kind in ORDER:
        in_parallel(delete, [thing for thing in listed if thing.kind == kind], AT_ONCE)


def _owner(document: dict[str, Any]) -> str:
    return str(document["config"].get(MARKER, "")).split("/")[0]


def _listed(lxd: Lxd, kind: str, path: str, installation: str, prefix: str) -> list[Marked]:
    # A list with recursion computes who uses what, a second for thirty; only what is named like ours is read.
    names = [name for name in map(tail, lxd.get(path)) if OUR_NAME.match(name) and name.startswith(prefix)]
    entries = [entry for entry in in_parallel(lambda name: lxd.find(path, name), names) if entry is not None]
    return [
        Marked(kind, "default", entry["name"], entry["config"][MARKER])
        for entry in entries
        if _owner(entry) == installation
    ]


def _images(lxd: Lxd, installation: str) -> list[Marked]:
    markers = {image["fingerprint"]: image["properties"].get(MARKER, "") for image in lxd.get("images", recursion=1)}
    return [
        Marked("image", "default", fingerprint, marker)
        for fingerprint, marker in markers.items()
        if marker.split("/")[0] == installation
    ]


def _of_project(lxd: Lxd, project: str, marker: str) -> list[Marked]:
    """Return what stands in a project of ours: all of it is ours, marked or not."""
    instances = lxd.get("instances", project=project, recursion=1)
    found = [Marked("instance", project, one["name"], one["config"].get(MARKER, marker)) for one in instances]
    found += [
        Marked("profile", project, profile["name"], profile["config"].get(MARKER, marker))
        for profile in lxd.get("profiles", project=project, recursion=1)
        if profile["name"] != "default"
    ]
    found += [
        Marked("volume", f"{project}/{pool}", volume["name"], volume["config"].get(MARKER, marker))
        for pool, volume in volumes_wherever(lxd, pools_of(lxd, project), project)
    ]
    return found


def pools_of(lxd: Lxd, project: str) -> list[str]:
    """Return what volumes of a project may be in: LXD's pools, and the folders that its definitions name."""
    config = lxd.get("projects", project)["config"]
    lab = config.get(MARKER, "").endswith("/-")
    folders = [folder for folder in config.get(FOLDERS, "").split(",") if folder and lab]
    return [*map(tail, lxd.get("storage-pools")), *(folder for folder in folders if Path(folder).is_dir())]


def _delete_instance(lxd: Lxd, thing: Marked) -> None:
    power.delete(lxd, thing.place, thing.name)


def _delete_volume(lxd: Lxd, thing: Marked) -> None:
    project, pool = thing.place.split("/", 1)
    lxd.delete("storage-pools", pool, "volumes", "custom", thing.name, project=project)


def _delete_project(lxd: Lxd, thing: Marked) -> None:
    try:
        lxd.put("profiles", "default", body={"config": {}, "devices": {}}, project=thing.name)
    except LxdNotFound:
        return
    lxd.delete("projects", thing.name)


def _delete_snapshot(lxd: Lxd, thing: Marked) -> None:
    machine, name = thing.name.split("/")
    lxd.delete("instances", machine, "snapshots", name, project=thing.place)


_DELETERS: dict[str, Callable[[Lxd, Marked], None]] = {
    "snapshot": _delete_snapshot,
    "instance": _delete_instance,
    "volume": _delete_volume,
    "image": lambda lxd, thing: lxd.delete("images", thing.name),
    "profile": lambda lxd, thing: lxd.delete("profiles", thing.name, project=thing.place),
    "network": lambda lxd, thing: lxd.delete("networks", thing.name),
    "acl": lambda lxd, thing: lxd.delete("network-acls", thing.name),
    "project": _delete_project,
}
