"""Backups in a folder: one folder a lab and moment, complete when its manifest is there under its name.

Below TARGET/INSTALLATION, ENV/COURSE/LAB/MOMENT/ has the volumes and manifest.json; checkpoints/COURSE/LAB/ has, once,
what never changes. A moment is written as MOMENT.partial and renamed at its end.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from practicum.errors import InputError, PracticumError, TryAgainError, UnavailableError
from practicum.files import make_folder, refusals_told
from practicum.lxd.client import Lxd
from practicum.lxd.volume_backups import digest_of, image_chunks, packed, restore_image, restore_volume, write
from practicum.lxd.volumes import Place
from practicum.stages.backup_store import Entry, Manifest, in_order, known_manifest
from practicum.stages.deployment import Deployment

MANIFEST = "manifest.json"
PARTIAL = ".partial"
LOCK = ".lock"


@dataclass(frozen=True)
class FolderStore:
    """A folder for an installation's backups, of which the newest `keep` of each lab stay."""

    lxd: Lxd
    root: Path
    keep: int

    @classmethod
    def at(cls, lxd: Lxd, target: Path, installation: str, keep: int) -> "FolderStore":
        """Return the store in a folder. Raises UnavailableError when that is not there."""
        if not target.is_dir():
            raise UnavailableError(
                f"the folder for backups, {target}, is not there; nothing was done",
                resolution="mount its disk; make the folder there once, inside the mount",
            )
        return cls(lxd, target / installation, keep)

    def lab(self, environment: str, lab: str) -> Path:
        """Return the folder of a lab's backups."""
        return self.root / environment / lab

    def checkpoints(self, lab: str) -> Path:
        """Return the folder of what a lab's checkpoints consist of."""
        return self.root / "checkpoints" / lab

    def manifests(self, environment: str, lab: str = "*/*") -> list[Manifest]:
        """Return the complete backups of a lab, or of all, the oldest first. Raises InputError for a broken one."""
        paths = self.root.glob(f"{environment}/{lab}/*/{MANIFEST}")
        return in_order([_read(path) for path in paths if not path.parent.name.endswith(PARTIAL)])

    def places(self, deployment: Deployment) -> list[str]:
        """Name the folders with backups of a lab."""
        folders = (self.lab(deployment.environment, deployment.lab), self.checkpoints(deployment.lab))
        return [str(folder) for folder in folders if folder.is_dir()]

    @contextmanager
    def writing(self, deployment: Deployment, taken: str) -> Iterator["FolderWriting"]:
        """Begin a lab's backup, alone, and clear what killed runs left. TryAgainError while another run writes one."""
        environment, lab = deployment.environment, deployment.lab
        words = "make room there, or 'backup: {keep: …}' smaller; what was begun is removed by the next run"
        with refusals_told(f"the folder for backups, {self.root}, cannot be written", words):
            folder = self.lab(environment, lab)
            make_folder(folder)
            make_folder(self.checkpoints(lab))
            with (self.checkpoints(lab) / LOCK).open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise TryAgainError(f"another run is writing a backup of {lab}") from error
                for left in folder.glob(f"*{PARTIAL}"):
                    shutil.rmtree(left)
                partial = folder / (taken + PARTIAL)
                earlier = {entry["name"]: entry for one in self.manifests(environment, lab) for entry in one["volumes"]}
                make_folder(partial)
                yield FolderWriting(self, deployment, partial, earlier)

    def verify(self, entry: Entry) -> None:
        """Raise InputError when a file is not what the backup wrote."""
        file = self._file(entry)
        if not file.is_file() or digest_of(file) != entry["sha256"]:
            raise InputError(f"{file} is not what the backup wrote; nothing was done", resolution="take another backup")

    def bring(self, lxd: Lxd, entry: Entry, target: Place) -> None:
        """Make a new volume of a file."""
        restore_volume(lxd, self._file(entry), target)

    def bring_image(self, lxd: Lxd, entry: Entry) -> None:
        """Give LXD an image of a checkpoint back."""
        self.verify(entry)
        restore_image(lxd, self._file(entry))

    def prune(self, environment: str, lab: str) -> None:
        """Remove a lab's oldest backups beyond those that are kept, and checkpoints that no other one needs."""
        for manifest in self.manifests(environment, lab)[: -self.keep]:
            gone = self.lab(environment, lab) / manifest["taken"]
            shutil.rmtree(gone.rename(gone.with_name(gone.name + PARTIAL)))
        needed = {entry["file"] for one in self.manifests("*", lab) for entry in one["checkpoint"]}
        for file in self.checkpoints(lab).glob("*"):
            if file.name != LOCK and file.relative_to(self.root).as_posix() not in needed:
                file.unlink()

    def _file(self, entry: Entry) -> Path:
        return self.root / str(entry["file"])


@dataclass(frozen=True)
class FolderWriting:
    """One backup that is being written. `earlier` are the last entries of volumes, by name."""

    store: FolderStore
    deployment: Deployment
    partial: Path
    earlier: Mapping[str, Entry]

    def volume(self, place: Place) -> tuple[Entry, bool]:
        """Copy a volume; what has not changed since the last backup is a second name of the same file."""
        file = self.partial / f"{place.name}.tar"
        with packed(self.store.lxd, place) as chunks:
            written = write(file, chunks)
        root, earlier = self.store.root, self.earlier.get(place.name, {})
        same = earlier.get("sha256") == written.sha256 and _is_there(root / earlier["file"], written.size)
        if same:
            file.unlink()
            os.link(root / earlier["file"], file)
        final = file.relative_to(root).as_posix().replace(f"{PARTIAL}/", "/")
        entry = {"name": place.name, "pool": place.pool, "file": final, "size": written.size, "sha256": written.sha256}
        return entry, same

    def image(self, fingerprint: str) -> Entry:
        """Copy an image of a checkpoint, once."""
        name = f"{fingerprint}.image"
        entry = self._once(name, lambda: image_chunks(self.store.lxd, fingerprint))
        if entry["sha256"] != fingerprint:
            (self._checkpoints / name).unlink()
            raise PracticumError("an image was not read as it is", details=f"fingerprint {fingerprint}")
        return entry

    def checkpoint_volume(self, place: Place) -> Entry:
        """Copy a volume of a checkpoint, once."""

        def chunks() -> Iterator[bytes]:
            with packed(self.store.lxd, place) as found:
                yield from found

        return self._once(f"{place.name}.tar", chunks)

    def complete(self, manifest: Manifest) -> None:
        """Write the manifest, and give the backup its name: it is complete from here on. Then old ones go."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (self.partial / MANIFEST).write_text(text, encoding="utf-8")
        os.sync()
        self.partial.rename(self.partial.with_name(self.partial.name.removesuffix(PARTIAL)))
        self.store.prune(self.deployment.environment, self.deployment.lab)

    @property
    def _checkpoints(self) -> Path:
        return self.store.checkpoints(self.deployment.lab)

    def _once(self, name: str, chunks: Callable[[], Iterator[bytes]]) -> Entry:
        """Write a file unless an earlier backup did; what was written stands in one of the manifests."""
        file = self._checkpoints / name
        relative = file.relative_to(self.store.root).as_posix()
        manifests = self.store.manifests("*", self.deployment.lab)
        known = [entry for one in manifests for entry in one["checkpoint"] if entry["file"] == relative]
        if known and _is_there(file, known[0]["size"]):
            return {key: known[0][key] for key in ("file", "size", "sha256")}
        new = file.with_name(file.name + PARTIAL)
        new.unlink(missing_ok=True)
        written = write(new, chunks())
        new.replace(file)
        return {"file": relative, "size": written.size, "sha256": written.sha256}


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _read(path: Path) -> Manifest:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no manifest of a backup", details=str(error)) from error
    return known_manifest(found, str(path))
