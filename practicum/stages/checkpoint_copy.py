"""Checkpoints on the LXD that needs them: taken on dev's, copied by fingerprint where an environment has another."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from practicum.errors import PracticumError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict
from practicum.lxd.observe import tail
from practicum.lxd.projects import ensure_project
from practicum.lxd.volume_backups import STREAM, image_chunks, packed
from practicum.lxd.volumes import Place
from practicum.stages.deployment import Deployment
from practicum.stages.guards import has_checkpoint, listing_of
from practicum.stages.workspace import Workspace, platforms_of

STAGE = "copy"


def source_of(workspace: Workspace, deployment: Deployment) -> Lxd:
    """Return the LXD where the checkpoints of a deployment are taken: dev's."""
    return workspace.lxd(platforms_of(workspace.repository.sources(deployment.commit))["dev"])


def bring_checkpoint(workspace: Workspace, deployment: Deployment, lxd: Lxd) -> None:
    """Copy the checkpoint that a release pins to the LXD of its environment, when that lacks it and dev's has it.

    Images come last: a checkpoint whose images are there is there whole. Killed and run again, it copies the rest.
    """
    release = deployment.release
    if release is None or has_checkpoint(lxd, release):
        return
    source = source_of(workspace, deployment)
    if source.endpoint == lxd.endpoint or not has_checkpoint(source, release):
        return
    told = f"checkpoint {release['checkpoint']} from {source.address} to {lxd.address}"
    workspace.emit(Event(STAGE, "started", told))
    _make_project(deployment, lxd)
    for volume, copy in release["volumes"].items():
        _copy_volume(source, lxd, deployment, volume, Place(release["volume_project"], "", copy))
    for fingerprint in (*listing_of(source, release), *release["images"].values()):
        # Another run that copied it at the same moment is welcome: a fingerprint says what is in it.
        with suppress(LxdConflict):
            lxd.upload("images", data=image_chunks(source, fingerprint), headers=STREAM, project="default")
    workspace.emit(Event(STAGE, "done", told))


def _make_project(deployment: Deployment, lxd: Lxd) -> None:
    scope = deployment.scope.checkpoints
    config = {**deployment.shared["project"]["config"], "user.practicum": scope.marker()}
    ensure_project(lxd, {"name": scope.project, "description": "Practicum checkpoints", "config": config})


def _copy_volume(source: Lxd, lxd: Lxd, deployment: Deployment, volume: str, place: Place) -> None:
    """Copy a checkpoint's volume into the pool that the environment has for it."""
    pool = _pool_of(deployment.seats, volume)
    if pool is None:
        return
    target = Place(place.project, pool, place.name)
    # LXD keeps nothing of a copy that breaks off: one that is there is whole.
    if lxd.find(*target.path, project=target.project) is not None:
        return
    with packed(source, _find(source, place)) as chunks, suppress(LxdConflict):
        headers = {**STREAM, "X-LXD-name": target.name}
        lxd.upload(*target.parent, data=chunks, headers=headers, project=target.project)


def _pool_of(seats: Mapping[str, Mapping[str, Any]], volume: str) -> str | None:
    pools = (entry["pool"] for seat in seats.values() for entry in seat["volumes"] if entry["volume"] == volume)
    return next(pools, None)


def _find(source: Lxd, place: Place) -> Place:
    for pool in map(tail, source.get("storage-pools")):
        found = Place(place.project, pool, place.name)
        if source.find(*found.path, project=place.project) is not None:
            return found
    raise PracticumError(
        f"volume {place.name} of a checkpoint is gone from LXD at {source.address}",
        resolution="practicum checkpoint takes a new one of your copy",
    )
