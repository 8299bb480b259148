"""Who opened a terminal in a student's machine: written before it opens, and shown to the student."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from practicum.files import refusals_told

__all__ = ["Audit", "Visit"]

FILE = ".practicum/consoles.jsonl"
MOST_SHOWN = 20


@dataclass(frozen=True)
class Visit:
    """What somebody who teaches did: opened a terminal, or looked on at the student's own.

    `who` is a login, empty for the operator; `time` is an ISO text in UTC.
    """

    time: str
    who: str
    lab: str
    seat: str
    machine: str
    what: str = "terminal"


@dataclass(frozen=True)
class Audit:
    """The list of a repository, below `root`; lines are added only."""

    root: Path

    def write(self, who: str, lab: str, seat: str, machine: str, what: str = "terminal") -> None:
        """Add a visit that is about to begin. Raises PracticumError when it cannot be written: then none may begin."""
        visit = Visit(datetime.now(UTC).isoformat(timespec="seconds"), who, lab, seat, machine, what)
        with refusals_told(
            "the list of terminals that staff opened cannot be written, so none is opened",
            f"{self._path} must be writable for whoever runs the web page",
        ):
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(visit), ensure_ascii=False) + "\n")

    def of(self, lab: str, seat: str) -> list[Visit]:
        """Return the last visits of a student's copy, newest first."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = [Visit(**json.loads(line)) for line in lines]
        return [one for one in reversed(found) if (one.lab, one.seat) == (lab, seat)][:MOST_SHOWN]

    @property
    def _path(self) -> Path:
        return self.root / FILE
