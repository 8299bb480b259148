"""Volumes in a folder of the host, such as a mounted NFS export, that answer as the custom volumes of an LXD pool do.

The pool of such a volume is the folder's path. ROOT/INSTALLATION/ENV/COURSE/LAB/NAME/ has `work`, which machines get as
a disk, and `volume.json`, its config. A volume is complete when it has its name: making and renaming are one rename.
There are no quotas. This process must be root on LXD's host, and the export must let root give files away.
"""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from practicum.errors import PermissionsError
from practicum.files import write_atomically
from practicum.lxd.errors import LxdConflict, LxdError, LxdNotFound

if TYPE_CHECKING:
    from practicum.lxd.client import Lxd

WORK, RECORD, PARTIAL = "work", "volume.json", ".partial"
SUBUID = Path("/etc/subuid")
# What LXD shifts by where the host says nothing.
DEFAULT_BASE = 1_000_000
CHUNK = 2**20
TAR = ("tar", "--xattrs", "--acls", "--numeric-owner")
Document = dict[str, Any]


def is_folder(path: tuple[str, ...]) -> bool:
    """Say whether an API address is one of a folder's."""
    return len(path) > 1 and path[0] == "storage-pools" and path[1].startswith("/")


def place(root: str, marker: str, name: str) -> Path:
    """Return a volume's folder, from the marker of its lab or seat: INSTALLATION/ENV/COURSE/LAB/SEAT."""
    return Path(root, *marker.split("/")[:4], name)


def beside(source: str, marker: str, name: str) -> str:
    """Return what a machine gets as a disk of another volume below the root of `source`, which is another one's."""
    root = Path(source).parents[5]
    return str(place(str(root), marker, name) / WORK)


def get(lxd: "Lxd", path: tuple[str, ...], project: str, recursion: bool) -> Any:
    """Answer a GET below /1.0/storage-pools/FOLDER. Raises LxdNotFound."""
    root = Path(path[1])
    if not root.is_dir():
        raise LxdNotFound(f"the folder {root} is not there", status=404)
    if len(path) == 2:
        return {"name": path[1], "driver": "folder", "status": "Created", "config": {}}
    if path[2] == "resources":
        usage = shutil.disk_usage(root)
        return {"space": {"used": usage.used, "total": usage.total}}
    lab = _lab(lxd, path[1], project)
    if len(path) > 5:
        return [] if path[5] == "backups" else _missing(path[5])
    if len(path) == 5:
        return _view(lab / path[4], _users(lxd, project))
    found = sorted(one.parent for one in lab.glob(f"[!.]*/{RECORD}"))
    if not recursion:
        return [folder.name for folder in found]
    users, views = _users(lxd, project), []
    for folder in found:
        # Another machine's volume may go while this list is made.
        with suppress(LxdNotFound):
            views.append(_view(folder, users))
    return views


def post(lxd: "Lxd", path: tuple[str, ...], project: str, body: Document) -> None:
    """Make a volume, empty or as a copy, or give one another name. Raises LxdConflict, LxdNotFound."""
    lab = _lab(lxd, path[1], project)
    new = lab / body["name"]
    if new.exists():
        raise LxdConflict(f"there is a volume {new} already", status=409)
    if len(path) == 5:
        found = lab / path[4]
        if not (found / RECORD).is_file():
            _missing(path[4])
        found.rename(new)
        return
    source = body.get("source")
    partial = _fresh(new)
    if source is None:
        _make_work(partial)
    else:
        origin = _lab(lxd, path[1], source["project"]) / source["name"]
        _unpack(partial, _packed(origin, WORK))
    _write_record(partial, body["config"])
    partial.rename(new)


def patch(lxd: "Lxd", path: tuple[str, ...], project: str, body: Document) -> None:
    """Change a volume's config; an empty value removes a key."""
    folder = _lab(lxd, path[1], project) / path[4]
    config = {**_config(folder), **body["config"]}
    _write_record(folder, {key: value for key, value in config.items() if value != ""})


def delete(lxd: "Lxd", path: tuple[str, ...], project: str) -> None:
    """Delete a volume, and the folders above it that are empty then; gone already is success."""
    lab = _lab(lxd, path[1], project)
    for gone in (lab / path[4], _partial(lab / path[4])):
        if gone.exists():
            doomed = gone if gone.name.endswith(PARTIAL) else gone.rename(_fresh(gone))
            shutil.rmtree(doomed)
    # Volumes of one lab are deleted side by side: the last one may have taken a folder that this one still saw.
    for emptied in (lab, *lab.parents[:3]):
        try:
            emptied.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            return


def chunks(lxd: "Lxd", project: str, root: str, name: str) -> Iterator[bytes]:
    """Return a volume and its config as a tar archive, with owners, modes, links and extended attributes."""
    folder = _lab(lxd, root, project) / name
    _config(folder)
    return _packed(folder, WORK, RECORD)


def restore(lxd: "Lxd", project: str, root: str, name: str, stream: IO[bytes]) -> None:
    """Make a new volume of what `chunks` gave. Raises LxdConflict, or LxdError for a host that shifts ids otherwise."""
    new = _lab(lxd, root, project) / name
    if new.exists():
        raise LxdConflict(f"there is a volume {new} already", status=409)
    partial = _fresh(new)
    _unpack(partial, iter(lambda: stream.read(CHUNK), b""))
    if json.loads((partial / RECORD).read_text(encoding="utf-8"))["base"] != id_base():
        shutil.rmtree(partial)
        raise LxdError(f"the ids in the archive of {name} are of a host that shifts them otherwise")
    partial.rename(new)


def id_base() -> int:
    """Return the host's id that is root in LXD's machines: from /etc/subuid, as LXD reads it."""
    try:
        lines = [line.split(":") for line in SUBUID.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return DEFAULT_BASE
    return next((int(line[1]) for line in lines if line[0] == "root"), DEFAULT_BASE)


def _lab(lxd: "Lxd", root: str, project: str) -> Path:
    """Return the folder of a project's volumes, from the project's marker; of golden machines there is none."""
    marker = lxd.get("projects", project)["config"].get("user.practicum", "")
    parts = marker.split("/")
    if len(parts) != 5 or parts[4] != "-" or any(part in ("", "..") for part in parts):
        raise LxdNotFound(f"{project} has no volumes in {root}", status=404)
    return Path(root, *parts[:4])


def _missing(name: str) -> Any:
    raise LxdNotFound(f"there is no volume {name}", status=404)


def _users(lxd: "Lxd", project: str) -> dict[str, list[str]]:
    """Return the addresses of the machines that have a disk, by its source."""
    users: dict[str, list[str]] = {}
    for one in lxd.get("instances", project=project, recursion=1):
        for device in one["devices"].values():
            users.setdefault(device.get("source", ""), []).append(f"/1.0/instances/{one['name']}?project={project}")
    return users


def _view(folder: Path, users: Mapping[str, list[str]]) -> Document:
    used_by = users.get(str(folder / WORK), [])
    return {"name": folder.name, "type": "custom", "config": _config(folder), "used_by": used_by}


def _config(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8"))["config"])
    except FileNotFoundError as error:
        raise LxdNotFound(f"there is no volume {folder.name}", status=404) from error
    except (OSError, ValueError, KeyError) as error:
        raise LxdError(f"{folder / RECORD} cannot be read", details=str(error)) from error


def _write_record(folder: Path, config: Mapping[str, str]) -> None:
    write_atomically(folder / RECORD, json.dumps({"base": id_base(), "config": dict(config)}, indent=2) + "\n")


def _partial(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{PARTIAL}")


def _fresh(folder: Path) -> Path:
    """Return a name beside a volume's that is free; what a killed run left there goes."""
    partial = _partial(folder)
    if partial.exists():
        shutil.rmtree(partial)
    partial.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    return partial


def _make_work(partial: Path) -> None:
    work = partial / WORK
    work.mkdir(parents=True, mode=0o711)
    try:
        os.chown(work, id_base(), id_base())
    except PermissionError as error:
        raise PermissionsError(
            f"{work} cannot be given to the machines",
            details=str(error),
            resolution="run as root on LXD's host; export the NFS folder with no_root_squash",
        ) from error


def _packed(folder: Path, *names: str) -> Iterator[bytes]:
    with subprocess.Popen([*TAR, "-cf", "-", "-C", folder, *names], stdout=subprocess.PIPE) as process:
        if process.stdout is not None:
            yield from iter(lambda: process.stdout.read(CHUNK), b"")  # type: ignore[union-attr]
    # 1: a file changed while it was read, as on a machine that runs.
    if process.returncode not in (0, 1):
        raise LxdError(f"{folder} could not be read whole", details=f"tar ended with {process.returncode}")


def _unpack(partial: Path, pieces: Iterable[bytes]) -> None:
    partial.mkdir(parents=True)
    command = [*TAR, "--xattrs-include=*", "--same-permissions", "--same-owner", "-xf", "-", "-C", str(partial)]
    # A tar that gave up tells by its end, not by the pipe.
    with suppress(BrokenPipeError), subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for piece in pieces:
            if process.stdin is not None:
                process.stdin.write(piece)
    if process.returncode:
        shutil.rmtree(partial)
        raise LxdError(f"{partial.name} could not be written whole", details=f"tar ended with {process.returncode}")
