"""What backups are kept in: a folder, or a pool of LXD. Both tell them in manifests, and a moment names each."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from practicum.errors import InputError
from practicum.lxd.client import Lxd
from practicum.lxd.volumes import Place
from practicum.stages.deployment import Deployment

FORMAT = 1
DEFAULT_KEEP = 7
Manifest = Mapping[str, Any]
Entry = Mapping[str, Any]


class Writing(Protocol):
    """One backup that is being written."""

    def volume(self, place: Place) -> tuple[Entry, bool]:
        """Copy a volume; return its entry, and whether it is as it was. Raises LxdNotFound when it is gone."""

    def image(self, fingerprint: str) -> Entry:
        """Copy an image of a checkpoint. It never changes: what is there stays."""

    def checkpoint_volume(self, place: Place) -> Entry:
        """Copy a volume of a checkpoint. It never changes either."""

    def complete(self, manifest: Manifest) -> None:
        """Write the manifest: the backup is there from here on. Then the oldest go, beyond those that are kept."""


class Store(Protocol):
    """Where the backups of an installation stand."""

    def manifests(self, environment: str, lab: str = "*/*") -> list[Manifest]:
        """Return the complete backups of a lab, or of all, the oldest first. Raises InputError for a broken one."""

    def places(self, deployment: Deployment) -> list[str]:
        """Name where backups of a lab are, for people."""

    def writing(self, deployment: Deployment, taken: str) -> AbstractContextManager[Writing]:
        """Begin a lab's backup, alone, and clear what killed runs left. TryAgainError while another run writes one."""

    def verify(self, entry: Entry) -> None:
        """Raise InputError when an entry is not what the backup wrote."""

    def bring(self, lxd: Lxd, entry: Entry, target: Place) -> None:
        """Make a new volume of an entry."""

    def bring_image(self, lxd: Lxd, entry: Entry) -> None:
        """Give LXD an image of a checkpoint back."""


def moment(now: datetime) -> str:
    """Return a time as it stands in names: 20260914t020000z."""
    return now.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz")


def known_manifest(found: Any, where: str) -> Manifest:
    """Return a manifest as a mapping. Raises InputError for what this version does not know."""
    try:
        if found["format"] == FORMAT and {"lab", "taken", "volumes", "checkpoint"} <= set(found):
            return dict(found)
    except (KeyError, TypeError) as error:
        raise InputError(f"{where} is no manifest of a backup", details=str(error)) from error
    raise InputError(f"{where} is no manifest of a backup that this version knows")


def in_order(manifests: list[Manifest]) -> list[Manifest]:
    """Return manifests as people read them: the oldest first."""
    return sorted(manifests, key=lambda one: (one["taken"], one["lab"]))
