"""Definitions as provisioning wants them: parsed, with every reference resolved to a value."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.render.definitions import canonical
from generator.render.references import resolve
from practicum.lxd.folders import WORK, place
from practicum.lxd.vocabulary import require_known

Document = dict[str, Any]
Value = Callable[[str, str, str], str]


@dataclass(frozen=True)
class Pins:
    """What definitions refer to by name: fingerprints of built images and of a checkpoint, and its volume copies.

    `recipes` maps machine types, `machines` machine names, `volumes` volume names to a volume of `volume_project`.
    """

    recipes: Mapping[str, str]
    machines: Mapping[str, str]
    volumes: Mapping[str, str]
    volume_project: str = ""

    def fingerprint(self, source: Mapping[str, str]) -> str:
        """Return the fingerprint of an instance's source; KeyError when it is not pinned."""
        return self.machines[source["checkpoint"]] if "checkpoint" in source else self.recipes[source["image"]]


@dataclass(frozen=True)
class Instance:
    """A machine that should exist. `digest` is what its ready mark must say."""

    name: str
    seat: str
    machine: str
    kind: str
    fingerprint: str
    from_checkpoint: bool
    profiles: tuple[str, ...]
    config: Mapping[str, str]
    devices: Mapping[str, Mapping[str, str]]
    steps: tuple[Document, ...]
    keep: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The digest of what the machine was made from: checkpoint and steps (a newer base image makes no new one)."""
        text = canonical({"image": self.fingerprint if self.from_checkpoint else "", "steps": self.steps})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Volume:
    """A custom volume that should exist. `origin` is the checkpoint's copy that a new one starts as, or empty."""

    name: str
    pool: str
    mount: str
    config: Mapping[str, str]
    origin: str
    origin_project: str
    copy_image: bool

    def disk(self, path: str) -> dict[str, str]:
        """Return the device that shows the volume to a machine at a path."""
        if self.pool.startswith("/"):
            source = place(self.pool, self.config["user.practicum"], self.name) / WORK
            return {"type": "disk", "source": str(source), "path": path}
        return {"type": "disk", "pool": self.pool, "source": self.name, "path": path}


@dataclass(frozen=True)
class Seat:
    """One seat: what it consists of, and whether it should run."""

    name: str
    running: bool
    acls: tuple[Document, ...]
    networks: tuple[Document, ...]
    volumes: tuple[Volume, ...]
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class Replacement:
    """Which instances get the release's system in place of theirs, each with the paths that come beside kept ones.

    `clear` names the occasion for which their seats' volumes and kept paths start anew, once; empty, they stay.
    `again`: also instances that run the release already. `overwrite`: also files that somebody changed since they were
    delivered; else these stay.
    """

    systems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clear: str = ""
    again: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Desired:
    """A lab in one environment as it should be. `whole`: all seats were chosen."""

    marker: str
    project: Document
    golden_project: str
    acls: tuple[Document, ...]
    profiles: tuple[Document, ...]
    probe: Instance
    seats: tuple[Seat, ...]
    # The instances of all seats, chosen for this run or not.
    known: frozenset[str] = frozenset()
    whole: bool = True
    replacement: Replacement = Replacement()

    @property
    def project_name(self) -> str:
        """The LXD project of the lab's seats."""
        return str(self.project["name"])

    @property
    def profile_names(self) -> frozenset[str]:
        """The names of the lab's profiles."""
        return frozenset(profile["name"] for profile in self.profiles)

    @property
    def volume_names(self) -> frozenset[str]:
        """The names of the volumes of the chosen seats."""
        return frozenset(volume.name for seat in self.seats for volume in seat.volumes)

    @property
    def instance_names(self) -> frozenset[str]:
        """The names of the machines of the chosen seats, and of the probe."""
        return frozenset(one.name for seat in self.seats for one in seat.instances) | {self.probe.name}

    @property
    def acl_names(self) -> frozenset[str]:
        """The names of the lab's access lists and of those of the chosen seats."""
        return frozenset(acl["name"] for acl in (*self.acls, *(acl for seat in self.seats for acl in seat.acls)))

    @property
    def network_names(self) -> frozenset[str]:
        """The names of the networks of the chosen seats."""
        return frozenset(network["name"] for seat in self.seats for network in seat.networks)


def volume_of(device: Mapping[str, str]) -> str:
    """Return the name of the volume that a device shows; empty for what is none. A folder's is ROOT/…/NAME/work."""
    source = device.get("source", "") if device["type"] == "disk" else ""
    return source.split("/")[-2] if source.startswith("/") else source


def build(
    shared: Document, seats: Sequence[Document], pins: Pins, value: Value, folders: Collection[str] = ()
) -> Desired:
    """Return the desired state. `value(kind, argument, seat)` gives the value of a reference.

    `folders` are those of the host that the platform file offers as storage.
    Raises KeyError when an image or checkpoint is not pinned.
    """
    require_known(shared, seats, folders)
    return Desired(
        marker=shared["marker"],
        project=shared["project"],
        golden_project=shared["golden_project"],
        acls=tuple(_acl(acl, value, "-") for acl in shared["acls"]),
        profiles=tuple(shared["profiles"]),
        probe=_instance(shared["instances"][0], "-", pins, value, {}),
        seats=tuple(_seat(document, pins, value, shared["keep"]) for document in seats),
    )


def _seat(document: Document, pins: Pins, value: Value, keep: Mapping[str, Sequence[str]]) -> Seat:
    seat = document["seat"]
    instances = tuple(_instance(entry, seat, pins, value, keep) for entry in document["instances"])
    from_checkpoint = any(instance.from_checkpoint for instance in instances)
    return Seat(
        name=seat,
        running=document["power"] == "running",
        acls=tuple(_acl(acl, value, seat) for acl in document["acls"]),
        networks=tuple(document["networks"]),
        volumes=tuple(_volume(entry, pins, from_checkpoint) for entry in document["volumes"]),
        instances=instances,
    )


def _instance(entry: Document, seat: str, pins: Pins, value: Value, keep: Mapping[str, Sequence[str]]) -> Instance:
    machine = entry["config"]["user.practicum.machine"]
    return Instance(
        name=entry["name"],
        seat=seat,
        machine=machine,
        kind=entry["type"],
        fingerprint=pins.fingerprint(entry["source"]),
        from_checkpoint="checkpoint" in entry["source"],
        profiles=tuple(entry["profiles"]),
        config=entry["config"],
        devices=entry["devices"],
        steps=tuple(_resolved(step, lambda kind, argument: value(kind, argument, seat)) for step in entry["steps"]),
        keep=tuple(keep.get(machine, ())),
    )


def _volume(entry: Document, pins: Pins, from_checkpoint: bool) -> Volume:
    origin = pins.volumes.get(entry["volume"], "") if from_checkpoint and entry["seed"] == "checkpoint" else ""
    return Volume(
        name=entry["name"],
        pool=entry["pool"],
        mount=entry["mount"],
        config=entry["config"],
        origin=origin,
        origin_project=pins.volume_project,
        copy_image=entry["seed"] == "checkpoint",
    )


def _acl(acl: Document, value: Value, seat: str) -> Document:
    """Resolve an ACL's addresses; a rule whose reference resolves to nothing is left out, never opened to all."""
    resolved: Document = _resolved(acl, lambda kind, argument: value(kind, argument, seat))
    return {**resolved, "egress": [rule for rule in resolved["egress"] if rule.get("destination") != ""]}


def _resolved(document: Any, value: Callable[[str, str], str]) -> Any:
    if isinstance(document, str):
        return resolve(document, value)
    if isinstance(document, list):
        return [_resolved(item, value) for item in document]
    if isinstance(document, dict):
        return {key: _resolved(item, value) for key, item in document.items()}
    return document
