"""Reads a lab's extensions: a CSV file beside its spec, with a later due time for each student who got one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.spec.table import Row, heading, read_table, too_wide
from generator.spec.words import did_you_mean, nearest

__all__ = ["Extensions", "extensions_path", "read_extensions"]

_COLUMNS = ("login", "due")


@dataclass(frozen=True)
class Extensions:
    """Until when who may hand in, by case-folded login, and what is wrong with the file."""

    times: Mapping[str, datetime] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


def extensions_path(spec: str) -> str:
    """Return where the extensions of a spec stand: `labs/COURSE/LAB.extensions.csv`."""
    return spec.removesuffix(".lab.yaml") + ".extensions.csv"


def read_extensions(
    data: bytes, file: str, logins: Collection[str], due: datetime | None, end: datetime | None
) -> Extensions:
    """Read extensions from bytes. `logins` are those of the class, `due` and `end` the times of the spec."""
    rows = read_table(data, file, "list of extensions")
    if isinstance(rows, Diagnostic):
        return Extensions({}, (rows,))
    header, *body = rows or [Row(1, "", [], ",")]
    headings = [heading(cell) for cell in header.cells]
    missing = [column for column in _COLUMNS if column not in headings]
    if missing:
        message = f"this list of extensions has no column '{missing[0]}'"
        return Extensions({}, (Diagnostic("PRA087", message, file, header.place()),))
    if due is None and body:
        message = "this lab has no due time that could be extended"
        return Extensions({}, (Diagnostic("PRA089", message, file, Position(), hint="Add schedule.due to the spec."),))
    reading = _Reading(file, [headings.index(column) for column in _COLUMNS], len(headings), logins, due, end)
    problems = tuple(reading.problems(body))
    return Extensions({} if problems else dict(reading.times(body)), problems)


@dataclass(frozen=True)
class _Reading:
    file: str
    columns: Sequence[int]
    width: int
    logins: Collection[str]
    due: datetime | None
    end: datetime | None

    def times(self, rows: Sequence[Row]) -> Iterator[tuple[str, datetime]]:
        for row in rows:
            login, text = (row.cell(column) for column in self.columns)
            if time := _time(text):
                yield login.casefold(), time

    def problems(self, rows: Sequence[Row]) -> Iterator[Diagnostic]:
        seen: dict[str, int] = {}
        for row in rows:
            login = row.cell(self.columns[0])
            yield from self._of_row(row, login, seen.get(login.casefold()))
            seen.setdefault(login.casefold(), row.line)

    def _of_row(self, row: Row, login: str, before: int | None) -> Iterator[Diagnostic]:
        if wide := too_wide(row, self.width, self.file):
            yield wide
        elif not login:
            yield Diagnostic("PRA063", "this line has no login", self.file, row.place())
        elif before is not None:
            message = f"the login '{login}' stands here twice (first in line {before})"
            yield Diagnostic("PRA064", message, self.file, row.place(self.columns[0]))
        elif login.casefold() not in {one.casefold() for one in self.logins}:
            message = f"'{login}' is not in the class{did_you_mean(nearest(login, list(self.logins)))}"
            yield Diagnostic("PRA088", message, self.file, row.place(self.columns[0]))
        else:
            yield from self._of_time(row)

    def _of_time(self, row: Row) -> Iterator[Diagnostic]:
        text, place = row.cell(self.columns[1]), row.place(self.columns[1])
        time = _time(text)
        if time is None:
            yield Diagnostic("PRA086", f"there is no such time: '{text}'", self.file, place)
        elif self.due is not None and time < self.due:
            message = f"this is before the lab is due ({self.due.isoformat()})"
            yield Diagnostic("PRA089", message, self.file, place)
        elif self.end is not None and time > self.end:
            message = f"this is after the lab ends ({self.end.isoformat()})"
            yield Diagnostic("PRA089", message, self.file, place)


def _time(text: str) -> datetime | None:
    """Return a time that has an offset from UTC, or None."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
