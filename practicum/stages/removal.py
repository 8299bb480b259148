"""Removal of students who left: their work is written to an archive first, volumes and what they changed elsewhere."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd import power
from practicum.lxd.archives import Archive
from practicum.lxd.client import Lxd
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.projects import note
from practicum.stages.backup_store import moment
from practicum.stages.changed_files import SystemFiles
from practicum.stages.deployment import Deployment
from practicum.stages.export import Work, archive_name, export, unexported, work_of
from practicum.stages.guards import require_unchanged
from practicum.stages.leaving import LEFT, leaving, removed_seats
from practicum.stages.provision import desired_state
from practicum.stages.rollout import remove_copies
from practicum.stages.workspace import Workspace

STAGE = "leave"
FOLDER = "left"


def overdue(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, config: Mapping[str, str], today: date
) -> dict[str, list[Marked]]:
    """Return what is to be removed of each seat that was kept until a day before this one."""
    seats = [one.seat for one in leaving(workspace, deployment, config) if one.until < today]
    if not seats:
        return {}
    everything = inventory(lxd, deployment.scope.installation, deployment.scope.prefix)
    found = {seat: [thing for thing in everything if thing.marker == deployment.scope.marker(seat)] for seat in seats}
    return {seat: things for seat, things in found.items() if things}


def remove_left(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, due: Mapping[str, Sequence[Marked]], now: datetime
) -> str:
    """Write the work of seats out to where backups go, then remove the seats; return in words what was done.

    Killed anywhere, the next run goes on. Raises what speaks against it; the seat is there as before then.
    """
    done = [_remove(workspace, deployment, lxd, seat, things, now) for seat, things in due.items()]
    archives = ", ".join(filter(None, done))
    return f"removed {', '.join(due)}, who left" + (f"; their files are in {archives}" if archives else "")


def _remove(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, seat: str, things: Sequence[Marked], now: datetime
) -> str:
    project = deployment.scope.project
    works = _works(lxd, deployment, seat)
    entry = removed_seats(lxd.get("projects", project)["config"]).get(seat, {})
    if not entry.get("removing") or unexported(lxd, works):
        archive = _export(workspace, deployment, lxd, seat, now) if works or _machines(deployment, lxd, seat) else ""
        entry = {"archive": archive, "at": now.isoformat(), "removing": True}
    with lease(lxd, project):
        require_unchanged(workspace, deployment)
        if reasons := unexported(lxd, _works(lxd, deployment, seat)):
            raise PracticumError(f"{seat} was not removed: its volumes were {', '.join(reasons)}")
        # A run that is killed from here on must not write out again what is left.
        _note(lxd, project, seat, entry)
        remove_copies(workspace, deployment, [seat])
        remove(lxd, things)
        _note(lxd, project, seat, {**entry, "removing": False})
    workspace.emit(Event(STAGE, "done", f"removed {len(things)} objects", seat))
    return str(entry["archive"])


def _export(workspace: Workspace, deployment: Deployment, lxd: Lxd, seat: str, now: datetime) -> str:
    """Write the work of a seat, whose machines are stopped for it, to an archive; return its path.

    That is its volumes, and what was changed on its systems, kept paths among it.
    """
    folder = _folder(deployment, now)
    for name in _machines(deployment, lxd, seat):
        power.stop(lxd, deployment.scope.project, name)
    pack = partial(_pack_systems, workspace, deployment, lxd)
    for failed in export(workspace, deployment.lab, deployment.environment, folder, now, [seat], pack).failed:
        raise failed.error or PracticumError(f"{seat} could not be exported")
    return str(folder / archive_name(deployment.lab, seat))


def _pack_systems(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, archive: Archive, seat: str
) -> list[dict[str, Any]]:
    """Write what was changed on the systems of a seat to its archive; tell of which that is not known."""
    there = _machines(deployment, lxd, seat)
    if not there:
        return []
    desired = desired_state(workspace, deployment, lxd, [seat], build_images=False)
    files = SystemFiles(lxd, desired, GoldenMachines(lxd, desired))
    packed = [files.add(archive, one, "") for one in desired.seats[0].instances if one.name in there]
    for one in packed:
        if one["unknown"]:
            words = f"changed files of {one['machine']} are not in the archive: {one['unknown']}"
            workspace.emit(Event(STAGE, "warning", words, seat))
    return packed


def _machines(deployment: Deployment, lxd: Lxd, seat: str) -> list[str]:
    """Return the machines of a seat that are there."""
    names = [entry["name"] for entry in deployment.seats[seat]["instances"]] if seat in deployment.seats else []
    return [name for name in names if lxd.find("instances", name, project=deployment.scope.project) is not None]


def _folder(deployment: Deployment, now: datetime) -> Path:
    """Return a new folder beside the backups. Raises UnavailableError where the platform names none that is there."""
    target = (deployment.platform.settings.get("backup") or {}).get("target")
    if target is None or not Path(target).is_dir():
        platform = f"environments/{deployment.environment}/platform.yaml"
        raise UnavailableError(
            "students who left are kept: their work can be written nowhere",
            details=f"the folder {target} is not there" if target else f"{platform} names no folder where backups go",
            resolution="backup: {target: /mnt/backup/practicum}, a folder on another disk",
        )
    root = Path(target) / deployment.platform.installation
    return root / FOLDER / deployment.environment / deployment.lab / moment(now)


def _works(lxd: Lxd, deployment: Deployment, seat: str) -> list[Work]:
    return [work for work in work_of(lxd, deployment) if work.seat == seat]


def _note(lxd: Lxd, project: str, seat: str, entry: Mapping[str, Any]) -> None:
    removed = removed_seats(lxd.get("projects", project)["config"])
    note(lxd, project, {LEFT: json.dumps({**removed, seat: entry}, sort_keys=True)})
