"""What killed runs left in projects of labs that are alive: nothing that the next run of the same kind would need."""

import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from generator.seats.names import previous, upcoming
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked
from practicum.lxd.observe import INCOMING, WHOLE
from practicum.lxd.plan import is_put_aside
from practicum.lxd.replacement import UNTIL
from practicum.lxd.snapshots import snapshots_of
from practicum.lxd.volumes import Place, volumes_of

# What a checkpoint takes of the professor's machines.
SNAPSHOT = re.compile(r"checkpoint-\d+")
Document = Mapping[str, Any]


def of_seats(lxd: Lxd, project: str, marker: str, volumes: Container[str]) -> Iterator[Marked]:
    """Yield the leftovers in the project of an environment. `volumes` are the names that its definitions know."""
    machines = {one["name"]: one for one in lxd.get("instances", project=project, recursion=2)}
    for name, machine in machines.items():
        if _is_unused(name, machine, machines):
            yield Marked("instance", project, name, machine["config"].get("user.practicum", marker))
        for snapshot in machine.get("snapshots") or ():
            if SNAPSHOT.fullmatch(snapshot["name"]):
                yield Marked("snapshot", project, f"{name}/{snapshot['name']}", marker)
    for ended in (one for one in snapshots_of(lxd, project) if one.has_ended(datetime.now(UTC))):
        for place in ended.places.values():
            yield Marked("volume", f"{project}/{place.pool}", place.name, marker)
    found = list(volumes_of(lxd, project))
    there = {place.name for place, _ in found}
    for place, volume in found:
        if _is_incoming(place.name, volumes) and not volume["used_by"] and not _is_awaited(place, volume, there):
            owner = volume["config"].get("user.practicum", marker)
            yield Marked("volume", f"{project}/{place.pool}", place.name, owner)


def of_golden(lxd: Lxd, project: str, marker: str) -> Iterator[Marked]:
    """Yield golden machines, and their profiles, whose image is gone: no seat is made from them again."""
    images = [image["fingerprint"] for image in lxd.get("images", recursion=1)]
    for kind, path in (("instance", "instances"), ("profile", "profiles")):
        for one in lxd.get(path, project=project, recursion=1):
            start = one["name"].rsplit("-", 1)[-1]
            if one["name"] != "default" and not any(image.startswith(start) for image in images):
                yield Marked(kind, project, one["name"], marker)


def of_checkpoints(lxd: Lxd, project: str, marker: str) -> Iterator[Marked]:
    """Yield the machines that checkpoints were being made in."""
    for one in lxd.get("instances", project=project, recursion=1):
        yield Marked("instance", project, one["name"], marker)


def _is_unused(name: str, machine: Document, machines: Mapping[str, Document]) -> bool:
    if name.startswith(upcoming("")):
        return _is_abandoned(name.removeprefix(upcoming("")), machine, machines)
    until = machine["config"].get(UNTIL)
    return name.startswith(previous("")) and until is not None and datetime.fromisoformat(until) < datetime.now(UTC)


def _is_abandoned(of: str, machine: Document, machines: Mapping[str, Document]) -> bool:
    """Say whether nobody needs a `next-M`: M is there, and it is not what an undo put aside. See `replacement`."""
    return of in machines and not is_put_aside(of, machine, machines)


def _is_incoming(name: str, volumes: Container[str]) -> bool:
    return name.endswith(INCOMING) and name not in volumes and name.removesuffix(INCOMING) in volumes


def _is_awaited(place: Place, volume: Document, there: Container[str]) -> bool:
    """Say whether the next provision gives what came in its place."""
    return WHOLE in volume["config"] and place.name.removesuffix(INCOMING) not in there
