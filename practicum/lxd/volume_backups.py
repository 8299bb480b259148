"""Copies of custom volumes and images as files: streamed from LXD and back, never whole in memory.

A copy is LXD's own volume backup: a tar of the volume with owners, modes, links and extended attributes beside an
`index.yaml` with its config. It fits every storage driver. While LXD packs, the copy lies once where LXD keeps
backups (`storage.backups_volume`, else its own folder); on btrfs and zfs it is of one moment.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError
from practicum.lxd.folders import chunks as folder_chunks
from practicum.lxd.folders import is_folder
from practicum.lxd.folders import restore as restore_folder
from practicum.lxd.volumes import Place

CHUNK = 2**20
# The first block of a tar.
HEADER = 512
STREAM = {"Content-Type": "application/octet-stream"}
PREFIX = "practicum-"
# What a killed run packed is nobody's after that time.
LIFETIME = timedelta(days=1)


@dataclass(frozen=True)
class Written:
    """A file that was written: its length in bytes and its SHA-256."""

    size: int
    sha256: str


@contextmanager
def packed(lxd: Lxd, volume: Place, *, compression: str = "none", optimised: bool = False) -> Iterator[Iterator[bytes]]:
    """Give a volume's backup as chunks; what LXD packed for it is removed at the end. Unchanged, it is the same bytes.

    `compression` is a program that LXD knows, such as zstd. `optimised` is the driver's own format, which only a pool
    of the same driver reads. Raises LxdNotFound when the volume is gone.
    """
    if is_folder(volume.path):
        yield folder_chunks(lxd, volume.project, volume.pool, volume.name)
        return
    _remove_leftovers(lxd, volume)
    name = f"{PREFIX}{secrets.token_hex(4)}"
    body = {
        "name": name,
        "volume_only": True,
        "optimized_storage": optimised,
        "compression_algorithm": compression,
        "expires_at": (datetime.now(UTC) + LIFETIME).isoformat(),
    }
    lxd.post(*volume.path, "backups", body=body, project=volume.project)
    try:
        yield _timeless(_chunks(lxd, *volume.path, "backups", name, "export", project=volume.project))
    finally:
        lxd.delete(*volume.path, "backups", name, project=volume.project)


def image_chunks(lxd: Lxd, fingerprint: str) -> Iterator[bytes]:
    """Return an image of a checkpoint as chunks; their SHA-256 is its fingerprint."""
    return _chunks(lxd, "images", fingerprint, "export", project="default")


def restore_volume(lxd: Lxd, file: Path, target: Place) -> None:
    """Make a new volume of a backup file. LxdConflict when there is one of this name; nothing is left of a failure."""
    with file.open("rb") as stream:
        restore_stream(lxd, stream, target)


def restore_stream(lxd: Lxd, stream: IO[bytes], target: Place) -> None:
    """Do `restore_volume` from an open file, which may be a part of another one."""
    if is_folder(target.path):
        restore_folder(lxd, target.project, target.pool, target.name, stream)
        return
    headers = {**STREAM, "X-LXD-name": target.name}
    lxd.upload(*target.parent, data=stream, headers=headers, project=target.project)


def restore_image(lxd: Lxd, file: Path) -> None:
    """Give LXD an image back, with its fingerprint and properties."""
    with file.open("rb") as stream:
        lxd.upload("images", data=stream, headers=STREAM, project="default")


def write(file: Path, chunks: Iterable[bytes]) -> Written:
    """Write chunks to a new file that only its owner reads, through to the disk."""
    with file.open("xb") as stream:
        file.chmod(0o600)
        written = copy_chunks(stream, chunks)
        stream.flush()
        os.fsync(stream.fileno())
    return written


def copy_chunks(stream: IO[bytes], chunks: Iterable[bytes]) -> Written:
    """Write chunks to an open file, and tell what was written."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += stream.write(chunk)
    return Written(size, digest.hexdigest())


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _chunks(lxd: Lxd, *path: str, project: str) -> Iterator[bytes]:
    response = lxd.download(*path, project=project, stream=True)
    expected, got = response.headers.get("Content-Length"), 0
    with response:
        while chunk := response.raw.read(CHUNK):
            got += len(chunk)
            yield bytes(chunk)
    if expected is not None and got != int(expected):
        raise LxdError("LXD's answer broke off", details=f"{got} of {expected} bytes of /1.0/{'/'.join(path)}")


def _timeless(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Take the time of the backup out of its first header, so that an unchanged volume is the same bytes again.

    What begins otherwise, such as a compressed backup, goes through as it is.
    """
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= HEADER:
            break
    yield _without_time(first[:HEADER]) + first[HEADER:]
    yield from chunks


def _without_time(header: bytes) -> bytes:
    """Return the header of LXD's index with the time 0 and the checksum that belongs to it (POSIX.1-1988, ustar)."""
    if not header.startswith(b"backup/index.yaml\0"):
        return header
    blank = header[:136] + b"%011o\0" % 0 + b" " * 8 + header[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def _remove_leftovers(lxd: Lxd, volume: Place) -> None:
    """Remove what runs packed that were killed long ago; another one may be reading its own just now."""
    for backup in lxd.get(*volume.path, "backups", project=volume.project, recursion=1):
        name = backup["name"].rsplit("/", 1)[-1]
        if name.startswith(PREFIX) and datetime.fromisoformat(backup["expires_at"]) < datetime.now(UTC):
            lxd.delete(*volume.path, "backups", name, project=volume.project)
