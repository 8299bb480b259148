"""A student's own files: looked at, read and packed as a zip without a running machine, and put in through one.

Reading goes through LXD's archive of the volume, as `browse` does for snapshots: nothing that a student wrote is
mounted, run or followed. Names in it are bytes of anybody's making, and are text with surrogates here.
"""

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from practicum.errors import InputError, PracticumError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError, LxdNotFound
from practicum.lxd.volume_backups import CHUNK
from practicum.lxd.volumes import Place
from practicum.stages.browse import Entry, inside, look, members, time_of
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.snapshots import find_snapshot, list_snapshots, seat_parts
from practicum.stages.workspace import Workspace

__all__ = ["OwnFiles", "put_file"]

# LXD packs a whole volume for each look; so many at once leave a host with its other work.
_PACKING = BoundedSemaphore(4)
PATIENCE = 60.0
LONGEST_NAME = 255
LEFT_OUT = "left-out.txt"
# The account `student` that every machine type makes: generator/catalogue/types/debian.yaml.
STUDENT = 1000
FULL = ("no space left", "quota exceeded")


@dataclass(frozen=True)
class OwnFiles:
    """The files of a copy in the class: as they are now, or with a `snapshot` as they were."""

    workspace: Workspace
    lab: str
    seat: str
    snapshot: str = ""

    def volumes(self) -> Mapping[str, Place]:
        """Return what a path can begin with."""
        if self.snapshot:
            found = list_snapshots(self.workspace, self.lab, "prod", self.seat)
            places = find_snapshot(found, self.snapshot, self.seat, self.lab).places
        else:
            places = seat_parts(_deployment(self.workspace, self.lab, self.seat), self.seat).volumes
        return {name.removeprefix(f"{self.seat}-"): place for name, place in sorted(places.items())}

    def folder(self, path: str) -> list[Entry]:
        """Return what a folder has. Raises InputError for what is none, or not there."""
        lxd, place, wanted = self._place(path)
        with _turn():
            return look(lxd, place, wanted, _no_file)

    def file(self, path: str) -> Iterator[bytes]:
        """Return a file as it comes. Raises InputError for what is none, or not there."""
        return _begun(_content(*self._place(path)))

    def archive(self, path: str) -> Iterator[bytes]:
        """Return a folder with all below it as a zip. Raises InputError for what is not there."""
        return _begun(_zipped(*self._place(path)))

    def _place(self, path: str) -> tuple[Lxd, Place, str]:
        volume, _, rest = path.strip("/").partition("/")
        place = self.volumes().get(volume)
        if place is None:
            raise _missing(path)
        lxd = self.workspace.lxd(load_deployment(self.workspace, self.lab, "prod").platform)
        return lxd, place, posixpath.normpath(rest or ".")


def put_file(workspace: Workspace, lab: str, seat: str, folder: str, name: str, content: IO[bytes]) -> None:
    """Put a new file into a folder of a copy in the class, as the student's; `folder` begins with a volume's name.

    Raises InputError for a name that no file can have or one has already, UnavailableError when no machine runs.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise InputError("no file can be called that; nothing was done", resolution="give it another name")
    volume, _, rest = posixpath.normpath(folder.strip("/")).partition("/")
    deployment = _deployment(workspace, lab, seat)
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    machine, mount = _running(lxd, deployment, seat, f"{seat}-{volume}")
    path = posixpath.join(mount, rest, name)
    if not _is_text(path):
        raise InputError("this folder has a name that is no text; nothing was done", resolution="choose another folder")
    target = ("instances", machine, "files")
    if _is_there(lxd, machine, path, project):
        raise InputError(
            f"there is a '{name}' already; nothing was done", resolution="rename your file, then try again"
        )
    headers = {"X-LXD-mode": "0644", "X-LXD-uid": str(STUDENT), "X-LXD-gid": str(STUDENT), "X-LXD-type": "file"}
    try:
        lxd.upload(*target, data=content, headers=headers, project=project, path=path)
    except LxdNotFound as error:
        raise _missing(folder) from error
    except LxdError as error:
        with suppress(LxdError):  # half of a file is worse than none
            lxd.delete(*target, project=project, path=path)
        if any(words in f"{error.message} {error.details}".lower() for words in FULL):
            text = "your disk is full, so the file was not kept"
            raise PracticumError(text, resolution="delete what you do not need, then try again") from error
        raise


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_there(lxd: Lxd, machine: str, path: str, project: str) -> bool:
    try:
        lxd.download("instances", machine, "files", project=project, stream=True, path=path).close()
    except LxdNotFound:
        return False
    return True


def _running(lxd: Lxd, deployment: Deployment, seat: str, volume: str) -> tuple[str, str]:
    """Return a machine that runs and has a volume, with the path of it there."""
    mounts = {
        instance["name"]: str(device["path"])
        for instance in deployment.seats[seat]["instances"]
        for device in instance["devices"].values()
        if device.get("source") == volume
    }
    if not mounts:
        raise _missing(volume.removeprefix(f"{seat}-"))
    for name, mount in mounts.items():
        found = lxd.find("instances", name, project=deployment.scope.project)
        if found and found["status"] == "Running":
            return name, mount
    raise UnavailableError(
        "files are put in through a machine, and none is running; nothing was done",
        resolution="start your machines with 'Restart', then try again",
    )


def _deployment(workspace: Workspace, lab: str, seat: str) -> Deployment:
    deployment = load_deployment(workspace, lab, "prod")
    require_seats(deployment, [seat])
    return deployment


@contextmanager
def _turn() -> Iterator[None]:
    if not _PACKING.acquire(timeout=PATIENCE):
        raise TryAgainError("many people look at their files just now", resolution="try again in a minute")
    try:
        yield
    finally:
        _PACKING.release()


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return pieces of which the first was fetched: LXD has packed, and what can be wrong was told."""
    with _turn():
        first = next(pieces, b"")

    def all_of_it() -> Iterator[bytes]:
        yield first
        yield from pieces

    return all_of_it()


def _content(lxd: Lxd, place: Place, wanted: str) -> Iterator[bytes]:
    with closing(members(lxd, place)) as found:
        for path, member, content in found:
            if path != wanted:
                continue
            if content is not None:
                yield from iter(lambda: content.read(CHUNK), b"")  # noqa: B023 - read before the next one comes
                return
            first = inside(member.linkname) if member.islnk() else None
            if first is None:
                raise InputError("this is no file that can be read", resolution="choose a file")
            break
        else:
            raise _missing(wanted)
    # A second name of a file has its content under the first one.
    yield from _content(lxd, place, first)


class _Pieces:
    """What a zip writes to: kept until it is taken."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._kept.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Keep everything until it is taken."""

    def close(self) -> None:
        """Keep everything until it is taken."""

    def take(self) -> bytes:
        kept, self._kept = self._kept, []
        return b"".join(kept)


def _zipped(lxd: Lxd, place: Place, folder: str) -> Iterator[bytes]:
    pieces, names, left, seen = _Pieces(), set[str](), list[str](), False
    with closing(members(lxd, place)) as found, ZipFile(pieces, "w", ZIP_DEFLATED) as archive:
        for path, member, content in found:
            below = path if folder == "." else path.removeprefix(f"{folder}/")
            if folder != "." and path != folder and below == path:
                continue
            if path == folder and not member.isdir():
                _no_file(b"")
            seen = True
            if content is None:
                left += [] if member.isdir() else [_plain(below)]
                continue
            info = ZipInfo(_free(_plain(below), names), max(time_of(member).timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
            info.compress_type, info.file_size = ZIP_DEFLATED, member.size
            with archive.open(info, "w") as target:
                for chunk in iter(lambda: content.read(CHUNK), b""):  # noqa: B023 - as above
                    target.write(chunk)
                    yield pieces.take()
        if not seen:
            raise _missing(folder)
        if left:
            archive.writestr(_free(LEFT_OUT, names), "\n".join(left) + "\n")
    yield pieces.take()


def _plain(path: str) -> str:
    """Return a path that every system takes for a file below: backslashes and colons lead elsewhere on some."""
    text = path.encode(errors="replace").decode()
    return "".join("_" if one in "\\:" or not one.isprintable() else one for one in text)


def _free(name: str, names: set[str]) -> str:
    while name in names:
        name += "~"
    names.add(name)
    return name


def _no_file(_data: bytes) -> None:
    raise InputError("this is a file, not a folder", resolution="choose a folder")


def _missing(path: str) -> InputError:
    shown = path.encode(errors="replace").decode()
    return InputError(f"there is no '{shown}' here", resolution="look at the list again: it may have gone meanwhile")
