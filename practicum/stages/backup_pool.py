"""Backups in another pool of LXD: a copy a volume that is brought up to date, and of it a volume a moment.

In the LXD project of a lab's backups, `VOLUME` is the copy and `VOLUME-MOMENT` its content at a moment, which shares
what has not changed. `manifest-MOMENT` is made last, an empty volume with the manifest in its config: a backup is
complete when it is there. What never changes stands once in the project of the checkpoints' backups.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from practicum.errors import InputError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.folders import is_folder
from practicum.lxd.image_volumes import keep_image, return_image
from practicum.lxd.inventory import BACKUP, MARKER
from practicum.lxd.lock import lease
from practicum.lxd.observe import Document, custom_volumes
from practicum.lxd.projects import ensure_project
from practicum.lxd.volume_copies import copy_across, refresh_copy
from practicum.lxd.volumes import Place
from practicum.stages.backup_store import Entry, Manifest, in_order, known_manifest
from practicum.stages.deployment import Deployment

# Keys of volumes of a backup: the manifest itself, and the moment that a volume belongs to.
MANIFEST = "user.practicum.manifest"
TAKEN = "user.practicum.taken"
# Of a fingerprint's 64 characters, so many stand in the name of a volume.
DIGITS = 32


@dataclass(frozen=True)
class PoolStore:
    """A pool of LXD for an installation's backups, of which the newest `keep` of each lab stay."""

    lxd: Lxd
    pool: str
    installation: str
    keep: int

    @classmethod
    def at(cls, lxd: Lxd, pool: str, installation: str, keep: int) -> "PoolStore":
        """Return the store in a pool. Raises UnavailableError when that is not there, or of a cluster."""
        if lxd.find("storage-pools", pool) is None:
            raise UnavailableError(
                f"LXD has no pool '{pool}' for backups; nothing was done",
                resolution=f"lxc storage create {pool} btrfs source=/dev/…, on another disk",
            )
        if lxd.is_clustered:
            raise UnavailableError(
                "backups to a pool of a cluster are not built; nothing was done",
                resolution="backup: {target: /mnt/backup/practicum}, a folder on another disk",
            )
        return cls(lxd, pool, installation, keep)

    def manifests(self, environment: str, lab: str = "*/*") -> list[Manifest]:
        """Return the complete backups of a lab, or of all, the oldest first. Raises InputError for a broken one."""
        found = []
        for project in self.lxd.get("projects", recursion=1):
            marker = [*project["config"].get(MARKER, "").split("/"), "", "", "", ""]
            mine = marker[0] == self.installation and marker[4] == BACKUP and environment in (marker[1], "*")
            if mine and lab in ("*/*", "/".join(marker[2:4])):
                found += [_read(volume) for volume in self._volumes(project["name"]) if MANIFEST in volume["config"]]
        return in_order(found)

    def places(self, deployment: Deployment) -> list[str]:
        """Name the LXD projects with backups of a lab."""
        names = (deployment.scope.backup_project, deployment.scope.checkpoints.backup_project)
        there = [name for name in names if self.lxd.find("projects", name) is not None]
        return [f"the pool {self.pool}, LXD project {name}" for name in there]

    @contextmanager
    def writing(self, deployment: Deployment, taken: str) -> Iterator["PoolWriting"]:
        """Begin a lab's backup, alone, and clear what killed runs left. TryAgainError while another run writes one."""
        folders = sorted({one["pool"] for seat in deployment.seats.values() for one in seat["volumes"]})
        folders = [pool for pool in folders if is_folder(("storage-pools", pool))]
        if folders:
            raise UnavailableError(
                f"volumes of {deployment.lab} are in the folder {folders[0]}, and LXD copies none into a pool",
                resolution="backup: {target: …}, a folder on another disk",
            )
        scope = deployment.scope
        for one in (scope.checkpoints, scope):
            config = {**deployment.shared["project"]["config"], MARKER: one.marker(BACKUP)}
            ensure_project(self.lxd, {"name": one.backup_project, "description": "Practicum backups", "config": config})
        with lease(self.lxd, scope.checkpoints.backup_project):
            self.prune(deployment, copies_too=False)
            yield PoolWriting(self, deployment, taken)

    def verify(self, entry: Entry) -> None:
        """Raise InputError when a copy has gone."""
        place = self.place(entry)
        if self.lxd.find(*place.path, project=place.project) is None:
            raise InputError(
                f"{place.name} has gone from the pool {self.pool}; nothing was done", resolution="take another backup"
            )

    def bring(self, lxd: Lxd, entry: Entry, target: Place) -> None:
        """Make a new volume of a copy, with the config that it was taken with."""
        copy_across(lxd, self.place(entry), target, {TAKEN: ""})

    def bring_image(self, lxd: Lxd, entry: Entry) -> None:
        """Give LXD an image of a checkpoint back."""
        self.verify(entry)
        return_image(lxd, str(entry["name"]), self.place(entry))

    def place(self, entry: Entry) -> Place:
        """Return where the copy of an entry is."""
        project, name = str(entry["copy"]).split("/")
        return Place(project, self.pool, name)

    def prune(self, deployment: Deployment, *, copies_too: bool) -> None:
        """Remove a lab's oldest backups beyond those that are kept, then what none of the others needs.

        Without `copies_too` what a killed run brought up to date stays: the next one goes on from there.
        """
        environment, lab, scope = deployment.environment, deployment.lab, deployment.scope
        for manifest in self.manifests(environment, lab)[: -self.keep]:
            self._delete(scope.backup_project, _manifest_name(manifest["taken"]))
        kept = self.manifests(environment, lab)
        volumes = [entry for one in kept for entry in one["volumes"]]
        names = {entry["name"] for entry in volumes} | {self.place(entry).name for entry in volumes}
        self._remove_others(scope.backup_project, names | {_manifest_name(one["taken"]) for one in kept}, copies_too)
        parts = {self.place(entry).name for one in self.manifests("*", lab) for entry in one["checkpoint"]}
        self._remove_others(scope.checkpoints.backup_project, parts, copies_too)

    def _remove_others(self, project: str, needed: set[str], copies_too: bool) -> None:
        for volume in self._volumes(project):
            if volume["name"] not in needed and (copies_too or TAKEN in volume["config"]):
                self._delete(project, volume["name"])

    def _delete(self, project: str, name: str) -> None:
        place = Place(project, self.pool, name)
        self.lxd.delete(*place.path, project=project)

    def _volumes(self, project: str) -> Sequence[Document]:
        return custom_volumes(self.lxd, self.pool, project)


@dataclass(frozen=True)
class PoolWriting:
    """One backup that is being written."""

    store: PoolStore
    deployment: Deployment
    taken: str

    def volume(self, place: Place) -> tuple[Entry, bool]:
        """Bring the copy of a volume up to date, and keep its content of this moment."""
        copy = self._place(place.name)
        now = refresh_copy(self.store.lxd, place, copy, self.taken)
        kept = copy.named(f"{place.name}-{self.taken}")
        copy_across(self.store.lxd, now, kept, {TAKEN: self.taken})
        return {"name": place.name, "pool": place.pool, "copy": _copy_at(kept)}, False

    def image(self, fingerprint: str) -> Entry:
        """Copy an image of a checkpoint, once."""
        place = self._fixed(f"image-{fingerprint[:DIGITS]}")
        if not self._is_there(place):
            keep_image(self.store.lxd, fingerprint, place)
        return {"copy": _copy_at(place)}

    def checkpoint_volume(self, place: Place) -> Entry:
        """Copy a volume of a checkpoint, once."""
        target = self._fixed(place.name)
        if not self._is_there(target):
            copy_across(self.store.lxd, place, target)
        return {"copy": _copy_at(target)}

    def complete(self, manifest: Manifest) -> None:
        """Make the manifest's volume: the backup is complete from here on. Then old ones go."""
        place = self._place(_manifest_name(self.taken))
        config = {MANIFEST: json.dumps(manifest, ensure_ascii=False), TAKEN: self.taken}
        body = {"name": place.name, "type": "custom", "config": config}
        self.store.lxd.post(*place.parent, body=body, project=place.project)
        self.store.prune(self.deployment, copies_too=True)

    def _place(self, name: str) -> Place:
        return Place(self.deployment.scope.backup_project, self.store.pool, name)

    def _fixed(self, name: str) -> Place:
        return Place(self.deployment.scope.checkpoints.backup_project, self.store.pool, name)

    def _is_there(self, place: Place) -> bool:
        return self.store.lxd.find(*place.path, project=place.project) is not None


def _manifest_name(taken: str) -> str:
    return f"manifest-{taken}"


def _copy_at(place: Place) -> str:
    """Return what an entry says of where its copy is."""
    return f"{place.project}/{place.name}"


def _read(volume: Document) -> Manifest:
    where = f"the volume {volume['name']}"
    try:
        found = json.loads(volume["config"][MANIFEST])
    except ValueError as error:
        raise InputError(f"{where} is no manifest of a backup", details=str(error)) from error
    return known_manifest(found, where)
