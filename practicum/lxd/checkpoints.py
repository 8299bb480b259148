"""Take a checkpoint: immutable images and volume copies of the professor's machines, made from cleaned copies."""

from collections.abc import Mapping
from dataclasses import dataclass

from generator.seats.names import PROFESSOR, Scope, instance
from practicum.events import Emit, Event
from practicum.lxd.cleaning import clean
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance, Seat
from practicum.lxd.golden import WAIT_ONLY
from practicum.lxd.objects import copy_volume
from practicum.lxd.observe import SEEDED
from practicum.lxd.power import delete, start, stop
from practicum.lxd.projects import create_project
from practicum.parallel import in_parallel

NUMBER = "practicum.checkpoint"
MACHINE = "practicum.machine"
STAGE = "checkpoint"
# Publishing is bound by the disk.
MACHINES_AT_ONCE = 2
# A checkpoint's image must not carry marks of the machine that it was taken from.
FORGOTTEN = ("user.practicum.ready", "user.practicum.steps")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint consists of: fingerprints by machine, volume copies by volume, in `project`."""

    number: int
    project: str
    images: dict[str, str]
    volumes: dict[str, str]


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


def take(
    lxd: Lxd, scope: Scope, desired: Desired, number: int, rendered: dict[str, list[str]], emit: Emit
) -> Checkpoint:
    """Take checkpoint `number` of the professor's seat. `rendered` are paths of per-seat files to remove, by machine.

    The professor's machines go on running and are not changed. Killed and run again, it makes the same checkpoint
    from what is there then.
    """
    seat = next(seat for seat in desired.seats if seat.name == PROFESSOR)
    studio = _Studio(lxd, scope, desired.project_name, scope.checkpoints.project, number)
    _ensure_project(studio, desired)
    _remove_unrecorded(studio)
    _snapshot(studio, seat)
    volumes = _copy_volumes(studio, seat)
    emit(Event(STAGE, "started", f"{len(seat.instances)} machines: copy, clean and publish", total=len(seat.instances)))

    def image(machine: Instance) -> str:
        emit(Event(STAGE, "started", "copying, cleaning, publishing", machine.machine))
        fingerprint = _publish(studio, machine, tuple(rendered.get(machine.machine, [])), desired)
        emit(Event(STAGE, "done", fingerprint[:12], machine.machine))
        return fingerprint

    fingerprints = in_parallel(image, seat.instances, MACHINES_AT_ONCE)
    images = {machine.machine: one for machine, one in zip(seat.instances, fingerprints, strict=True)}
    return Checkpoint(number, studio.project, images, volumes)


def _ensure_project(studio: _Studio, desired: Desired) -> None:
    if studio.lxd.find("projects", studio.project) is None:
        config = {**desired.project["config"], "user.practicum": studio.marker}
        create_project(studio.lxd, {"name": studio.project, "description": "Practicum checkpoints", "config": config})


def _remove_unrecorded(studio: _Studio) -> None:
    """Remove images and copies that a killed run of the same number left; nothing refers to them."""
    for left in studio.lxd.get("instances", project=studio.project, recursion=1):
        if left["name"].startswith(f"c{studio.number}-"):
            delete(studio.lxd, studio.project, left["name"])
    for image in studio.lxd.get("images", recursion=1):
        properties = image["properties"]
        if properties.get("user.practicum") == studio.marker and properties.get(NUMBER) == str(studio.number):
            studio.lxd.delete("images", image["fingerprint"])


def _copy_volumes(studio: _Studio, seat: Seat) -> dict[str, str]:
    copies = {}
    for volume in seat.volumes:
        name = volume.name.removeprefix(f"{PROFESSOR}-")
        copies[name] = copy = f"c{studio.number}-{name}"
        path = ("storage-pools", volume.pool, "volumes", "custom")
        studio.lxd.delete(*path, copy, project=studio.project)
        config = {**volume.config, "user.practicum": studio.marker, SEEDED: "checkpoint"}
        copy_volume(studio.lxd, volume.pool, (studio.source, volume.name), (studio.project, copy), config)
    return copies


def _snapshot(studio: _Studio, seat: Seat) -> None:
    """Take all machines at one moment; what is copied and published later is what they were then."""
    for machine in seat.instances:
        path = ("instances", machine.name, "snapshots")
        studio.lxd.delete(*path, studio.snapshot, project=studio.source)
        studio.lxd.post(*path, body={"name": studio.snapshot}, project=studio.source)


def _publish(studio: _Studio, machine: Instance, rendered: tuple[str, ...], desired: Desired) -> str:
    copy = instance(f"c{studio.number}", machine.machine)
    delete(studio.lxd, studio.project, copy)
    _copy(studio, machine, copy, desired)
    start(studio.lxd, studio.project, copy)
    clean(studio.lxd, studio.project, copy, rendered)
    stop(studio.lxd, studio.project, copy, force=True)
    properties = {
        "user.practicum": studio.marker,
        NUMBER: str(studio.number),
        MACHINE: machine.machine,
        "description": f"{desired.project['description']}: checkpoint {studio.number} {machine.machine}",
    }
    source = {"type": "instance", "name": copy}
    body = {"source": source, "properties": properties, "compression_algorithm": "none", "public": False}
    fingerprint = str(studio.lxd.post("images", body=body, project=studio.project)["fingerprint"])
    studio.lxd.delete("instances", copy, project=studio.project)
    return fingerprint


def _copy(studio: _Studio, machine: Instance, copy: str, desired: Desired) -> None:
    """Copy a machine's snapshot, without network, with the checkpoint's copies of its volumes: both are cleaned."""
    profile = next(entry for entry in desired.profiles if entry["name"] == machine.machine)
    devices = {name: _device(studio, entry) for name, entry in machine.devices.items()}
    body = {
        "name": copy,
        "profiles": [],
        "config": {"user.practicum": studio.marker, "raw.lxc": WAIT_ONLY, **dict.fromkeys(FORGOTTEN, "")},
        "devices": {**devices, "root": dict(profile["devices"]["root"])},
        "source": {"type": "copy", "source": f"{machine.name}/{studio.snapshot}", "project": studio.source},
    }
    studio.lxd.post("instances", body=body, project=studio.project)
    studio.lxd.delete("instances", machine.name, "snapshots", studio.snapshot, project=studio.source)


def _device(studio: _Studio, device: Mapping[str, str]) -> dict[str, str]:
    if device["type"] != "disk":
        return {"type": "none"}
    return {**device, "source": f"c{studio.number}-{device['source'].removeprefix(f'{PROFESSOR}-')}"}
