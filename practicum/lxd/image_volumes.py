"""Images kept in a storage pool: each as the one file of a custom volume, which LXD makes from a backup archive."""

import io
import tarfile
from collections.abc import Iterator
from typing import IO

import yaml

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError
from practicum.lxd.volume_backups import STREAM, image_chunks, packed
from practicum.lxd.volumes import Place

FILE = "backup/volume/image"
BLOCK = tarfile.BLOCKSIZE


def keep_image(lxd: Lxd, fingerprint: str, target: Place) -> None:
    """Make a volume that holds an image's file. LXD keeps nothing of one that breaks off."""
    size = int(lxd.get("images", fingerprint)["size"])
    headers = {**STREAM, "X-LXD-name": target.name}
    lxd.upload(
        *target.parent, data=_archive(lxd, fingerprint, target.name, size), headers=headers, project=target.project
    )


def return_image(lxd: Lxd, fingerprint: str, kept: Place) -> None:
    """Give LXD an image back. Raises LxdError when the volume holds another one; nothing is left of that."""
    with packed(lxd, kept) as chunks, tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks)), mode="r|") as archive:
        for entry in archive:
            if entry.name == FILE and (file := archive.extractfile(entry)) is not None:
                _upload(lxd, fingerprint, file)


def _upload(lxd: Lxd, fingerprint: str, file: IO[bytes]) -> None:
    chunks = iter(lambda: file.read(2**20), b"")
    made = lxd.upload("images", data=chunks, headers=STREAM, project="default")["fingerprint"]
    if made != fingerprint:
        lxd.delete("images", made)
        raise LxdError(f"the copy of image {fingerprint[:12]} is not what it was", details=f"it is {made}")


def _archive(lxd: Lxd, fingerprint: str, name: str, size: int) -> Iterator[bytes]:
    """Yield a backup of a volume as LXD 5.0 writes it, `index.yaml` first."""
    volume = {"config": {}, "name": name, "type": "custom", "content_type": "filesystem"}
    index = {"name": name, "backend": "dir", "pool": "", "optimized": False, "type": "custom"}
    text = yaml.safe_dump({**index, "config": {"volume": volume}}).encode()
    yield _header("backup/index.yaml", len(text)) + text + bytes(-len(text) % BLOCK)
    yield _header("backup/volume", 0, tarfile.DIRTYPE) + _header(FILE, size)
    yield from image_chunks(lxd, fingerprint)
    yield bytes(-size % BLOCK) + bytes(2 * BLOCK)


def _header(name: str, size: int, type: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, type, 0o700 if type == tarfile.DIRTYPE else 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


class _Chunks(io.RawIOBase):
    """Chunks as a stream to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
