"""Reads a roster: a CSV file with one student a line, as spreadsheets and learning platforms export it."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.spec.model import Student
from generator.spec.syntax import decode
from generator.spec.words import nearest

__all__ = ["Roster", "read_roster"]

_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}")
_COLUMNS = ("login", "name", "email", "group")


@dataclass(frozen=True)
class Roster:
    """The students of a roster in the order of the file, and what is wrong with it."""

    students: tuple[Student, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class _Row:
    line: int
    text: str
    cells: list[str]

    def cell(self, number: int | None) -> str:
        return self.cells[number].strip() if number is not None and number < len(self.cells) else ""

    def place(self, cell: str = "") -> Position:
        """Return where a cell's text stands in the line; the whole line when there is none."""
        column = max(self.text.find(cell), 0) + 1
        return Position(self.line, column, self.line, column + len(cell or self.text))


class _BrokenError(Exception):
    """The text is no CSV from `line` on."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _rows(text: str) -> Iterator[_Row]:
    lines = re.split(r"\r\n|[\r\n]", text)
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(lines), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _BrokenError(line, str(error)) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _Row(line, lines[line - 1], cells)


def _delimiter(lines: list[str]) -> str:
    """Return what separates the columns: spreadsheets of many countries write semicolons."""
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=first.count)


def read_roster(data: bytes, file: str) -> Roster:
    """Read a roster from bytes; `file` is the name that diagnostics carry."""
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        message = text.message.replace("this file", "this roster")
        return Roster((), (Diagnostic("PRA061", message, file, text.position),))
    try:
        rows = list(_rows(text))
    except _BrokenError as error:
        return Roster((), (_broken(error, file),))
    if len(rows) < 2:
        return Roster((), (Diagnostic("PRA066", "this roster has no students", file),))
    return _read_rows(rows, file)


def _broken(error: _BrokenError, file: str) -> Diagnostic:
    unclosed = "unexpected end" in str(error)
    message = "a quote in this line is never closed" if unclosed else f"this line is not CSV: {error}"
    hint = "Put quotes at both ends of the text; a quote inside it is written twice." if unclosed else ""
    return Diagnostic("PRA065", message, file, Position(error.line, 1, error.line, 2), hint=hint)


def _read_rows(rows: list[_Row], file: str) -> Roster:
    header, *body = rows
    columns = [cell.strip().lower() for cell in header.cells]
    if "login" not in columns:
        choice = nearest("login", columns)
        message = "this roster has no column 'login'" + (f"; is it '{choice}'?" if choice else "")
        return Roster((), (Diagnostic("PRA062", message, file, header.place()),))
    numbers = {name: columns.index(name) for name in _COLUMNS if name in columns}
    problems = list(_problems(body, numbers["login"], len(columns), file))
    return Roster(tuple(_student(row, numbers) for row in body), tuple(problems))


def _student(row: _Row, numbers: Mapping[str, int]) -> Student:
    login, name, email, group = (row.cell(numbers.get(column)) for column in _COLUMNS)
    return Student(login, name, email, group)


def _problems(rows: list[_Row], login_column: int, width: int, file: str) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for row in rows:
        login = row.cell(login_column)
        if len(row.cells) > width:
            message = f"this line has {len(row.cells)} columns, and the first line names {width}"
            yield Diagnostic("PRA065", message, file, row.place())
        elif not login:
            yield Diagnostic("PRA063", "this line has no login", file, row.place())
        elif _LOGIN.fullmatch(login) is None:
            yield Diagnostic("PRA068", f"'{login}' is not a login", file, row.place(login))
        elif login.casefold() in seen:
            message = f"the login '{login}' stands here twice (first in line {seen[login.casefold()]})"
            yield Diagnostic("PRA064", message, file, row.place(login))
        seen.setdefault(login.casefold(), row.line)
