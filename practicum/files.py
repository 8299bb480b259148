"""Small files on disk: written whole or not at all, and what the disk refuses told to people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from practicum.errors import PracticumError

READABLE = 0o644


def write_atomically(path: Path, data: str | bytes, mode: int | None = None) -> None:
    """Replace a small file, on disk when this returns, with `mode`; without it a present file keeps its own.

    A killed run leaves the file as it was, and at most one file of the same name with `.new` behind it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = mode if mode is not None else path.stat().st_mode & 0o777 if path.exists() else READABLE
    partial = path.with_name(path.name + ".new")
    partial.unlink(missing_ok=True)
    # Nobody but the owner reads it before it has its mode: it may be a secret.
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())
    partial.chmod(wanted)
    partial.replace(path)


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, that only its owner reads."""
    for one in [*reversed(folder.parents), folder]:
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def refusals_told(message: str, resolution: str) -> Iterator[None]:
    """Turn what the disk refuses into a PracticumError with this message and way out."""
    try:
        yield
    except OSError as error:
        raise PracticumError(message, details=str(error), resolution=resolution) from error
