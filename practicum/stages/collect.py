"""Collect the work of a class: snapshots at one moment, points of the progress checks, one archive a student."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from generator.seats.names import is_student
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.files import refusals_told
from practicum.lxd import snapshots
from practicum.lxd.archives import writing
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.lock import lease
from practicum.lxd.replacement import KEPT_FOR
from practicum.lxd.snapshots import Snapshot
from practicum.lxd.volume_backups import digest_of
from practicum.lxd.volumes import Place
from practicum.parallel import in_parallel
from practicum.stages.backup_store import moment
from practicum.stages.changed_files import SystemFiles
from practicum.stages.class_list import class_list
from practicum.stages.collection import Collection, opened
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.export import SEATS_AT_ONCE, add_volume, archive_name, header, outside
from practicum.stages.guards import require_pool_space
from practicum.stages.placement import placed
from practicum.stages.progress import progress_of
from practicum.stages.provision import desired_state
from practicum.stages.snapshots import seat_parts
from practicum.stages.workspace import Workspace

STAGE = "collect"


@dataclass(frozen=True)
class Collected:
    """What a collection did: its folder, the seats in it, those that failed with why, and its manifest's digest.

    `kept` had been collected when due, and was not collected anew.
    """

    folder: Path
    seats: tuple[str, ...]
    failed: Mapping[str, PracticumError]
    digest: str
    resumed: bool
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Task:
    workspace: Workspace
    lxd: Lxd
    deployment: Deployment
    desired: Desired
    collection: Collection
    now: datetime

    @property
    def project(self) -> str:
        return self.deployment.scope.project


def default_folder(workspace: Workspace, lab: str) -> Path:
    """Return where a lab's work is collected when nobody says so: beside the checkout."""
    return workspace.repository.root.resolve().parent / f"{lab.replace('/', '-')}-collected"


def collect(
    workspace: Workspace,
    lab: str,
    folder: Path,
    now: datetime,
    seats: Sequence[str] = (),
    due: Mapping[str, str] | None = None,
    *,
    again: bool = False,
) -> Collected:
    """Collect the work of the named seats of the class, or of all students, in a folder outside the checkout.

    Machines go on running. Killed or failed for some, the same command with the same folder does the rest. `due` are
    the times that the work of just these seats is collected for; what was collected for one stays, unless `again`.
    Raises UnavailableError when nothing is on LXD.
    """
    folder = outside(workspace, folder)
    deployment = load_deployment(workspace, lab, "prod")
    require_seats(deployment, seats)
    people = class_list(workspace, lab)
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    if lxd.find("projects", deployment.scope.project) is None:
        raise UnavailableError(f"nothing of {lab} is on LXD in prod; nothing was done")
    require_pool_space(lxd, deployment)
    chosen = list(due or seats) or [name for name in sorted(deployment.seats) if is_student(name)]
    desired = desired_state(workspace, deployment, lxd, chosen, build_images=False)
    words = "make room there, or choose another --to; then run the same command again"
    with refusals_told(f"{folder} cannot be written", words), opened(folder, lab) as collection:
        resumed = collection.begin(moment(now), header(deployment, now), due or {})
        task = _Task(workspace, lxd, deployment, desired, collection, now)
        kept = [seat for seat in chosen if collection.due_of(seat) and not (again or due)]
        failed = _collect(task, [seat for seat in chosen if seat not in kept and not collection.archived(seat)])
        digest = collection.finish(people, list(failed))
    return Collected(folder, tuple(chosen), failed, digest, resumed, tuple(kept))


def _collect(task: _Task, seats: Sequence[str]) -> dict[str, PracticumError]:
    """Take snapshots of all first, which takes seconds; then run checks, and write archives."""
    task.workspace.emit(Event(STAGE, "started", f"{len(seats)} seats", total=len(seats)))
    taken = _snapshots(task, seats)
    _grade(task, [seat for seat in seats if not task.collection.graded(seat)])
    files = SystemFiles(task.lxd, task.desired, GoldenMachines(task.lxd, task.desired))
    ends = in_parallel(lambda seat: _seat(task, files, seat, taken[seat]), seats, SEATS_AT_ONCE)
    return {seat: error for seat, error in zip(seats, ends, strict=True) if error is not None}


def _snapshots(task: _Task, seats: Sequence[str]) -> dict[str, Snapshot]:
    """Return the snapshot of each seat that this collection goes by; what it has already is used again."""
    with lease(task.lxd, task.project):
        task.lxd.wait_until_idle(task.project)
        parts = {seat: seat_parts(task.deployment, seat) for seat in seats}
        found = snapshots.snapshots_of(task.lxd, task.project, parts.values())
        mine = [one for one in found if one.name == _name(task, one.seat)]
        whole = {one.seat: one for one in mine if one.is_whole and set(one.systems) <= set(one.machines)}
        snapshots.forget(task.lxd, task.project, [one for one in mine if one not in whole.values()])
        return {seat: whole.get(seat) or _snapshot(task, parts[seat]) for seat in seats}


def _name(task: _Task, seat: str) -> str:
    """Return what the snapshot of a seat in this collection is called; no other is named by a time and more."""
    return f"{task.collection.run_of(seat)}c"


def _snapshot(task: _Task, parts: snapshots.SeatParts) -> Snapshot:
    times = [time.isoformat(timespec="seconds") for time in (task.now, task.now + KEPT_FOR)]
    new = Snapshot(parts.seat, _name(task, parts.seat), "collected", times[0], "handed in", times[1])
    return snapshots.take(task.lxd, task.project, parts, new, system=True)


def _grade(task: _Task, seats: Sequence[str]) -> None:
    found = progress_of(task.workspace, task.deployment, seats)
    for seat, results in found.results.items():
        task.collection.grade(seat, task.now.isoformat(timespec="seconds"), found.points, results)
    task.collection.save()


def _seat(task: _Task, files: SystemFiles, seat: str, snapshot: Snapshot) -> PracticumError | None:
    emit = task.workspace.emit
    try:
        entry = _archive(task, files, seat, snapshot)
    except PracticumError as error:
        emit(Event(STAGE, "failed", f"{error.message} {error.details}".strip(), seat))
        return error
    task.collection.add(entry)
    for system in entry["systems"]:
        if system["unknown"]:
            emit(
                Event(
                    STAGE, "warning", f"changed files of {system['machine']} are not known: {system['unknown']}", seat
                )
            )
    emit(Event(STAGE, "done", entry["file"], seat))
    return None


def _archive(task: _Task, files: SystemFiles, seat: str, snapshot: Snapshot) -> dict[str, Any]:
    """Write the archive of a seat from its snapshot: volumes as an export does, and changed files of its systems."""
    file = task.collection.folder / archive_name(task.deployment.lab, seat)
    (wanted,) = [one for one in task.desired.seats if one.name == seat]
    with writing(file) as archive:
        volumes = [
            add_volume(task.lxd, archive, name.removeprefix(f"{seat}-"), place, _config(task.lxd, place))
            for name, place in sorted(snapshot.places.items())
        ]
        systems = [files.add(archive, one, snapshot.name) for one in wanted.instances if one.name in snapshot.machines]
        about = {"seat": seat, "volumes": volumes, "systems": systems, "snapshot": snapshot.name}
        archive.finish({**header(task.deployment, task.now), **about, "taken": snapshot.taken})
    return {
        "seat": seat,
        "file": file.name,
        "size": file.stat().st_size,
        "sha256": digest_of(file),
        "volumes": [one["name"] for one in volumes],
        "systems": [{key: one[key] for key in ("machine", "unknown")} for one in systems],
        "taken": snapshot.taken,
        "due": task.collection.due.get(seat, ""),
    }


def _config(lxd: Lxd, place: Place) -> Mapping[str, str]:
    config: Mapping[str, str] = lxd.get(*place.path, project=place.project)["config"]
    return config
