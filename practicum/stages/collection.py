"""The folder that a class's work is collected in: manifest, grades, what each check said, and one archive a student.

The manifest is the state: it says which collection is under way, what each student's checks showed in it, and which
archives are whole. It is replaced as a whole, so a killed run loses at most what it was writing. Names stand in
`grades.csv` alone; everything else goes by seats.
"""

import csv
import fcntl
import hashlib
import io
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from practicum.errors import TryAgainError
from practicum.files import make_folder, write_atomically
from practicum.lxd.archives import PARTIAL, document_bytes, parse_manifest
from practicum.probes.model import ProbeResult
from practicum.stages.backup_store import moment
from practicum.stages.class_list import Person
from practicum.stages.export import whole_name

GRADES = "grades.csv"
CHECKS = "checks"
PRIVATE = 0o600
UNSAFE = re.compile(r"[^a-z0-9]+")
LONGEST_NAME = 40
Document = dict[str, Any]


@dataclass
class Collection:
    """A folder of collected work. `state` is its manifest; safe to use from several threads.

    `due` are the times, by seat, that work is collected for now; empty when somebody collects it as it is.
    """

    folder: Path
    lab: str
    state: Document
    due: Mapping[str, str] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def grades(self) -> dict[str, Document]:
        """What the checks of each seat showed, by seat."""
        return dict(self.state["grades"])

    def begin(self, run: str, header: Mapping[str, Any], due: Mapping[str, str]) -> bool:
        """Begin a collection; say whether it goes on with one that did not come to its end."""
        self.due, resumed = due, bool(self.state["run"]) and not due
        self.state |= header
        if not due:
            self.state["run"] = self.state["run"] or run
        self._write()
        return resumed

    def run_of(self, seat: str) -> str:
        """Return the name of the collection that a seat is in: what was taken under another name does not count.

        What is due has one for each due time, for ever: nothing that was taken before that time has it, and a run that
        failed goes on with what the first one took, whoever collected what in between.
        """
        due = self.due.get(seat)
        return f"{moment(datetime.fromisoformat(due))}d" if due else str(self.state["run"])

    def graded(self, seat: str) -> bool:
        """Say whether the checks of a seat were run in the collection that is under way."""
        return bool(self.grades.get(seat, {}).get("run") == self.run_of(seat))

    def archived(self, seat: str) -> bool:
        """Say whether the archive of a seat was written in the collection that is under way, and is there."""
        entry = self._entry(seat)
        return bool(entry.get("run") == self.run_of(seat) and (self.folder / entry["file"]).is_file())

    def due_of(self, seat: str) -> str:
        """Return the due time for which a seat's work is here, empty when it is not."""
        return str(self._entry(seat).get("due", ""))

    def _entry(self, seat: str) -> Document:
        return next((dict(one) for one in self.state["archives"] if one["seat"] == seat), {})

    def grade(self, seat: str, time: str, points: Mapping[str, int], results: Sequence[ProbeResult]) -> None:
        """Write what each check of a seat said, and note what it showed."""
        checks = [
            self._check(f"{CHECKS}/{seat}/{number:02d}-{safe(result.name)}.txt", result, points[result.name])
            for number, result in enumerate(results, start=1)
        ]
        self.state["grades"][seat] = {"run": self.run_of(seat), "time": time, "checks": checks}

    def _check(self, file: str, result: ProbeResult, points: int) -> Document:
        word = "passed" if result.ok else "failed" if result.known else "could not be tried"
        text = f"{result.name}: {word}\n{result.detail}\n" + (f"\n{result.output}" if result.output else "")
        make_folder((self.folder / file).parent)
        data = text.encode(errors="replace")
        write_atomically(self.folder / file, data, PRIVATE)
        found = {"name": result.name, "ok": result.ok, "known": result.known, "points": points}
        return {**found, "file": file, "sha256": hashlib.sha256(data).hexdigest()}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note an archive that is whole, in place of an older one of its seat."""
        with self._guard:
            others = [one for one in self.state["archives"] if one["seat"] != entry["seat"]]
            new = {**entry, "run": self.run_of(entry["seat"])}
            self.state["archives"] = sorted([*others, new], key=lambda one: str(one["seat"]))
            self._write()

    def finish(self, people: Mapping[str, Person], failed: Sequence[str]) -> str:
        """Write the grades, and the manifest with their digest; without failures the collection is at its end."""
        data = self._table(people)
        write_atomically(self.folder / GRADES, data, PRIVATE)
        self.state["grades_sha256"] = hashlib.sha256(data).hexdigest()
        self.state["failed"] = sorted(failed)
        self.state["run"] = self.state["run"] if failed or self.due else ""
        return self._write()

    def save(self) -> None:
        """Write the manifest."""
        self._write()

    def _table(self, people: Mapping[str, Person]) -> bytes:
        grades = self.grades
        names = list(dict.fromkeys(check["name"] for one in grades.values() for check in one["checks"]))
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(["login", "name", "group", "seat", *names, "points", "time"])
        for seat in sorted(grades, key=lambda name: (len(name), name)):
            person = people.get(seat, Person(seat))
            checks = {check["name"]: check for check in grades[seat]["checks"]}
            cells = [_earned(checks.get(name)) for name in names]
            total = sum(cell for cell in cells if isinstance(cell, int))
            rows.writerow([person.login, person.name, person.group, seat, *cells, total, grades[seat]["time"]])
        return text.getvalue().encode("utf-8-sig")

    def _write(self) -> str:
        data = document_bytes(self.state)
        write_atomically(self.folder / whole_name(self.lab), data, PRIVATE)
        return hashlib.sha256(data).hexdigest()


@contextmanager
def opened(folder: Path, lab: str) -> Iterator[Collection]:
    """Give the collection of a folder, which is made, to this run alone. Raises TryAgainError while another has it."""
    make_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TryAgainError(f"another run is collecting in {folder}") from error
        for left in folder.glob(f"*{PARTIAL}"):
            left.unlink()
        yield Collection(folder, lab, _read(folder / whole_name(lab)))
    finally:
        os.close(descriptor)


def safe(name: str) -> str:
    """Return a check's name as a part of a file's name."""
    return UNSAFE.sub("-", name.lower()).strip("-")[:LONGEST_NAME].rstrip("-") or "check"


def _read(file: Path) -> Document:
    found = dict(parse_manifest(file.read_bytes(), str(file))) if file.is_file() else {}
    return {"run": "", "grades": {}, "archives": [], **found}


def _earned(check: Mapping[str, Any] | None) -> int | str:
    """Return the points of a check; nothing for one that could not be tried."""
    if check is None or not check["known"]:
        return ""
    return int(check["points"]) if check["ok"] else 0
