"""Reads a roster: a CSV file with one student a line, as spreadsheets, Moodle and GitLab export it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from generator.diagnostics.diagnostic import Diagnostic
from generator.schema_files import read_schema_yaml
from generator.spec.model import Student
from generator.spec.table import Row, heading, read_table, too_wide
from generator.spec.words import nearest

__all__ = ["Roster", "read_roster"]

_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class Roster:
    """The students of a roster in the order of the file, and what is wrong with it."""

    students: tuple[Student, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


@lru_cache(maxsize=1)  # several rules of one lab ask for its roster
def read_roster(data: bytes, file: str) -> Roster:
    """Read a roster from bytes; `file` is the name that diagnostics carry."""
    rows = read_table(data, file, "roster")
    if isinstance(rows, Diagnostic):
        return Roster((), (rows,))
    return _read_rows(rows, file) if rows else Roster((), (_empty(file),))


def _empty(file: str) -> Diagnostic:
    return Diagnostic("PRA066", "this roster has no students", file)


def _read_rows(rows: list[Row], file: str) -> Roster:
    header, *body = rows
    headings = [heading(cell) for cell in header.cells]
    columns = _columns(headings)
    if "login" not in columns:
        return Roster((), (_no_login(header, headings, file),))
    if headings.count(headings[columns["login"]]) > 1:
        message = f"two columns are called '{headings[columns['login']]}'"
        return Roster((), (Diagnostic("PRA062", message, file, header.place()),))
    if not body:
        return Roster((), (_empty(file),))
    problems = list(_problems(body, columns["login"], len(headings), file))
    return Roster(tuple(_student(row, columns) for row in body), tuple(problems))


def _columns(headings: Sequence[str]) -> dict[str, int]:
    """Return the number of each column that is there, by our names."""
    known: Mapping[str, list[str]] = read_schema_yaml("hints.yaml")["roster"]
    found = {name: next((word for word in words if word in headings), None) for name, words in known.items()}
    return {name: headings.index(word) for name, word in found.items() if word is not None}


def _no_login(header: Row, headings: Sequence[str], file: str) -> Diagnostic:
    if not _columns(headings) and any("@" in cell or cell.isdigit() for cell in headings):
        message = "the first line of this roster is a student; it must name the columns"
        hint = "Add a line above it, for example login,name,email,group."
        return Diagnostic("PRA062", message, file, header.place(), hint=hint)
    choice = nearest("login", headings)
    message = "this roster has no column 'login'" + (f"; is it '{choice}'?" if choice else "")
    return Diagnostic("PRA062", message, file, header.place())


def _student(row: Row, columns: Mapping[str, int]) -> Student:
    login, name, email, group = (row.cell(columns.get(column)) for column in ("login", "name", "email", "group"))
    parts = [row.cell(columns.get(column)) for column in ("first", "last")]
    return Student(login, name or " ".join(filter(None, parts)), email, group)


def _problems(rows: list[Row], login_column: int, width: int, file: str) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for row in rows:
        login = row.cell(login_column)
        if wide := too_wide(row, width, file):
            yield wide
        elif not login:
            yield Diagnostic("PRA063", "this line has no login", file, row.place())
        elif _LOGIN.fullmatch(login) is None:
            yield Diagnostic("PRA068", f"'{login}' is not a login", file, row.place(login_column))
        elif login.casefold() in seen:
            message = f"the login '{login}' stands here twice (first in line {seen[login.casefold()]})"
            yield Diagnostic("PRA064", message, file, row.place(login_column))
        seen.setdefault(login.casefold(), row.line)
