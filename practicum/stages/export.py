"""Write student work out of LXD: one archive a student, with digests, and a record that destruction looks at."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generator.seats.names import SNAPSHOT, is_student, previous
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.files import make_folder, refusals_told, write_atomically
from practicum.lxd.archives import FORMAT, MANIFEST, PARTIAL, Archive, document_bytes, parse_manifest, writing
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import MARKER
from practicum.lxd.lock import lease
from practicum.lxd.projects import note
from practicum.lxd.volume_backups import digest_of, packed
from practicum.lxd.volumes import Place, machines_of, set_keys, volumes_of
from practicum.parallel import in_parallel
from practicum.stages.backup import ASIDE
from practicum.stages.backup_store import moment
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.workspace import Workspace

STAGE = "export"
# On a volume: when its work was written out, to which archive. On a project: the same of its last export.
EXPORTED = "user.practicum.exported"
# The disks are the limit.
SEATS_AT_ONCE = 2
SUFFIX = ".tar"


@dataclass(frozen=True)
class Work:
    """A volume with somebody's work: whose, and the volume's name in the spec."""

    seat: str
    name: str
    place: Place
    config: Mapping[str, str]


# Writes what somebody changed on the systems of a seat to its archive; returns what the manifest says of it.
PackSystems = Callable[[Archive, str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Exported:
    """How the export of a seat went. `running`: its machines ran meanwhile."""

    seat: str
    entry: Mapping[str, Any] | None = None
    running: bool = False
    error: PracticumError | None = None


@dataclass(frozen=True)
class Export:
    """An export: its folder, how each seat went, and the digest of the manifest of the whole."""

    folder: Path
    seats: tuple[Exported, ...]
    digest: str

    @property
    def failed(self) -> list[Exported]:
        """The seats that failed."""
        return [one for one in self.seats if one.error is not None]


@dataclass(frozen=True)
class _Task:
    workspace: Workspace
    lxd: Lxd
    deployment: Deployment
    folder: Path
    now: datetime
    pack_systems: PackSystems


def export(
    workspace: Workspace,
    lab: str,
    environment: str,
    folder: Path,
    now: datetime,
    seats: Sequence[str] = (),
    pack_systems: PackSystems | None = None,
) -> Export:
    """Write the volumes of students, or of the named seats, to archives. One seat that fails stops no other.

    With `pack_systems` what it writes is in them too, also of a seat without volumes.
    Raises InputError for a folder in the checkout or a seat without volumes, UnavailableError when nothing is on LXD.
    """
    folder = outside(workspace, folder)
    deployment = load_deployment(workspace, lab, environment)
    lxd = workspace.lxd(deployment.platform)
    if lxd.find("projects", deployment.scope.project) is None:
        raise UnavailableError(f"nothing of {lab} is on LXD in {environment}; nothing was done")
    with lease(lxd, deployment.scope.project):
        chosen = _chosen(work_of(lxd, deployment), seats, needs_volumes=pack_systems is None)
        with _told(folder):
            make_folder(folder)
            pack = pack_systems or (lambda _archive, _seat: [])
            return _export(_Task(workspace, lxd, deployment, folder, now, pack), chosen)


def outside(workspace: Workspace, folder: Path) -> Path:
    """Return a folder's whole path. Raises InputError for one in the checkout."""
    folder = folder.resolve()
    if folder.is_relative_to(workspace.repository.root.resolve()):
        raise InputError(
            f"{folder} is in the checkout, and students' work must not come into git",
            resolution="--to a folder elsewhere",
            exit_code=2,
        )
    return folder


def work_of(lxd: Lxd, deployment: Deployment) -> list[Work]:
    """Return the volumes of all seats on LXD, those of students who left among them; not what was put aside."""
    project, found = deployment.scope.project, []
    for place, volume in volumes_of(lxd, project) if lxd.find("projects", project) is not None else ():
        config = volume["config"]
        if ASIDE not in config and not place.name.startswith((previous(""), SNAPSHOT)):
            seat = config.get(MARKER, deployment.scope.marker()).rsplit("/", 1)[-1]
            found.append(Work(seat, place.name.removeprefix(f"{seat}-"), place, config))
    return found


def _told(folder: Path) -> AbstractContextManager[None]:
    words = "make room there, or choose another --to; then run the same command again"
    return refusals_told(f"the folder of the export, {folder}, cannot be written", words)


def archive_name(lab: str, seat: str) -> str:
    """Return the name of a student's archive: it carries the id only."""
    return f"{lab.replace('/', '-')}-{seat}{SUFFIX}"


def whole_name(lab: str) -> str:
    """Return the name of the manifest of a whole export."""
    return f"{lab.replace('/', '-')}.{MANIFEST}"


def _chosen(works: Sequence[Work], seats: Sequence[str], *, needs_volumes: bool) -> dict[str, list[Work]]:
    there = sorted({work.seat for work in works})
    unknown = sorted(set(seats) - set(there))
    if unknown and needs_volumes:
        raise InputError(
            f"no volumes of {', '.join(unknown)} are there", resolution=f"there are: {', '.join(there)}", exit_code=2
        )
    wanted = list(seats) or [seat for seat in there if is_student(seat)]
    return {seat: [work for work in works if work.seat == seat] for seat in wanted}


def _export(task: _Task, chosen: Mapping[str, list[Work]]) -> Export:
    for left in task.folder.glob(f"*{PARTIAL}"):
        left.unlink()
    task.workspace.emit(Event(STAGE, "started", f"{len(chosen)} seats", total=len(chosen)))
    done = tuple(in_parallel(lambda seat: _seat(task, seat, chosen[seat]), chosen, SEATS_AT_ONCE))
    digest = _complete(task, done)
    return Export(task.folder, done, digest)


def _seat(task: _Task, seat: str, works: Sequence[Work]) -> Exported:
    emit = task.workspace.emit
    try:
        with _told(task.folder):
            done = _write_seat(task, seat, works)
    except PracticumError as error:
        emit(Event(STAGE, "failed", f"{error.message} {error.details}".strip(), seat))
        return Exported(seat, error=error)
    emit(Event(STAGE, "done", str((done.entry or {})["file"]), seat))
    return done


def _write_seat(task: _Task, seat: str, works: Sequence[Work]) -> Exported:
    file = task.folder / archive_name(task.deployment.lab, seat)
    running = _runs(task.lxd, works)
    with writing(file) as archive:
        volumes = [add_volume(task.lxd, archive, work.name, work.place, work.config) for work in works]
        systems = task.pack_systems(archive, seat)
        about = {"seat": seat, "volumes": volumes, **({"systems": systems} if systems else {})}
        archive.finish({**header(task.deployment, task.now), **about})
    running = running or _runs(task.lxd, works)
    entry = {"seat": seat, "file": file.name, "size": file.stat().st_size, "sha256": digest_of(file)}
    record = {"at": task.now.isoformat(), "archive": file.name, "sha256": entry["sha256"], "running": running}
    for work in works:
        set_keys(task.lxd, work.place, {EXPORTED: json.dumps(record, sort_keys=True)})
    return Exported(seat, {**entry, "volumes": [one["name"] for one in volumes]}, running)


def add_volume(lxd: Lxd, archive: Archive, name: str, place: Place, config: Mapping[str, str]) -> dict[str, Any]:
    """Write a volume to an archive under its name in the spec; return what a manifest says of it."""
    member = f"{name}{SUFFIX}"
    with packed(lxd, place) as chunks:
        written = archive.add(member, chunks)
    return {
        "name": name,
        "member": member,
        "size": written.size,
        "sha256": written.sha256,
        "quota": config.get("size", ""),
    }


def header(deployment: Deployment, now: datetime) -> dict[str, Any]:
    """Return what every manifest begins with: what the archives are of, and when they were written."""
    release = deployment.release or {}
    return {
        "format": FORMAT,
        "practicum": version("practicum"),
        "installation": deployment.scope.installation,
        "environment": deployment.environment,
        "lab": deployment.lab,
        "release": release.get("release"),
        "checkpoint": release.get("checkpoint"),
        "commit": deployment.commit,
        "time": moment(now),
    }


def _complete(task: _Task, done: Sequence[Exported]) -> str:
    """Write the manifest of the whole, last, with what earlier exports of other seats left; note its digest on LXD."""
    file = task.folder / whole_name(task.deployment.lab)
    fresh = {one.seat: one.entry for one in done if one.entry is not None}
    archives = {entry["seat"]: entry for entry in _earlier(file)} | fresh
    failed = sorted(one.seat for one in done if one.error is not None)
    listed = [archives[seat] for seat in sorted(archives)]
    data = document_bytes({**header(task.deployment, task.now), "archives": listed, "failed": failed})
    write_atomically(file, data, 0o600)
    digest = hashlib.sha256(data).hexdigest()
    record = {"at": task.now.isoformat(), "folder": str(task.folder), "sha256": digest, "seats": len(listed)}
    note(task.lxd, task.deployment.scope.project, {EXPORTED: json.dumps(record, sort_keys=True)})
    return digest


def _earlier(file: Path) -> Iterator[Mapping[str, Any]]:
    if file.is_file():
        for entry in parse_manifest(file.read_bytes(), str(file))["archives"]:
            if (file.parent / entry["file"]).is_file():
                yield entry


def _runs(lxd: Lxd, works: Sequence[Work]) -> bool:
    return any(machine["status"] != "Stopped" for work in works for machine in machines_of(lxd, work.place))


def forget_outdated(lxd: Lxd, works: Sequence[Work]) -> None:
    """Take the record of an export away from volumes used since; without their machines nobody could tell any more."""
    for work in works:
        if EXPORTED in work.config and _why_unexported(lxd, work):
            set_keys(lxd, work.place, {EXPORTED: ""})


def unexported(lxd: Lxd, works: Sequence[Work]) -> dict[str, int]:
    """Return why volumes may hold what no archive has, each reason with the number of volumes."""
    return dict(Counter(reason for work in works if (reason := _why_unexported(lxd, work))))


def _why_unexported(lxd: Lxd, work: Work) -> str:
    record = json.loads(work.config.get(EXPORTED) or "null")
    if record is None:
        return "never exported"
    machines = machines_of(lxd, work.place)
    if record["running"] or any(machine["status"] != "Stopped" for machine in machines):
        return "exported while their machines ran, or running now"
    since = datetime.fromisoformat(record["at"])
    if any(datetime.fromisoformat(machine["last_used_at"]) > since for machine in machines):
        return "used again after the export"
    return ""
