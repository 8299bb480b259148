"""Files from before: list a folder of a snapshot, or read one file of it, without touching any machine.

LXD packs the snapshot's volume as it does for an export, whatever the storage, and the archive is read as it comes:
what a student wrote is never mounted, run or followed.
"""

import io
import json
import posixpath
import stat
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from practicum.errors import InputError, PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.folders import id_base, is_folder
from practicum.lxd.snapshots import Snapshot
from practicum.lxd.volume_backups import CHUNK, packed
from practicum.lxd.volumes import Place
from practicum.stages.deployment import load_deployment
from practicum.stages.snapshots import find_snapshot, list_snapshots
from practicum.stages.workspace import Workspace

# Where the files of a volume are in LXD's archive, and in that of a folder of the host.
ROOTS = ("backup/volume", "work")
# The end of the year 9999.
LAST_SECOND = 253_402_300_799
KINDS = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}


@dataclass(frozen=True)
class Entry:
    """One line of a folder's listing: `size` is in bytes, `target` where a link points to."""

    name: str
    mode: str
    owner: str
    size: int
    changed: datetime
    target: str = ""


def browse(
    workspace: Workspace, lab: str, environment: str, seat: str, name: str, path: str, out: Callable[[bytes], object]
) -> list[Entry]:
    """Return what a folder of a snapshot has; of a file, give its bytes to `out` and return nothing.

    `path` begins with the name of a volume; empty, the volumes are listed. Raises InputError for what is not there.
    """
    found = find_snapshot(list_snapshots(workspace, lab, environment, seat), name, seat, lab)
    volume, _, rest = path.strip("/").partition("/")
    if not volume:
        return [_volume(one.removeprefix(f"{seat}-"), found) for one in sorted(found.places)]
    place = found.places.get(f"{seat}-{volume}")
    if place is None:
        known = ", ".join(one.removeprefix(f"{seat}-") for one in sorted(found.places))
        raise InputError(f"snapshot {name} has no volume '{volume}'", resolution=f"it has: {known}", exit_code=2)
    lxd = workspace.lxd(load_deployment(workspace, lab, environment).platform)
    return look(lxd, place, posixpath.normpath(rest or "."), out)


def _volume(name: str, snapshot: Snapshot) -> Entry:
    return Entry(f"{name}/", "drwxr-xr-x", "", 0, datetime.fromisoformat(snapshot.taken))


def look(lxd: Lxd, place: Place, wanted: str, out: Callable[[bytes], object]) -> list[Entry]:
    """Do `browse` in one volume; `wanted` is a path from its top, `.` for the top itself."""
    listed: list[Entry] = []
    seen = False
    base = _first_id(lxd, place)
    parent = "" if wanted == "." else wanted
    with closing(members(lxd, place)) as found:
        for path, member, content in found:
            if path == wanted and not member.isdir():
                return _read(lxd, place, wanted, member, content, out)
            seen = seen or path == wanted
            if path != wanted and posixpath.dirname(path) == parent:
                listed.append(_entry(posixpath.basename(path), member, base))
    if not seen:
        shown = wanted.encode(errors="replace").decode()
        raise InputError(f"there is no '{shown}' there", exit_code=2)
    return sorted(listed, key=lambda one: one.name)


def _read(
    lxd: Lxd,
    place: Place,
    path: str,
    member: tarfile.TarInfo,
    content: IO[bytes] | None,
    out: Callable[[bytes], object],
) -> list[Entry]:
    """Give a file's bytes out; a second name of a file is read under its first one."""
    if member.islnk():
        return look(lxd, place, inside(member.linkname) or "", out)
    if content is None:
        kind = f"a link to {member.linkname}" if member.issym() else "no regular file"
        raise InputError(f"'{path}' is {kind}", resolution="name the file itself", exit_code=2)
    for chunk in iter(lambda: content.read(CHUNK), b""):
        out(chunk)
    return []


def members(lxd: Lxd, place: Place) -> Generator[tuple[str, tarfile.TarInfo, IO[bytes] | None]]:
    """Yield what a volume has, with its path from the volume's top, and a regular file's content."""
    with _archive(lxd, place) as archive:
        for member in archive:
            path = inside(member.name)
            if path is not None:
                yield path, member, archive.extractfile(member) if member.isreg() else None


@contextmanager
def _archive(lxd: Lxd, place: Place) -> Iterator[tarfile.TarFile]:
    try:
        with packed(lxd, place) as chunks:
            stream = io.BufferedReader(_Stream(chunks), CHUNK)
            with tarfile.open(fileobj=stream, mode="r|", errorlevel=1) as archive:
                yield archive
    except tarfile.TarError as error:
        raise PracticumError(f"{place.name} cannot be read", details=str(error)) from error


class _Stream(io.RawIOBase):
    """Chunks as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def inside(name: str) -> str | None:
    """Return a path from the top of the volume, `.` for the top itself; None for what is beside the files."""
    for root in ROOTS:
        if name == root or name.startswith(f"{root}/"):
            return posixpath.normpath(name.removeprefix(root).strip("/") or ".")
    return None


def _first_id(lxd: Lxd, place: Place) -> int:
    """Return the host's id that is root in the machines that had a volume: owners in an archive are the host's."""
    if is_folder(place.path):
        return id_base()
    config = lxd.get(*place.path, project=place.project)["config"]
    shifts = json.loads(config.get("volatile.idmap.last") or "[]")
    return int(shifts[0]["Hostid"]) if shifts else 0


def _entry(name: str, member: tarfile.TarInfo, base: int) -> Entry:
    kind = KINDS.get(member.type, stat.S_IFREG)
    return Entry(
        name=f"{name}/" if member.isdir() else name,
        mode=stat.filemode(kind | member.mode),
        owner=f"{max(member.uid - base, 0)}:{max(member.gid - base, 0)}",
        size=member.size,
        changed=time_of(member),
        target=member.linkname if member.issym() else "",
    )


def time_of(member: tarfile.TarInfo) -> datetime:
    """Return when a file was changed; what no calendar has becomes the nearest time that it has."""
    return datetime.fromtimestamp(min(max(member.mtime, 0), LAST_SECOND), UTC)
