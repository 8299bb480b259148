"""Carry files of one machine over to the system that takes its place: identity, kept paths, what was chosen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd

# What tells a machine apart from every other: clients know it by these.
IDENTITY = ("/etc/machine-id", "/etc/ssh/ssh_host_*")
ARCHIVE = "/.practicum-kept.tar"
EMPTY = "/.practicum-kept"
SECONDS = 600
CHUNK = 2**20
# Each argument is an absolute path with shell wildcards; one that is not there is no error. Busybox makes no empty
# archive, and knows nothing of extended attributes.
PACK = f"""
cd /
touch {EMPTY}
IFS=
count=$#
for pattern in "$@"; do
  for path in $pattern; do
    if [ -e "$path" ] || [ -L "$path" ]; then set -- "$@" ".$path"; fi
  done
done
shift $count
IFS=' '
options=
if tar --version | grep -q GNU; then options='--xattrs --acls --ignore-failed-read'; fi
tar $options --numeric-owner -cf {ARCHIVE} .{EMPTY} "$@"
"""
# A folder that is carried replaces the new system's folder: what the student deleted in it stays deleted.
UNPACK = f"""
cd /
IFS=
for pattern in "$@"; do
  for path in $pattern; do rm -rf -- "$path"; done
done
IFS=' '
options=
if tar --version | grep -q GNU; then options='--xattrs --acls'; fi
tar $options --numeric-owner -xf {ARCHIVE} && rm -f {ARCHIVE} {EMPTY}
"""


def carry(lxd: Lxd, project: str, source: str, target: str, paths: Sequence[str]) -> None:
    """Replace paths of a running machine by those of another one that runs; owners, modes and attributes stay.

    Raises PracticumError when the source cannot pack them, for example because its tools are broken.
    """
    listed = [*IDENTITY, *paths]
    _script(lxd, project, source, PACK, listed)
    _move(lxd, project, source, target)
    _script(lxd, project, target, UNPACK, listed)


@contextmanager
def packed_paths(lxd: Lxd, project: str, instance: str, paths: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """Give paths of a running machine as chunks of a tar archive. Raises PracticumError when it cannot pack them."""
    _script(lxd, project, instance, PACK, paths)
    place = ("instances", instance, "files")
    with lxd.download(*place, project=project, path=ARCHIVE, stream=True) as answer:
        yield iter(lambda: bytes(answer.raw.read(CHUNK)), b"")


def _move(lxd: Lxd, project: str, source: str, target: str) -> None:
    place = ("instances", source, "files")
    headers = {"X-LXD-mode": "0600", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}
    with lxd.download(*place, project=project, path=ARCHIVE, stream=True) as answer:
        lxd.upload("instances", target, "files", data=answer.raw, headers=headers, project=project, path=ARCHIVE)
    for name in (ARCHIVE, EMPTY):
        lxd.delete(*place, project=project, path=name)


def _script(lxd: Lxd, project: str, instance: str, script: str, paths: Sequence[str]) -> None:
    result = lxd.run(instance, ["sh", "-c", script, "sh", *paths], project=project, timeout=SECONDS)
    if result.exit_code:
        raise PracticumError(
            f"{instance}: what is kept could not be carried over",
            details=(result.stderr or result.stdout).strip()[-500:],
            resolution="mend the machine, or give its seat the new system without its old files: practicum reset",
        )
