"""Diagnostics for people: place, code and message, then the line with a caret, a hint and a page."""

import re
from collections.abc import Callable, Sequence
from unicodedata import category, combining, east_asian_width

from generator.diagnostics.codes import hint_of
from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.diagnostics.secrets import without_passwords

__all__ = ["text_report"]

_WIDEST = 160
_COLOURS = {"error": "31;1", "warning": "33;1", "place": "1", "margin": "2"}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Names of files may hold them.
_BREAKS = str.maketrans("\n\t", "��")

_Paint = Callable[[str, str], str]


def text_report(diagnostics: Sequence[Diagnostic], read: Callable[[str], bytes | None], *, colour: bool = False) -> str:
    """Return all diagnostics as text, one empty line between two."""
    paint = _coloured if colour else _plain
    return "\n".join(_entry(diagnostic, _line(diagnostic, read), paint) for diagnostic in diagnostics)


def _plain(text: str, _role: str) -> str:
    return text


def _coloured(text: str, role: str) -> str:
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m"


def _line(diagnostic: Diagnostic, read: Callable[[str], bytes | None]) -> str | None:
    """Return the line that the diagnostic points at, or None when it is about the whole file."""
    data = read(diagnostic.file) if diagnostic.position != Position() else None
    if not data:
        return None
    lines = re.split(r"\r\n|[\r\n]", data.decode("utf-8-sig", errors="replace"))
    number = diagnostic.position.line - 1
    return _safe(lines[number]) if number < len(lines) and lines[number].strip() else None


def _entry(diagnostic: Diagnostic, line: str | None, paint: _Paint) -> str:
    position = diagnostic.position
    place = f"{_safe(diagnostic.file).translate(_BREAKS)}:{position.line}:{position.column}:"
    word = "warning: " if diagnostic.severity == "warning" else ""
    parts = [f"{paint(place, 'place')} {paint(diagnostic.code, diagnostic.severity)} {word}{_safe(diagnostic.message)}"]
    if line is not None:
        parts += _excerpt(diagnostic, line, paint)
    hint = hint_of(diagnostic)
    if hint:
        parts.append("  hint: " + _safe(hint).replace("\n", "\n        "))
    parts.append(f"  docs: {diagnostic.docs}")
    return "\n".join(parts) + "\n"


def _excerpt(diagnostic: Diagnostic, line: str, paint: _Paint) -> list[str]:
    """Return the line and below it a caret for each character that is meant."""
    position = diagnostic.position
    start = min(position.column, len(line) + 1)
    same = position.end_line == position.line
    end = min(position.end_column, len(line) + 1) if same else len(line) + 1
    first = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[first : first + _WIDEST]
    width = max(1, min(end, first + _WIDEST + 1) - start)
    margin = f"{position.line:>5} | "
    blank = " " * (len(margin) - 2) + "| "
    indent = "".join("\t" if character == "\t" else " " * _columns(character) for character in line[first : start - 1])
    carets = paint("^" * max(1, sum(map(_columns, line[start - 1 : start - 1 + width]))), diagnostic.severity)
    return [f"{paint(margin, 'margin')}{shown}", f"{paint(blank, 'margin')}{indent}{carets}"]


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes (Unicode Standard Annex 11)."""
    if combining(character) or category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _safe(text: str) -> str:
    """Return text without passwords and without control characters that would steer the reader's terminal."""
    return _CONTROL.sub("�", without_passwords(text))
