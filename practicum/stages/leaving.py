"""Students who left a class: seats are stopped, kept until a date, then written out and removed; ids stay theirs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from generator.generate import read_seat_book
from generator.seats.books import BrokenBook
from practicum.errors import InputError
from practicum.lxd.plan import Plan
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

# On the project: seats that were removed, each with the archive of its work, and when.
LEFT = "user.practicum.left"


@dataclass(frozen=True)
class Leaving:
    """A seat of somebody who left, and until when it is kept.

    `archive` has its files once it was removed, and is empty for a seat of which nothing was there.
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
    removed = removed_seats(config)
    return [
        Leaving(seat, entry.until, _archive(removed.get(seat), entry.until))
        for seat, entry in book.items()
        if entry.until is not None and _is_stopped(deployment, seat)
    ]


def told_on_return(config: Mapping[str, str], lab: str, todo: Plan) -> Iterator[tuple[str, str]]:
    """Yield, for each seat that is made again after its removal, where what it had is."""
    made = {action.seat for action in todo.actions if (action.verb, action.kind) == ("create", "instance")}
    for seat, entry in removed_seats(config).items():
        if seat in made and entry["archive"]:
            words = f"it was removed on {entry['at'][:10]}, and its volumes are new; what they held is in an archive"
            yield seat, f"{words}: practicum import {lab} {entry['archive']} --seat {seat}"


def _is_stopped(deployment: Deployment, seat: str) -> bool:
    return seat not in deployment.seats or bool(deployment.seats[seat]["power"] == "stopped")


def _archive(entry: Mapping[str, Any] | None, until: date) -> str | None:
    """Return the archive of a removal; None where it is yet to come, as for somebody who left, came back, and left."""
    whole = entry is not None and not entry["removing"] and entry["at"][:10] > until.isoformat()
    return str(entry["archive"]) if entry is not None and whole else None


def removed_seats(config: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the seats that were removed, each with its archive and when; config is that of the LXD project."""
    return dict(json.loads(config.get(LEFT) or "{}"))
