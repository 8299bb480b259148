"""Archives of student work: a plain tar a student, with LXD's backup of each volume and a manifest of digests.

A member's length is known only when LXD has sent all of it, so its header is written after it: nothing is written
twice, and nothing is whole in memory.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from practicum.errors import InputError
from practicum.lxd.volume_backups import Written, copy_chunks

FORMAT = 1
MANIFEST = "manifest.json"
PARTIAL = ".partial"
BLOCK = tarfile.BLOCKSIZE
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Archive:
    """An archive that is being written."""

    stream: IO[bytes]

    def add(self, name: str, chunks: Iterable[bytes]) -> Written:
        """Write a member, and return its length and digest; of one that breaks off nothing is left."""
        start = self.stream.tell()
        self.stream.write(bytes(BLOCK))
        try:
            measured = copy_chunks(self.stream, chunks)
        except BaseException:
            self.stream.seek(start)
            self.stream.truncate()
            raise
        self.stream.write(bytes(-measured.size % BLOCK))
        self.stream.seek(start)
        self.stream.write(_header(name, measured.size))
        self.stream.seek(0, os.SEEK_END)
        return measured

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end of the archive."""
        self.add(MANIFEST, [document_bytes(manifest)])
        self.stream.write(bytes(2 * BLOCK))


@contextmanager
def writing(file: Path) -> Iterator[Archive]:
    """Write an archive that only its owner reads; it has its name, through to the disk, when it is whole."""
    partial = file.with_name(file.name + PARTIAL)
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as stream:
            partial.chmod(0o600)
            yield Archive(stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def document_bytes(document: Manifest) -> bytes:
    """Return a manifest as it stands in files."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def read_manifest(file: Path) -> Manifest:
    """Return an archive's manifest. Raises InputError for what is no archive of Practicum's."""
    try:
        with tarfile.open(file, "r:") as archive:
            return parse_manifest(_member(archive, MANIFEST).read(), f"{file}")
    except (OSError, tarfile.TarError, KeyError) as error:
        raise InputError(f"{file} is no archive of an export", details=str(error)) from error


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Return a manifest from its bytes. Raises InputError for what this version cannot read."""
    try:
        found = json.loads(data)
        if found["format"] == FORMAT:
            return dict(found)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where}: its manifest cannot be read", details=str(error)) from error
    raise InputError(f"{where}: its manifest is of a version that this one does not know")


def verify(file: Path, manifest: Manifest) -> None:
    """Raise InputError when a member is not what the manifest says."""
    for entry in manifest["volumes"]:
        with member(file, entry["member"]) as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != entry["sha256"]:
                raise InputError(
                    f"{file}: {entry['member']} is not what the export wrote", resolution="use another copy"
                )


@contextmanager
def member(file: Path, name: str) -> Iterator[BufferedReader]:
    """Give one member of an archive as a stream. Raises InputError when it cannot be read."""
    try:
        archive = tarfile.open(file, "r:")  # noqa: SIM115 - closed below; what the caller does is not to be caught
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{file} cannot be read", details=str(error)) from error
    with archive:
        try:
            stream = _member(archive, name)
        except (OSError, tarfile.TarError, KeyError) as error:
            raise InputError(f"{file}: {name} cannot be read", details=str(error)) from error
        with stream:
            yield stream


def _member(archive: tarfile.TarFile, name: str) -> BufferedReader:
    found = archive.extractfile(name)
    if not isinstance(found, BufferedReader):
        raise KeyError(name)
    return found


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    # GNU's form has room for every length in one block.
    return info.tobuf(tarfile.GNU_FORMAT)
