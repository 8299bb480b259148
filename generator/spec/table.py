"""Reads tables: CSV files as spreadsheets of many countries, Moodle and GitLab export them."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.spec.syntax import conflict, decode

__all__ = ["Row", "heading", "read_table", "too_wide"]

_BREAK = re.compile(r"\r\n|[\r\n]")
# Spreadsheets that are told their delimiter write it into the first line.
_SEPARATOR = re.compile(r"\"?sep=(.)\"?[,;\t]*", re.IGNORECASE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Row:
    """A line of a table that is not empty; lines and cells count from 1 and 0."""

    line: int
    text: str
    cells: list[str]
    delimiter: str

    def cell(self, number: int | None) -> str:
        """Return a cell's text; nothing for one that is not there."""
        return self.cells[number].strip() if number is not None and number < len(self.cells) else ""

    @property
    def width(self) -> int:
        """How many cells there are up to the last with text in it."""
        return max((number for number, cell in enumerate(self.cells, 1) if cell.strip()), default=0)

    def place(self, number: int | None = None) -> Position:
        """Return where the text of a cell stands in the line; the whole line without a number."""
        text = self.cell(number)
        start = self.text.find(text, self._start(number)) if text and number is not None else 0
        return Position(self.line, max(start, 0) + 1, self.line, max(start, 0) + 1 + len(text or self.text))

    def _start(self, number: int) -> int:
        """Return where a cell begins; delimiters between quotes are none."""
        quoted, place = False, 0
        for position, character in enumerate(self.text):
            quoted ^= character == '"'
            if character == self.delimiter and not quoted:
                number -= 1
                place = position + 1 if number >= 0 else place
        return place


class _BrokenError(Exception):
    """The text is no CSV from `line` on."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _rows(text: str) -> Iterator[Row]:
    lines = _BREAK.split(text)
    told = _SEPARATOR.fullmatch(lines[0].strip())
    delimiter = told[1] if told else _delimiter(lines)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _BrokenError(line, str(error)) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells) and not (told and line == 1):
            yield Row(line, lines[line - 1], cells, delimiter)


def _delimiter(lines: list[str]) -> str:
    """Return what separates the columns: spreadsheets of many countries write semicolons."""
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=re.sub('"[^"]*"', "", first).count)


def read_table(data: bytes, file: str, word: str) -> list[Row] | Diagnostic:
    """Return the lines of a table, or why there are none; `word` is what people call it, such as roster."""
    if data.startswith(_WORKBOOKS):
        return Diagnostic("PRA061", f"this {word} is a spreadsheet with another name, not CSV", file)
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        return Diagnostic("PRA061", text.message.replace("this file", f"this {word}"), file, text.position)
    if marked := conflict(text, file):
        return marked
    try:
        return list(_rows(text))
    except _BrokenError as error:
        return _broken(error, file)


def too_wide(row: Row, width: int, file: str) -> Diagnostic | None:
    """Tell a line with more columns than the first line names."""
    if row.width <= width:
        return None
    message = f"this line has {row.width} columns, and the first line names {width}"
    return Diagnostic("PRA065", message, file, row.place())


def heading(cell: str) -> str:
    """Return a column's name as it is compared."""
    return " ".join(cell.replace("_", " ").lower().split())


def _broken(error: _BrokenError, file: str) -> Diagnostic:
    unclosed = "unexpected end" in str(error)
    message = "a quote in this line is never closed" if unclosed else f"this line is not CSV: {error}"
    hint = "Put quotes at both ends of the text; a quote inside it is written twice." if unclosed else ""
    return Diagnostic("PRA065", message, file, Position(error.line, 1, error.line, 2), hint=hint)
