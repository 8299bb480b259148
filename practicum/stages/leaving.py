"""Students who left a class: seats are stopped, kept until a date, then written out and removed; ids stay theirs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from generator.generate import read_seat_book
from generator.seats.books import BrokenBook
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd import power
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.plan import Plan
from practicum.lxd.projects import note
from practicum.stages.backup_store import moment
from practicum.stages.deployment import Deployment
from practicum.stages.export import Work, archive_name, export, unexported, work_of
from practicum.stages.guards import require_unchanged
from practicum.stages.rollout import remove_copies
from practicum.stages.workspace import Workspace

STAGE = "leave"
# On the project: seats that were removed, each with the archive of its work, and when.
LEFT = "user.practicum.left"
FOLDER = "left"


@dataclass(frozen=True)
class Leaving:
    """A seat of somebody who left, and until when it is kept.

    `archive` has its files once it was removed, and is empty for a seat without volumes.
    """

    seat: str
    until: date
    archive: str | None = None

    @property
    def words(self) -> str:
        """Return it for people."""
        if self.archive is None:
            return f"left the class; machines and files are kept until {self.until}"
        return "left the class and was removed" + (f"; the files are in {self.archive}" if self.archive else "")


def leaving(workspace: Workspace, deployment: Deployment, config: Mapping[str, str]) -> list[Leaving]:
    """Return the seats of those who left, by the book of seats and prod's definitions, which must agree.

    `config` is that of the lab's LXD project.
    """
    try:
        book = read_seat_book(workspace.repository.sources("HEAD"), deployment.lab)
    except BrokenBook as error:
        where = f"{error.path}:{error.line}"
        raise InputError(f"{where}: {error.message}", resolution="take the version of main") from error
    removed = _removed(config)
    return [
        Leaving(seat, entry.until, _archive(removed.get(seat), entry.until))
        for seat, entry in book.items()
        if entry.until is not None and _is_stopped(deployment, seat)
    ]


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


def told_on_return(config: Mapping[str, str], lab: str, todo: Plan) -> Iterator[tuple[str, str]]:
    """Yield, for each seat that is made again after its removal, where what it had is."""
    made = {action.seat for action in todo.actions if (action.verb, action.kind) == ("create", "instance")}
    for seat, entry in _removed(config).items():
        if seat in made and entry["archive"]:
            words = f"it was removed on {entry['at'][:10]}, and its volumes are new; what they held is in an archive"
            yield seat, f"{words}: practicum import {lab} {entry['archive']} --seat {seat}"


def _remove(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, seat: str, things: Sequence[Marked], now: datetime
) -> str:
    project = deployment.scope.project
    works = _works(lxd, deployment, seat)
    entry = _removed(lxd.get("projects", project)["config"]).get(seat, {})
    if not entry.get("removing") or unexported(lxd, works):
        archive = _export(workspace, deployment, lxd, seat, now) if works else ""
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
    """Write the volumes of a seat, whose machines are stopped for it, to an archive; return its path."""
    folder = _folder(deployment, now)
    for entry in deployment.seats[seat]["instances"] if seat in deployment.seats else ():
        if lxd.find("instances", entry["name"], project=deployment.scope.project) is not None:
            power.stop(lxd, deployment.scope.project, entry["name"])
    for failed in export(workspace, deployment.lab, deployment.environment, folder, now, [seat]).failed:
        raise failed.error or PracticumError(f"{seat} could not be exported")
    return str(folder / archive_name(deployment.lab, seat))


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


def _is_stopped(deployment: Deployment, seat: str) -> bool:
    return seat not in deployment.seats or bool(deployment.seats[seat]["power"] == "stopped")


def _archive(entry: Mapping[str, Any] | None, until: date) -> str | None:
    """Return the archive of a removal; None where it is yet to come, as for somebody who left, came back, and left."""
    whole = entry is not None and not entry["removing"] and entry["at"][:10] > until.isoformat()
    return str(entry["archive"]) if entry is not None and whole else None


def _removed(config: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return dict(json.loads(config.get(LEFT) or "{}"))


def _note(lxd: Lxd, project: str, seat: str, entry: Mapping[str, Any]) -> None:
    removed = _removed(lxd.get("projects", project)["config"])
    note(lxd, project, {LEFT: json.dumps({**removed, seat: entry}, sort_keys=True)})
