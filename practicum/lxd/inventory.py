"""Everything on an LXD server that carries a marker, and its removal in the order that LXD accepts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from practicum.lxd import power
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.observe import tail
from practicum.parallel import in_parallel

MARKER = "user.practicum"
# Bridges and ACLs begin with the seven characters of their lab's hash.
OUR_NAME = re.compile(r"p[a-z2-7]{7}-")
# Deletion goes this way round: users of a thing before the thing. A checkpoint's images go before its volumes, so
# that one half deleted is seen as gone.
ORDER = ("instance", "image", "volume", "profile", "network", "acl", "project")


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


def inventory(lxd: Lxd, installation: str) -> list[Marked]:
    """Return everything that an installation has on an LXD server, sorted."""
    projects = [project for project in lxd.get("projects", recursion=1) if _owner(project) == installation]
    found = [Marked("project", "", project["name"], project["config"][MARKER]) for project in projects]
    found += _listed(lxd, "acl", "network-acls", installation)
    found += _listed(lxd, "network", "networks", installation)
    found += _images(lxd, installation)
    for project in projects:
        found += _of_project(lxd, project["name"], project["config"][MARKER])
    return sorted(found)


def remove(lxd: Lxd, objects: Iterable[Marked], done: Callable[[Marked], None] | None = None) -> None:
    """Delete marked objects; what is gone already counts as deleted."""
    listed = list(objects)

    def delete(thing: Marked) -> None:
        _DELETERS[thing.kind](lxd, thing)
        if done:
            done(thing)

    for kind in ORDER:
        in_parallel(delete, [thing for thing in listed if thing.kind == kind])


def _owner(document: dict[str, Any]) -> str:
    return str(document["config"].get(MARKER, "")).split("/")[0]


def _listed(lxd: Lxd, kind: str, path: str, installation: str) -> list[Marked]:
    # A list with recursion computes who uses what, a second for thirty; only what is named like ours is read.
    names = [name for name in map(tail, lxd.get(path)) if OUR_NAME.match(name)]
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
    for pool in lxd.get("storage-pools", recursion=1):
        volumes = lxd.get("storage-pools", pool["name"], "volumes", "custom", project=project, recursion=1)
        found += [
            Marked("volume", f"{project}/{pool['name']}", volume["name"], volume["config"].get(MARKER, marker))
            for volume in volumes
            if volume["type"] == "custom"
        ]
    return found


def _delete_instance(lxd: Lxd, thing: Marked) -> None:
    power.delete(lxd, thing.place, thing.name)


def _delete_volume(lxd: Lxd, thing: Marked) -> None:
    project, pool = thing.place.rsplit("/", 1)
    lxd.delete("storage-pools", pool, "volumes", "custom", thing.name, project=project)


def _delete_project(lxd: Lxd, thing: Marked) -> None:
    try:
        lxd.put("profiles", "default", body={"config": {}, "devices": {}}, project=thing.name)
    except LxdNotFound:
        return
    lxd.delete("projects", thing.name)


_DELETERS: dict[str, Callable[[Lxd, Marked], None]] = {
    "instance": _delete_instance,
    "volume": _delete_volume,
    "image": lambda lxd, thing: lxd.delete("images", thing.name),
    "profile": lambda lxd, thing: lxd.delete("profiles", thing.name, project=thing.place),
    "network": lambda lxd, thing: lxd.delete("networks", thing.name),
    "acl": lambda lxd, thing: lxd.delete("network-acls", thing.name),
    "project": _delete_project,
}
