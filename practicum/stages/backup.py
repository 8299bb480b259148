"""Copy a lab's volumes and its checkpoint to another disk: to a folder, or to a pool of LXD."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from generator.generate import find_labs
from generator.seats.names import SNAPSHOT
from generator.spec.platform import Platform
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.volumes import Place, volumes_of
from practicum.parallel import in_parallel
from practicum.stages.backup_folder import FolderStore
from practicum.stages.backup_pool import PoolStore
from practicum.stages.backup_store import DEFAULT_KEEP, FORMAT, Entry, Manifest, Store, Writing, moment
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.guards import listing_of
from practicum.stages.workspace import Workspace, platform_of, require_lab

STAGE = "backup"
# The disks are the limit.
VOLUMES_AT_ONCE = 2
# What a restoration made to be looked at, or put aside: no work of its own.
ASIDE = "user.practicum.aside"


@dataclass(frozen=True)
class Backup:
    """How the backup of a lab went; `error` is None when it is complete."""

    lab: str
    manifest: Manifest | None = None
    error: PracticumError | None = None


@dataclass(frozen=True)
class _Task:
    """A lab whose backup is written."""

    workspace: Workspace
    lxd: Lxd
    deployment: Deployment
    writing: Writing


def store_of(lxd: Lxd, platform: Platform) -> Store:
    """Return the store that a platform file names. Raises UnavailableError when there is none, or it is not there."""
    settings = platform.settings.get("backup")
    if settings is None:
        raise UnavailableError(
            f"environments/{platform.environment}/platform.yaml does not say where backups go",
            resolution="backup: {target: /mnt/backup/practicum}, a folder on another disk; or {pool: NAME}",
        )
    keep = settings.get("keep", DEFAULT_KEEP)
    if "pool" in settings:
        return PoolStore.at(lxd, settings["pool"], platform.installation, keep)
    return FolderStore.at(lxd, Path(settings["target"]), platform.installation, keep)


def backup(workspace: Workspace, environment: str, labs: Sequence[str], now: datetime) -> list[Backup]:
    """Back up the named labs, or all that have volumes or a checkpoint on LXD. One that fails stops no other.

    `now` names the backups. Raises UnavailableError when the place for backups is not there.
    """
    sources = workspace.repository.sources("HEAD")
    for lab in labs:
        require_lab(sources, lab)
    platform = platform_of(sources, environment)
    store = store_of(workspace.lxd(platform), platform)
    found = [_backup(workspace, store, environment, lab, now, named=bool(labs)) for lab in labs or find_labs(sources)]
    return [one for one in found if one is not None]


def _backup(
    workspace: Workspace, store: Store, environment: str, lab: str, now: datetime, *, named: bool
) -> Backup | None:
    try:
        deployment = load_deployment(workspace, lab, environment)
        lxd = workspace.lxd(deployment.platform)
        if lxd.find("projects", deployment.scope.project) is None:
            raise UnavailableError(f"nothing of {lab} is on LXD in {environment}")
    except UnavailableError as error:
        return Backup(lab, error=error) if named else None
    except PracticumError as error:
        return Backup(lab, error=error)
    try:
        with store.writing(deployment, moment(now)) as writing:
            return Backup(lab, _write(_Task(workspace, lxd, deployment, writing), moment(now)))
    except PracticumError as error:
        workspace.emit(Event(STAGE, "failed", f"{lab}: {error.message} {error.details}".strip()))
        return Backup(lab, error=error)


def _write(task: _Task, taken: str) -> Manifest:
    deployment, lab = task.deployment, task.deployment.lab
    places = sorted(_volumes(task.lxd, deployment), key=lambda place: place.name)
    task.workspace.emit(Event(STAGE, "started", f"{lab}: {len(places)} volumes", total=len(places)))
    volumes = in_parallel(lambda place: _copy_volume(task, place), places, VOLUMES_AT_ONCE)
    manifest = {
        "format": FORMAT,
        "practicum": version("practicum"),
        "installation": deployment.scope.installation,
        "environment": deployment.environment,
        "lab": lab,
        "taken": taken,
        "project": deployment.scope.project,
        "commit": deployment.commit,
        "volumes": [entry for entry in volumes if entry is not None],
        "checkpoint": list(_checkpoint(task)),
    }
    task.writing.complete(manifest)
    return manifest


def _volumes(lxd: Lxd, deployment: Deployment) -> Iterator[Place]:
    """Yield the volumes of a lab's project, those of students who left among them; snapshots are no volumes in use."""
    for place, volume in volumes_of(lxd, deployment.scope.project):
        if ASIDE not in volume["config"] and not place.name.startswith(SNAPSHOT):
            yield place


def _copy_volume(task: _Task, place: Place) -> Entry | None:
    try:
        entry, same = task.writing.volume(place)
    except LxdNotFound:
        task.workspace.emit(Event(STAGE, "warning", f"volume {place.name} has gone meanwhile"))
        return None
    task.workspace.emit(Event(STAGE, "done", f"{place.name}{' is as it was' if same else ''}"))
    return entry


def _checkpoint(task: _Task) -> Iterator[Entry]:
    """Copy what the release's checkpoint consists of."""
    release = task.deployment.release or {}
    for fingerprint in sorted([*release.get("images", {}).values(), *listing_of(task.lxd, release)]):
        yield {"kind": "image", "name": fingerprint, **task.writing.image(fingerprint)}
    for volume in task.deployment.seats["prof"]["volumes"]:
        name = release.get("volumes", {}).get(volume["volume"])
        if name is not None:
            place = Place(release["volume_project"], volume["pool"], name)
            known = {"kind": "volume", "name": name, "project": place.project, "pool": place.pool}
            yield {**known, **task.writing.checkpoint_volume(place)}
