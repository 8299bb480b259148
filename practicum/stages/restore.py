"""Bring volumes back from a backup: beside those in use for looking, or in their place; and a lost checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.lock import lease
from practicum.lxd.observe import tail
from practicum.lxd.projects import create_project
from practicum.lxd.volumes import Place, begin_incoming, set_keys, take_place
from practicum.stages.backup import ASIDE, store_of
from practicum.stages.backup_store import Entry, Manifest, Store, moment
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.export import EXPORTED
from practicum.stages.guards import refuse_unbuilt, require_pool_space
from practicum.stages.placement import placed
from practicum.stages.provision import provision
from practicum.stages.workspace import Workspace, platform_of

STAGE = "restore"
ASIDE_MARK = {ASIDE: "true"}


@dataclass(frozen=True)
class Restored:
    """One volume that came back: `name` it has now, and where the one that it replaced is."""

    volume: str
    name: str
    aside: str = ""


def backups(workspace: Workspace, environment: str, lab: str = "*/*") -> list[Manifest]:
    """Return the complete backups of an environment, or of a lab, the oldest first."""
    platform = platform_of(workspace.repository.sources("HEAD"), environment)
    return store_of(workspace.lxd(platform), platform).manifests(environment, lab)


def choose(workspace: Workspace, environment: str, lab: str, taken: str = "", volumes: Sequence[str] = ()) -> Manifest:
    """Return a lab's backup of a moment, or the last one, with only the named volumes."""
    found = {str(one["taken"]): one for one in backups(workspace, environment, lab)}
    if not found or (taken and taken not in found):
        known = f"there are: {', '.join(found)}" if found else f"practicum backup {lab} makes one"
        wanted = f" of {taken}" if taken else ""
        raise InputError(f"there is no backup{wanted} of {lab} in {environment}", resolution=known, exit_code=2)
    manifest = found[taken] if taken else list(found.values())[-1]
    names = [entry["name"] for entry in manifest["volumes"]]
    unknown = sorted(set(volumes) - set(names))
    if unknown:
        raise InputError(
            f"the backup has no volume {', '.join(unknown)}", resolution=f"it has: {', '.join(names)}", exit_code=2
        )
    return {**manifest, "volumes": [one for one in manifest["volumes"] if not volumes or one["name"] in volumes]}


def restore_beside(workspace: Workspace, manifest: Manifest) -> list[Restored]:
    """Make volumes of a backup under new names, in the lab's project; nothing in use is touched."""
    deployment, lxd, store = _prepared(workspace, manifest)
    found = []
    with lease(lxd, deployment.scope.project):
        lxd.wait_until_idle(deployment.scope.project)
        for entry in manifest["volumes"]:
            name = f"{entry['name']}-{manifest['taken']}"
            place = Place(deployment.scope.project, entry["pool"], name)
            if lxd.find(*place.path, project=place.project) is None:
                _bring(lxd, store, entry, place)
                set_keys(lxd, place, ASIDE_MARK)
            workspace.emit(Event(STAGE, "done", name))
            found.append(Restored(entry["name"], name))
    return found


def restore_in_place(workspace: Workspace, manifest: Manifest, now: datetime) -> list[Restored]:
    """Put volumes of a backup where they were; what was there stays beside, under a name with `before`.

    Machines that use a volume are stopped for a moment. Killed anywhere, the old volume is there under one of its
    names, and the same command does the rest.
    """
    deployment, lxd, store = _prepared(workspace, manifest)
    found, seats = [], set()
    with lease(lxd, deployment.scope.project):
        lxd.wait_until_idle(deployment.scope.project)
        for entry in manifest["volumes"]:
            found.append(_replace(lxd, store, deployment, entry, now))
            workspace.emit(Event(STAGE, "done", entry["name"]))
            seats |= {name for name, seat in deployment.seats.items() if _has(seat, entry["name"])}
    if seats:
        done = provision(workspace, deployment.lab, deployment.environment, sorted(seats))
        for outcome in done.failed:
            raise outcome.error or PracticumError(f"seat {outcome.seat} failed")
    return found


def restore_checkpoint(workspace: Workspace, manifest: Manifest) -> int:
    """Give LXD back what it lacks of a backup's checkpoint; return how many images and volumes."""
    deployment, lxd, store = _prepared(workspace, manifest, space=False)
    present = {tail(address) for address in lxd.get("images")}
    count = 0
    for entry in manifest["checkpoint"]:
        if entry["kind"] == "image" and entry["name"] not in present:
            store.bring_image(lxd, entry)
            count += 1
        elif entry["kind"] == "volume":
            _ensure_project(lxd, deployment, entry["project"])
            place = Place(entry["project"], entry["pool"], entry["name"])
            if lxd.find(*place.path, project=place.project) is None:
                store.verify(entry)
                _bring(lxd, store, entry, place)
                count += 1
    return count


def _prepared(workspace: Workspace, manifest: Manifest, *, space: bool = True) -> tuple[Deployment, Lxd, Store]:
    """Return what restoring needs, with all of the backup checked: nothing begins before that."""
    deployment = load_deployment(workspace, manifest["lab"], manifest["environment"])
    refuse_unbuilt(deployment)
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    store = store_of(lxd, deployment.platform)
    if space and lxd.find("projects", deployment.scope.project) is None:
        raise UnavailableError(
            f"nothing of {deployment.lab} is on LXD in {deployment.environment}; nothing was done",
            resolution=f"practicum start {deployment.lab} --env {deployment.environment} makes it; then restore",
        )
    if space:
        require_pool_space(lxd, deployment)
    for entry in manifest["volumes"] if space else ():
        store.verify(entry)
    return deployment, lxd, store


def _bring(lxd: Lxd, store: Store, entry: Entry, place: Place) -> None:
    """Make a volume of a backup's, where there is none."""
    store.bring(lxd, entry, begin_incoming(lxd, place))
    take_place(lxd, place, "")


def _replace(lxd: Lxd, store: Store, deployment: Deployment, entry: Entry, now: datetime) -> Restored:
    place = Place(deployment.scope.project, entry["pool"], entry["name"])
    incoming = begin_incoming(lxd, place)
    store.bring(lxd, entry, incoming)
    # The backup has the volume's keys: an export of that time is none of what was done since.
    set_keys(lxd, incoming, {EXPORTED: ""})
    was_there = lxd.find(*place.path, project=place.project) is not None
    aside = f"{place.name}-before-{moment(now)}" if was_there else ""
    take_place(lxd, place, aside)
    if was_there:
        set_keys(lxd, place.named(aside), ASIDE_MARK)
    return Restored(place.name, place.name, aside)


def _ensure_project(lxd: Lxd, deployment: Deployment, project: str) -> None:
    if lxd.find("projects", project) is None:
        config = {**deployment.shared["project"]["config"], "user.practicum": deployment.scope.checkpoints.marker()}
        create_project(lxd, {"name": project, "description": "Practicum checkpoints", "config": config})


def _has(seat: Mapping[str, Any], volume: str) -> bool:
    return any(one["name"] == volume for one in seat["volumes"])
