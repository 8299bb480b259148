"""What a machine's system disk has that its checkpoint had not: files that were added, changed or removed.

Two listings are compared: name, type, mode, owner, size and time of change of every file that is no folder. Volumes are
other file systems and are not looked at. What a machine says about itself is its student's word: it is told to people,
who decide; nothing is deleted by it.
"""

import base64
import binascii
import gzip
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import yaml

from practicum.errors import PracticumError
from practicum.lxd.client import MOST_OUTPUT, Lxd

Listing = Mapping[str, str]
SECONDS = 120
# A folder's time changes with what is in it, so folders are left out.
LIST = """
cd /
find . -xdev \\( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run \\) -prune -o ! -type d -print0 |
  xargs -0 stat -c '%f %u %g %s %Y %n' 2>/dev/null | gzip -c | base64
"""


def listing(lxd: Lxd, project: str, instance: str) -> Listing:
    """Return what a running machine has on its system disk: path → mode, owner, size and time of change.

    Raises PracticumError when it cannot say so.
    """
    result = lxd.run(instance, ["sh", "-c", LIST], project=project, timeout=SECONDS)
    if result.exit_code or len(result.stdout) >= MOST_OUTPUT:
        words = result.stderr.strip() or "it has too many files"
        raise PracticumError(f"{instance} could not be compared with its checkpoint", details=words)
    try:
        text = gzip.decompress(base64.b64decode(result.stdout)).decode(errors="surrogateescape")
    except (OSError, EOFError, binascii.Error) as error:
        raise PracticumError(f"{instance} could not be compared with its checkpoint", details=str(error)) from error
    lines = (line.split(" ", 5) for line in text.splitlines())
    return {fields[5][1:]: " ".join(fields[:5]) for fields in lines if len(fields) == 6}


def changed(base: Listing, now: Listing, spared: Sequence[str]) -> list[str]:
    """Return the paths that differ, sorted, without noise and what is spared: patterns, and all below them."""
    differing = {path for path in base.keys() | now.keys() if base.get(path) != now.get(path)}
    return sorted(path for path in differing if not covered(path, (*noise(), *spared)))


@cache
def noise() -> tuple[str, ...]:
    """Return the patterns of drift.yaml."""
    text = files("practicum.lxd").joinpath("drift.yaml").read_text(encoding="utf-8")
    return tuple(entry["path"] for entry in yaml.safe_load(text))


def covered(path: str, patterns: Sequence[str]) -> bool:
    """Say whether one of the patterns names a path or a folder above it."""
    return any(fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern.rstrip('/')}/*") for pattern in patterns)
