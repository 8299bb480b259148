"""Snapshots of a seat: its volumes at one moment and, when asked for, the systems of its machines.

A volume's snapshot is a volume of its own, `snap-MOMENT-V`, copy-on-write where the pool can do it: what LXD keeps
inside a volume would go with the volume when the seat starts over, and folders of the host keep nothing. A system's
snapshot is LXD's own, and goes with its system. Each piece carries the whole record: a snapshot is what its pieces say.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from generator.seats.names import SNAPSHOT, snapped
from practicum.lxd import power
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.instances import mark
from practicum.lxd.inventory import MARKER
from practicum.lxd.objects import copy_volume
from practicum.lxd.observe import SEEDED
from practicum.lxd.volumes import Place, begin_incoming, set_keys, take_place, volumes_of

RECORD = "user.practicum.snapshot"
# A student's own, which the quota counts; what was there before something replaced it; what was handed in.
Kind = Literal["personal", "safety", "collected"]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """A seat at a moment. Times are ISO texts, `until` is empty for one without end.

    `volumes` and `systems` are the names of what was taken; `places` and `machines` what of it is there.
    """

    seat: str
    name: str
    kind: Kind
    taken: str
    message: str = ""
    until: str = ""
    volumes: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    machines: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_whole(self) -> bool:
        """Say whether every volume is there; a system's snapshot may have gone with its system."""
        return set(self.volumes) <= set(self.places)

    def has_ended(self, now: datetime) -> bool:
        """Say whether its time is over."""
        return bool(self.until) and datetime.fromisoformat(self.until) < now

    @property
    def record(self) -> str:
        """What each piece carries."""
        document = asdict(replace(self, places={}, machines=()))
        del document["places"], document["machines"]
        return json.dumps(document, sort_keys=True)


@dataclass(frozen=True)
class SeatParts:
    """What a seat consists of: its volumes by their names on LXD, and its machines."""

    seat: str
    volumes: Mapping[str, Place]
    machines: tuple[str, ...]


def snapshots_of(lxd: Lxd, project: str, seats: Iterable[SeatParts] = ()) -> list[Snapshot]:
    """Return the snapshots in a project, oldest first: all seats' volumes, and systems of the named seats."""
    found: dict[tuple[str, str], Snapshot] = {}
    for place, volume in volumes_of(lxd, project):
        if place.name.startswith(SNAPSHOT) and RECORD in volume["config"]:
            one = _read(volume["config"], found)
            volumes = {**one.places, place.name.removeprefix(snapped(one.name, "")): place}
            found[one.seat, one.name] = replace(one, places=volumes)
    for machine in (name for parts in seats for name in parts.machines):
        for entry in _systems(lxd, project, machine):
            one = _read(entry["config"], found)
            found[one.seat, one.name] = replace(one, machines=(*one.machines, machine))
    return sorted(found.values(), key=lambda one: (one.seat, one.name))


def take(lxd: Lxd, project: str, parts: SeatParts, snapshot: Snapshot, *, system: bool) -> Snapshot:
    """Take what a seat has on LXD; machines go on running. Killed, what is missing of it tells that it is not whole."""
    machines = tuple(name for name in parts.machines if system and _is_there(lxd, project, name))
    places = {name: place for name, place in parts.volumes.items() if lxd.find(*place.path, project=project)}
    wanted = replace(snapshot, volumes=tuple(places), systems=machines)
    take_systems(lxd, project, wanted)
    copies = {name: place.named(snapped(snapshot.name, name)) for name, place in places.items()}
    for name, place in places.items():
        config = {**kept_keys(lxd.get(*place.path, project=project)["config"]), RECORD: wanted.record}
        copy_volume(lxd, place.pool, (project, place.name), (project, copies[name].name), config)
    return replace(wanted, places=copies, machines=machines)


def take_systems(lxd: Lxd, project: str, snapshot: Snapshot) -> None:
    """Let LXD take the snapshot's systems; it removes those that have an end by itself."""
    for name in snapshot.systems:
        # LXD's snapshot has the machine's config, and with it the record.
        mark(lxd, project, name, {RECORD: snapshot.record})
        body = {"name": f"{SNAPSHOT}{snapshot.name}", **({"expires_at": snapshot.until} if snapshot.until else {})}
        lxd.post("instances", name, "snapshots", body=body, project=project)
        mark(lxd, project, name, {RECORD: ""})


def forget(lxd: Lxd, project: str, snapshots: Iterable[Snapshot]) -> None:
    """Remove snapshots; what is gone already counts as removed."""
    for one in snapshots:
        for place in one.places.values():
            lxd.delete(*place.path, project=project)
        for machine in one.machines:
            lxd.delete("instances", machine, "snapshots", f"{SNAPSHOT}{one.name}", project=project)


def remove_ended(lxd: Lxd, project: str) -> None:
    """Remove the volumes of snapshots whose time is over."""
    forget(lxd, project, [one for one in snapshots_of(lxd, project) if one.has_ended(datetime.now(UTC))])


def bring_volumes(lxd: Lxd, parts: SeatParts, source: Snapshot, safety: Snapshot) -> None:
    """Put a snapshot's volumes in place of the seat's, which become the safety snapshot's.

    Machines that have one stop for it. Killed anywhere, every volume is there under one of its names.
    """
    for name, place in parts.volumes.items():
        if name not in source.places:
            continue
        origin = source.places[name]
        incoming = begin_incoming(lxd, place)
        found = lxd.get(*origin.path, project=origin.project)["config"]
        names = ((origin.project, origin.name), (place.project, incoming.name))
        copy_volume(lxd, place.pool, *names, kept_keys(found))
        if lxd.find(*place.path, project=place.project) is not None:
            set_keys(lxd, place, {RECORD: safety.record})
        take_place(lxd, place, snapped(safety.name, name))


def bring_systems(lxd: Lxd, project: str, source: Snapshot) -> None:
    """Put a snapshot's systems in place of the machines', which stop for it."""
    for machine in source.machines:
        power.stop(lxd, project, machine)
        lxd.put("instances", machine, body={"restore": f"{SNAPSHOT}{source.name}"}, project=project)
        mark(lxd, project, machine, {RECORD: ""})


def kept_keys(config: Mapping[str, str]) -> dict[str, str]:
    """Return what a copy of a volume takes over: settings, whose it is, and that it was seeded."""
    own = (MARKER, SEEDED)
    return {key: text for key, text in config.items() if key in own or not key.startswith(("user.", "volatile."))}


def _read(config: Mapping[str, str], found: Mapping[tuple[str, str], Snapshot]) -> Snapshot:
    document = json.loads(config[RECORD])
    lists: dict[str, Sequence[str]] = {key: tuple(document[key]) for key in ("volumes", "systems")}
    one = Snapshot(**{**document, **lists})
    return found.get((one.seat, one.name), one)


def _systems(lxd: Lxd, project: str, machine: str) -> Iterator[Document]:
    try:
        entries = lxd.get("instances", machine, "snapshots", project=project, recursion=1)
    except LxdNotFound:
        return
    for entry in entries:
        if entry["name"].rsplit("/", 1)[-1].startswith(SNAPSHOT) and RECORD in entry["config"]:
            yield entry


def _is_there(lxd: Lxd, project: str, machine: str) -> bool:
    return lxd.find("instances", machine, project=project) is not None
