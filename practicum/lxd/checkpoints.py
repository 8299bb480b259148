"""Take a checkpoint: immutable images and volume copies of the professor's machines, made from copies.

The copies are cleaned and searched for secrets before anything is published.
"""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.seats.names import PROFESSOR, Scope, instance
from practicum.errors import PracticumError
from practicum.events import Emit, Event
from practicum.lxd.cleaning import clean
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance, Seat, Volume, volume_of
from practicum.lxd.errors import LxdError
from practicum.lxd.file_lists import FileList, keep, list_files, list_packages
from practicum.lxd.folders import beside
from practicum.lxd.golden import waiting
from practicum.lxd.inventory import pools_of
from practicum.lxd.objects import copy_volume
from practicum.lxd.observe import SEEDED, tail
from practicum.lxd.power import delete, start, stop
from practicum.lxd.projects import ensure_project
from practicum.lxd.secret_search import MEMORY, SECONDS, Finding, Secret, search
from practicum.parallel import in_parallel

NUMBER = "practicum.checkpoint"
MACHINE = "practicum.machine"
STAGE = "checkpoint"
COPY_NAME = re.compile(r"c(\d+)-")
# Publishing is bound by the disk.
MACHINES_AT_ONCE = 2
# A checkpoint's image must not carry marks of the machine that it was taken from.
FORGOTTEN = ("user.practicum.ready", "user.practicum.steps")
# A copy waits for as long as it may be searched, and for what comes before and after.
COPY_SECONDS = SECONDS + 600


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint consists of: fingerprints by machine, volume copies by volume, in `project`.

    `size` is bytes, as far as LXD can tell. `lists` are what its machines have, kept as the image `listing`; a machine
    that could not be listed is not in it.
    """

    number: int
    project: str
    images: dict[str, str]
    volumes: dict[str, str]
    size: int
    listing: str
    lists: dict[str, FileList]


@dataclass(frozen=True)
class Private:
    """What of the professor's seat must not reach students: places of per-seat files by machine, and secrets."""

    rendered: Mapping[str, Sequence[str]]
    secrets: Sequence[Secret] = ()


class SecretsFound(PracticumError):
    """The copies hold secrets; nothing was published."""

    def __init__(self, lab: str, findings: Sequence[Finding]) -> None:
        super().__init__(
            f"the checkpoint of {lab} was refused: every student would get these secrets",
            details="\n".join(f"{one.machine}: {one.path} holds {one.secret}" for one in findings),
            resolution="take them out of your machines; what each seat has its own value of is best written by a .j2 "
            "file under 'files:', which a checkpoint leaves out",
        )


@dataclass(frozen=True)
class _Studio:
    lxd: Lxd
    scope: Scope
    source: str
    project: str
    number: int

    @property
    def marker(self) -> str:
        return self.scope.checkpoints.marker()

    @property
    def snapshot(self) -> str:
        return f"checkpoint-{self.number}"


def take(lxd: Lxd, scope: Scope, desired: Desired, number: int, private: Private, emit: Emit) -> Checkpoint:
    """Take checkpoint `number` of the professor's seat, without what is private.

    The professor's machines go on running and are not changed. Killed and run again, it makes the same checkpoint
    from what is there then. Raises SecretsFound, before anything is published, when a copy holds a secret.
    """
    seat = next(seat for seat in desired.seats if seat.name == PROFESSOR)
    studio = _Studio(lxd, scope, desired.project_name, scope.checkpoints.project, number)
    _ensure_project(studio, desired)
    _snapshot(studio, seat)
    volumes = _copy_volumes(studio, seat)
    emit(Event(STAGE, "started", f"{len(seat.instances)} machines: copy, clean and publish", total=len(seat.instances)))

    def prepare(machine: Instance) -> _Prepared:
        emit(Event(STAGE, "started", "copying, cleaning, searching for secrets", machine.machine))
        return _prepare(studio, machine, private, desired, emit)

    def publish(machine: Instance) -> Mapping[str, Any]:
        emit(Event(STAGE, "started", "publishing", machine.machine))
        image = _publish(studio, machine, desired)
        emit(Event(STAGE, "done", image["fingerprint"][:12], machine.machine))
        return image

    prepared = in_parallel(prepare, seat.instances, MACHINES_AT_ONCE)
    if findings := [finding for one in prepared for finding in one.findings]:
        raise SecretsFound(f"{scope.course}/{scope.lab}", findings)
    published = in_parallel(publish, seat.instances, MACHINES_AT_ONCE)
    images = {one.machine: str(image["fingerprint"]) for one, image in zip(seat.instances, published, strict=True)}
    size = sum(int(image["size"]) for image in published) + sum(_used(studio, one) for one in seat.volumes)
    listed = zip(seat.instances, prepared, strict=True)
    lists = {one.machine: found.files for one, found in listed if found.files is not None}
    listing = keep(lxd, lists, _properties(studio, desired, "files")) if lists else ""
    return Checkpoint(number, studio.project, images, volumes, size, listing, lists)


def _ensure_project(studio: _Studio, desired: Desired) -> None:
    config = {**desired.project["config"], "user.practicum": studio.marker}
    ensure_project(studio.lxd, {"name": studio.project, "description": "Practicum checkpoints", "config": config})


def remove_unpinned(lxd: Lxd, scope: Scope, pinned: Container[int]) -> None:
    """Remove what belongs to checkpoints that nothing in git pins: left by runs that were killed, or never proved.

    `pinned` are the numbers of the others. The caller holds the lease of the lab in dev, where checkpoints are taken.
    """
    project, marker = scope.checkpoints.project, scope.checkpoints.marker()
    if lxd.find("projects", project) is None:
        return
    lxd.wait_until_idle(project)
    for left in lxd.get("instances", project=project, recursion=1):
        delete(lxd, project, left["name"])
    for image in lxd.get("images", recursion=1):
        properties = image["properties"]
        if properties.get("user.practicum") == marker and int(properties.get(NUMBER, 0)) not in pinned:
            lxd.delete("images", image["fingerprint"])
    for pool in pools_of(lxd, project):
        path = ("storage-pools", pool, "volumes", "custom")
        for volume in map(tail, lxd.get(*path, project=project)):
            number = COPY_NAME.match(volume)
            if number and int(number.group(1)) not in pinned:
                lxd.delete(*path, volume, project=project)


def _copy_volumes(studio: _Studio, seat: Seat) -> dict[str, str]:
    copies = {}
    for volume in seat.volumes:
        name = volume.name.removeprefix(f"{PROFESSOR}-")
        copies[name] = copy = _copy_of(studio, volume.name)
        path = ("storage-pools", volume.pool, "volumes", "custom")
        studio.lxd.delete(*path, copy, project=studio.project)
        config = {**volume.config, "user.practicum": studio.marker, SEEDED: "checkpoint"}
        copy_volume(studio.lxd, volume.pool, (studio.source, volume.name), (studio.project, copy), config)
    return copies


def _copy_of(studio: _Studio, volume: str) -> str:
    return f"c{studio.number}-{volume.removeprefix(f'{PROFESSOR}-')}"


def _used(studio: _Studio, volume: Volume) -> int:
    """Return the bytes that a volume's copy has; 0 where the pool cannot say."""
    path = ("storage-pools", volume.pool, "volumes", "custom", _copy_of(studio, volume.name), "state")
    try:
        return int(studio.lxd.get(*path, project=studio.project)["usage"]["used"])
    except (LxdError, KeyError, TypeError):
        return 0


def _snapshot(studio: _Studio, seat: Seat) -> None:
    """Take all machines at one moment; what is copied and published later is what they were then."""
    for machine in seat.instances:
        path = ("instances", machine.name, "snapshots")
        studio.lxd.delete(*path, studio.snapshot, project=studio.source)
        studio.lxd.post(*path, body={"name": studio.snapshot}, project=studio.source)


@dataclass(frozen=True)
class _Prepared:
    findings: Sequence[Finding]
    files: FileList | None


def _prepare(studio: _Studio, machine: Instance, private: Private, desired: Desired, emit: Emit) -> _Prepared:
    """Make the copy that is published, clean it, search it, and list what it has."""
    lxd, project, copy = studio.lxd, studio.project, instance(f"c{studio.number}", machine.machine)
    delete(lxd, project, copy)
    _copy(studio, machine, copy, desired)
    start(lxd, project, copy)
    clean(lxd, project, copy, tuple(private.rendered.get(machine.machine, ())))
    findings = search(lxd, project, copy, machine.machine, private.secrets)
    files = _listed(lxd, project, copy, machine.machine, emit)
    # By force, a virtual machine would lose what its kernel has not written yet.
    stop(lxd, project, copy, force=machine.kind == "container")
    return _Prepared(findings, files)


def _listed(lxd: Lxd, project: str, copy: str, machine: str, emit: Emit) -> FileList | None:
    """Return what a copy has; a checkpoint is as good without knowing."""
    try:
        return FileList(list_files(lxd, project, copy), list_packages(lxd, project, copy))
    except LxdError as error:
        words = f"what changed is not known: {error.message}; {error.details}"
        emit(Event(STAGE, "warning", words, machine=machine))
        return None


def _properties(studio: _Studio, desired: Desired, what: str) -> dict[str, str]:
    """Return what an image of the checkpoint says of itself."""
    words = f"{desired.project['description']}: checkpoint {studio.number} {what}"
    return {"user.practicum": studio.marker, NUMBER: str(studio.number), "description": words}


def _publish(studio: _Studio, machine: Instance, desired: Desired) -> Mapping[str, Any]:
    """Return the fingerprint and size of the image that a prepared copy became."""
    copy = instance(f"c{studio.number}", machine.machine)
    properties = {**_properties(studio, desired, machine.machine), MACHINE: machine.machine}
    source = {"type": "instance", "name": copy}
    body = {"source": source, "properties": properties, "compression_algorithm": "none", "public": False}
    image: Mapping[str, Any] = studio.lxd.post("images", body=body, project=studio.project)
    studio.lxd.delete("instances", copy, project=studio.project)
    return image


def _copy(studio: _Studio, machine: Instance, copy: str, desired: Desired) -> None:
    """Copy a machine's snapshot, without network, with the checkpoint's copies of its volumes: both are cleaned."""
    profile = next(entry for entry in desired.profiles if entry["name"] == machine.machine)
    snapshot = studio.lxd.get("instances", machine.name, "snapshots", studio.snapshot, project=studio.source)
    # What somebody attached by hand comes along with a copy, unless it is hidden.
    by_hand = {name: {"type": "none"} for name in snapshot["devices"]}
    devices = {**by_hand, **{name: _device(studio, entry) for name, entry in machine.devices.items()}}
    container = {**waiting(machine.kind, COPY_SECONDS), **MEMORY}
    own = container if machine.kind == "container" else {"security.secureboot": "false"}
    body = {
        "name": copy,
        "profiles": [],
        "config": {"user.practicum": studio.marker, **own, **dict.fromkeys(FORGOTTEN, "")},
        "devices": {**devices, "root": dict(profile["devices"]["root"])},
        "source": {"type": "copy", "source": f"{machine.name}/{studio.snapshot}", "project": studio.source},
    }
    studio.lxd.post("instances", body=body, project=studio.project)
    studio.lxd.delete("instances", machine.name, "snapshots", studio.snapshot, project=studio.source)


def _device(studio: _Studio, device: Mapping[str, str]) -> dict[str, str]:
    if device["type"] != "disk":
        return {"type": "none"}
    copy = _copy_of(studio, volume_of(device))
    if device["source"].startswith("/"):
        return {**device, "source": beside(device["source"], studio.marker, copy)}
    return {**device, "source": copy}
