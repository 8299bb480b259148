"""Custom volumes of a project: which there are, who has one, and how one takes the place of another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from practicum.lxd import power
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.inventory import pools_of
from practicum.lxd.observe import INCOMING, WHOLE, tail, volumes_wherever

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A custom volume: its LXD project, pool and name."""

    project: str
    pool: str
    name: str

    @property
    def path(self) -> tuple[str, ...]:
        """Its address below /1.0."""
        return (*self.parent, self.name)

    @property
    def parent(self) -> tuple[str, ...]:
        """The address of the pool's custom volumes."""
        return ("storage-pools", self.pool, "volumes", "custom")

    def named(self, name: str) -> "Place":
        """Return the place of another name beside it."""
        return Place(self.project, self.pool, name)


def volumes_of(lxd: Lxd, project: str) -> Iterator[tuple[Place, Document]]:
    """Yield every custom volume of a project as LXD's API tells it."""
    for pool, volume in volumes_wherever(lxd, pools_of(lxd, project), project):
        yield Place(project, pool, volume["name"]), volume


def machines_of(lxd: Lxd, place: Place) -> list[Document]:
    """Return the machines that have a volume."""
    try:
        users = lxd.get(*place.path, project=place.project)["used_by"]
    except LxdNotFound:
        return []
    names = [tail(address) for address in users if "/instances/" in address]
    return [found for name in names if (found := lxd.find("instances", name, project=place.project)) is not None]


def begin_incoming(lxd: Lxd, place: Place) -> Place:
    """Return where a volume is made that will take a place; what a killed run left there goes."""
    incoming = place.named(place.name + INCOMING)
    lxd.delete(*incoming.path, project=place.project)
    return incoming


def take_place(lxd: Lxd, place: Place, aside: str) -> None:
    """Give what came in the name of a place; what is there stays under the name `aside`.

    Machines that have the volume are stopped for it. Killed anywhere, the old volume is there under one of its names,
    and the next provision ends what was begun.
    """
    incoming = place.named(place.name + INCOMING)
    set_keys(lxd, incoming, {WHOLE: "true"})
    if lxd.find(*place.path, project=place.project) is not None:
        for machine in machines_of(lxd, place):
            power.stop(lxd, place.project, machine["name"])
        rename(lxd, place, aside)
    adopt(lxd, place)


def adopt(lxd: Lxd, place: Place) -> None:
    """Give what came in, and is whole, the name of its place."""
    rename(lxd, place.named(place.name + INCOMING), place.name)
    set_keys(lxd, place, {WHOLE: ""})


def rename(lxd: Lxd, place: Place, name: str) -> None:
    """Rename a volume that no machine has."""
    lxd.post(*place.path, body={"name": name}, project=place.project)


def set_keys(lxd: Lxd, place: Place, keys: Mapping[str, str]) -> None:
    """Set keys of a volume's config; an empty text takes a key away."""
    config = lxd.get(*place.path, project=place.project)["config"]
    lxd.patch(*place.path, body={"config": {**config, **keys}}, project=place.project)
