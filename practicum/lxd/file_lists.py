"""What the machines of a checkpoint have: each file with mode, owner, size and digest, and the packages.

The lists are made of the cleaned copies, volumes among them, and kept as an image of their own, which no machine is
made from: small, copied, backed up and pruned as the checkpoint's other images are, and read without making a machine.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdError
from practicum.lxd.systems import Listing, changed
from practicum.lxd.volume_backups import STREAM

SECONDS = 300
# Nobody reads the difference of more, and it would not fit a release.
MOST_FILES = 150_000
PLACE = "/.practicum-files"
# 96 bits of a SHA-256: enough to tell whether a file changed.
DIGITS = 24
# A tab stands between name and target of a link. The last line says that none is missing.
LIST_FILES = f"""
cd /
all() {{
  find . \\( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path .{PLACE} \\) -prune -o "$@" -print0
}}
{{
  all ! -type d | xargs -0 -r stat -c '%f %u %g %s %n\t%N'
  echo
  all -type f | xargs -0 -r sha256sum
  echo whole
}} 2>/dev/null | gzip -c > {PLACE}
"""
LIST_PACKAGES = """
command -v dpkg-query >/dev/null || exit 0
dpkg-query -W -f '${binary:Package} ${Version}\\n'
"""
# LXD refuses an image without a time; with its own, the same lists would be another image each time.
CREATED = 1
Packages = Mapping[str, str]


@dataclass(frozen=True)
class FileList:
    """What one machine has: path → mode, owner, size and digest of each file, name → version of each package."""

    files: Listing
    packages: Packages


def list_packages(lxd: Lxd, project: str, instance: str) -> dict[str, str]:
    """Return the Debian packages of a running machine, none where there is no package manager."""
    result = lxd.run(instance, ["sh", "-c", LIST_PACKAGES], project=project)
    lines = (line.split(" ", 1) for line in result.stdout.splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) == 2}


def list_files(lxd: Lxd, project: str, instance: str) -> Listing:
    """Return what a running copy has on its disk and its volumes. Raises LxdError when it cannot be listed whole."""
    place = ("instances", instance, "files")
    try:
        result = lxd.run(instance, ["sh", "-c", LIST_FILES], project=project, timeout=SECONDS)
        if result.exit_code:
            raise _unlisted(instance, result.stderr.strip()[-500:])
        data = lxd.download(*place, project=project, path=PLACE).content
    finally:
        lxd.delete(*place, project=project, path=PLACE)
    return _read(instance, data)


def _read(instance: str, data: bytes) -> Listing:
    """Return what the script wrote."""
    facts, whole, rest = gzip.decompress(data).decode(errors="surrogateescape").partition("\n\n")
    digests = rest.splitlines()
    if not whole or digests[-1:] != ["whole"]:
        raise _unlisted(instance, "the list broke off")
    if len(digests) > MOST_FILES:
        raise _unlisted(instance, f"there are more than {MOST_FILES}")
    return _merged(facts.splitlines(), digests[:-1])


def _merged(facts: list[str], digests: list[str]) -> Listing:
    """Return path → facts; a name that `sha256sum` had to quote has no digest, and is told apart by its size."""
    known = dict(line.split("  .", 1)[::-1] for line in digests if "  ./" in line and not line.startswith("\\"))
    found = {}
    for line in facts:
        named, _, target = line.partition("\t")
        fields = named.split(" ", 4)
        if len(fields) == 5 and fields[4].startswith("./"):
            path = fields[4][1:]
            link = hashlib.sha256(target.encode(errors="surrogateescape")).hexdigest()
            digest = known.get(path, link if _is_link(fields[0]) else "")
            found[path] = " ".join([*fields[:4], digest[:DIGITS]])
    return found


def _unlisted(instance: str, details: str) -> LxdError:
    return LxdError(f"the files of {instance} could not be listed", details=details)


def _is_link(mode: str) -> bool:
    return int(mode, 16) & 0o170000 == 0o120000


def keep(lxd: Lxd, lists: Mapping[str, FileList], properties: Mapping[str, str]) -> str:
    """Keep the lists of a checkpoint's machines as an image with these properties; return its fingerprint."""
    data = _image(lists, properties)
    # A run that was killed may have kept the same ones.
    with suppress(LxdConflict):
        lxd.upload("images", data=data, headers=STREAM, project="default")
    return hashlib.sha256(data).hexdigest()


def read(lxd: Lxd, fingerprint: str) -> dict[str, FileList]:
    """Return the lists by machine. Raises LxdNotFound when the image is gone."""
    data = lxd.download("images", fingerprint, "export", project="default").content
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        lists = archive.extractfile("rootfs/lists.json.gz")
        assert lists is not None  # noqa: S101 - `keep` wrote it as a file
        return {machine: FileList(**found) for machine, found in json.loads(gzip.decompress(lists.read())).items()}


def _image(lists: Mapping[str, FileList], properties: Mapping[str, str]) -> bytes:
    """Return an image as LXD takes one in a single file; the same lists give the same bytes."""
    metadata = {"architecture": "x86_64", "creation_date": CREATED, "properties": dict(sorted(properties.items()))}
    text = json.dumps({machine: asdict(one) for machine, one in lists.items()}, sort_keys=True)
    members = {
        "metadata.yaml": yaml.safe_dump(metadata).encode(),
        "rootfs/lists.json.gz": gzip.compress(text.encode(), mtime=0),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def signs(before: Mapping[str, str], after: Mapping[str, str], differing: list[str]) -> dict[str, str]:
    """Return `+` for what is new, `-` for what is gone, and `~` for what is another one, by path or name."""
    return {name: "+" if name not in before else "-" if name not in after else "~" for name in differing}


def file_changes(before: FileList, after: FileList) -> dict[str, str]:
    """Return the signs of the files that differ, but of what differs without anybody having changed it."""
    return signs(before.files, after.files, changed(before.files, after.files, ()))


def summary(before: FileList, after: FileList) -> dict[str, Any]:
    """Return how many files differ, and which packages, each with its sign: as release.json has it."""
    files = list(file_changes(before, after).values())
    names = sorted(
        name
        for name in before.packages.keys() | after.packages.keys()
        if before.packages.get(name) != after.packages.get(name)
    )
    packages = [f"{sign}{name}" for name, sign in signs(before.packages, after.packages, names).items()]
    return {"added": files.count("+"), "changed": files.count("~"), "removed": files.count("-"), "packages": packages}
