"""Snapshots of a seat: a student's own within a quota, and those taken before something replaces files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd import snapshots
from practicum.lxd.client import Lxd
from practicum.lxd.lock import lease
from practicum.lxd.replacement import KEPT_FOR
from practicum.lxd.snapshots import Kind, SeatParts, Snapshot
from practicum.lxd.volumes import Place
from practicum.stages.backup_store import moment
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.guards import require_pool_space
from practicum.stages.placement import placed
from practicum.stages.provision import provision
from practicum.stages.workspace import Workspace

STAGE = "snapshot"
# How many of its own a seat may have where the platform file says nothing.
QUOTA = 5


@dataclass(frozen=True)
class _Seat:
    """A seat to work with while the lease is held."""

    workspace: Workspace
    deployment: Deployment
    lxd: Lxd
    parts: SeatParts

    @property
    def project(self) -> str:
        return self.deployment.scope.project

    def listed(self) -> list[Snapshot]:
        """Return the seat's snapshots; of its own only those that are whole."""
        return [one for one in self.found() if one.is_whole or one.kind != "personal"]

    def found(self) -> list[Snapshot]:
        found = snapshots.snapshots_of(self.lxd, self.project, [self.parts])
        return [one for one in found if one.seat == self.parts.seat]


def seat_parts(deployment: Deployment, seat: str) -> SeatParts:
    """Return what the definitions say that a seat consists of."""
    document, project = deployment.seats[seat], deployment.scope.project
    volumes = {entry["name"]: Place(project, entry["pool"], entry["name"]) for entry in document["volumes"]}
    return SeatParts(seat, volumes, tuple(entry["name"] for entry in document["instances"]))


def take_snapshot(
    workspace: Workspace, lab: str, environment: str, seat: str, message: str, now: datetime, *, system: bool = False
) -> Snapshot:
    """Take a seat's files, and with `system` its machines' systems, as they are now; machines go on running.

    Raises PracticumError when the seat has as many as it may.
    """
    with _held(workspace, lab, environment, seat) as held:
        require_pool_space(held.lxd, held.deployment)
        _require_room(held)
        taken = snapshots.take(held.lxd, held.project, held.parts, _new(held, "personal", now, message), system=system)
    if not (taken.places or taken.machines):
        raise UnavailableError(
            f"{seat} has no volumes on LXD, so there are no files to take",
            resolution="with --system the systems of its machines are taken",
        )
    workspace.emit(Event(STAGE, "done", taken.name, seat))
    return taken


def list_snapshots(workspace: Workspace, lab: str, environment: str, seat: str) -> list[Snapshot]:
    """Return a seat's snapshots, oldest first, with those that something replaced or handed in took."""
    return _seat(workspace, lab, environment, seat).listed()


def find_snapshot(found: Sequence[Snapshot], name: str, seat: str, lab: str) -> Snapshot:
    """Return the snapshot of a name. Raises InputError that names those that there are."""
    for one in found:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in found)
    raise InputError(
        f"{seat} has no snapshot '{name}'",
        resolution=f"there are: {known}" if known else f"practicum snapshot {lab} {seat} takes one",
        exit_code=2,
    )


def delete_snapshots(workspace: Workspace, lab: str, environment: str, seat: str, names: Sequence[str]) -> None:
    """Remove snapshots of a seat. Raises InputError for one that there is not; none is removed then."""
    with _held(workspace, lab, environment, seat) as held:
        there = held.listed()
        snapshots.forget(held.lxd, held.project, [find_snapshot(there, name, seat, lab) for name in names])


def restore_snapshot(
    workspace: Workspace, lab: str, environment: str, seat: str, name: str, now: datetime, *, system: bool = False
) -> Snapshot:
    """Put a snapshot's files, and with `system` its systems, back; return the safety snapshot of what was there.

    Machines of the seat stop for it and start again. Killed anywhere, the same command does it anew, and what was
    there before is in a safety snapshot.
    """
    with _held(workspace, lab, environment, seat) as held:
        require_pool_space(held.lxd, held.deployment)
        source = find_snapshot(held.listed(), name, seat, lab)
        if system and not (source.systems and set(source.systems) <= set(source.machines)):
            raise UnavailableError(
                f"snapshot {name} has no systems: it was taken without --system, or they were replaced meanwhile",
                resolution="without --system its files are put back",
            )
        safety = _safety(held, now, f"before {name} was put back", source, system=system)
        snapshots.take_systems(held.lxd, held.project, safety)
        workspace.emit(Event(STAGE, "started", f"putting {name} back", seat))
        snapshots.bring_volumes(held.lxd, held.parts, source, safety)
        if system:
            snapshots.bring_systems(held.lxd, held.project, source)
    for outcome in provision(workspace, lab, environment, [seat]).failed:
        raise outcome.error or PracticumError(f"seat {seat} failed")
    return safety


def take_safety(workspace: Workspace, deployment: Deployment, seats: Sequence[str], why: str) -> None:
    """Take the files of seats before something replaces them, with an end; the quota does not count it."""
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    if lxd.find("projects", deployment.scope.project) is None:
        return
    with lease(lxd, deployment.scope.project):
        lxd.wait_until_idle(deployment.scope.project)
        snapshots.remove_ended(lxd, deployment.scope.project)
        for seat in seats:
            held = _Seat(workspace, deployment, lxd, seat_parts(deployment, seat))
            new = _new(held, "safety", datetime.now(UTC), why)
            snapshots.take(lxd, held.project, held.parts, new, system=False)


def _seat(workspace: Workspace, lab: str, environment: str, seat: str) -> _Seat:
    deployment = load_deployment(workspace, lab, environment)
    require_seats(deployment, [seat])
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    if lxd.find("projects", deployment.scope.project) is None:
        raise UnavailableError(
            f"nothing of {lab} is on LXD in {environment}; nothing was done",
            resolution=f"practicum provision {lab} --env {environment}",
        )
    return _Seat(workspace, deployment, lxd, seat_parts(deployment, seat))


@contextmanager
def _held(workspace: Workspace, lab: str, environment: str, seat: str) -> Iterator[_Seat]:
    """Give a seat with its lab's lease, without what killed runs left and what has ended."""
    held = _seat(workspace, lab, environment, seat)
    with lease(held.lxd, held.project):
        held.lxd.wait_until_idle(held.project)
        snapshots.remove_ended(held.lxd, held.project)
        partial = [one for one in held.found() if one.kind == "personal" and not one.is_whole]
        snapshots.forget(held.lxd, held.project, partial)
        yield held


def _require_room(held: _Seat) -> None:
    """Raise PracticumError when the seat has as many of its own as it may."""
    own = [one for one in held.listed() if one.kind == "personal"]
    most = int(held.deployment.platform.settings.get("snapshots", QUOTA))
    if len(own) >= most:
        lab, seat = held.deployment.lab, held.parts.seat
        raise PracticumError(
            f"{seat} has {len(own)} snapshots, and may have {most}",
            details=f"the oldest is {own[0].name} {own[0].message}".rstrip() if own else "",
            resolution=f"practicum snapshot delete {lab} {seat} NAME; or 'snapshots: …' in the platform file",
        )


def _new(held: _Seat, kind: Kind, now: datetime, message: str) -> Snapshot:
    """Return a snapshot to take, named by its time: the next second that no other has."""
    taken = {one.name for one in held.found()}
    while moment(now) in taken:
        now += timedelta(seconds=1)
    until = "" if kind == "personal" else (now + KEPT_FOR).isoformat(timespec="seconds")
    return Snapshot(held.parts.seat, moment(now), kind, now.isoformat(timespec="seconds"), message, until)


def _safety(held: _Seat, now: datetime, why: str, source: Snapshot, *, system: bool) -> Snapshot:
    """Return the snapshot that the volumes of a seat become when those of another one take their place."""
    there = [name for name in source.volumes if _is_there(held, name)]
    new = _new(held, "safety", now, why)
    return replace(new, volumes=tuple(there), systems=source.systems if system else ())


def _is_there(held: _Seat, volume: str) -> bool:
    place = held.parts.volumes.get(volume)
    return place is not None and held.lxd.find(*place.path, project=place.project) is not None
