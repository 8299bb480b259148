"""What PyYAML says about text that is not YAML, told in words that people who write specs understand."""

import codecs
import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.error import Mark, MarkedYAMLError
from yaml.reader import ReaderError
from yaml.tokens import FlowMappingEndToken, FlowSequenceEndToken, ScalarToken, Token

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.schema_files import read_schema_yaml

__all__ = [
    "INVISIBLE",
    "SURROGATE",
    "conflict",
    "decode",
    "impossible_escape",
    "invisible_character",
    "place_of",
    "syntax_problem",
]

# Spaces that are none to YAML, and characters without any width; among them those that turn the direction of text.
INVISIBLE = re.compile("[\u00a0\u1680\u2000-\u200f\u202a-\u202f\u205f-\u2069\u3000\ufeff]")
# Halves of characters, which only an escape such as "\\ud800" can make.
SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\U(?!0000|0010|000[1-9a-fA-F])[0-9a-fA-F]{8}")
_WIDE = ((codecs.BOM_UTF32_LE, 32), (codecs.BOM_UTF32_BE, 32), (codecs.BOM_UTF16_LE, 16), (codecs.BOM_UTF16_BE, 16))
_CONFLICT = re.compile(r"(?:<{7}|>{7})(?: .*)?")
_BREAK = re.compile(r"\r\n|[\r\n]")
_NO_SPACE = re.compile(r"\s*(?:- +)?[A-Za-z_][\w-]*(:)[^\s/]")
# Line breaks of YAML 1.1 that YAML 1.2 reads as plain characters: PyYAML would count lines that no editor shows.
_OLD_BREAKS = str.maketrans("\x85\u2028\u2029", "   ")


def place_of(before: str) -> Position:
    """Return the place of the character that follows the text `before`."""
    lines = _BREAK.split(before)
    return _place(len(lines), len(lines[-1]) + 1)


def _place(line: int, column: int, width: int = 1) -> Position:
    return Position(line, column, line, column + width)


def decode(data: bytes, file: str) -> str | Diagnostic:
    """Return UTF-8 bytes as text without a byte-order mark, or what is wrong with them."""
    bits = next((bits for mark, bits in _WIDE if data.startswith(mark)), 0)
    if bits or b"\x00" in data[:2]:
        return Diagnostic("PRA007", f"this file is in UTF-{bits or 16}, not in UTF-8", file)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode().translate(_OLD_BREAKS)
    except UnicodeDecodeError as error:
        message = f"this file is not in UTF-8: the byte 0x{data[error.start]:02X} stands here"
        return Diagnostic("PRA007", message, file, place_of(data[: error.start].decode()))


def conflict(text: str, file: str) -> Diagnostic | None:
    """Return the first mark that git left where two versions of a line contradict each other."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return None
    for number, line in enumerate(_BREAK.split(text), 1):
        if _CONFLICT.fullmatch(line):
            message = "a merge conflict begins here: git could not join two versions of this file"
            return Diagnostic("PRA015", message, file, _place(number, 1, len(line)))
    return None


def invisible_character(character: str) -> tuple[str, str]:
    """Return code and message for a character that looks like a space, or like nothing."""
    return "PRA014", f"an invisible character (U+{ord(character):04X}) stands here"


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    """Return the diagnostic for what PyYAML raised."""
    if isinstance(error, ReaderError):
        message = f"the invisible character U+{ord(text[error.position]):04X} cannot stand in a text file"
        hint = "Delete the line and type it again: such characters come with copied text."
        return Diagnostic("PRA001", message, file, place_of(text[: error.position]), hint=hint)
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if not isinstance(error, MarkedYAMLError) or mark is None:
        return Diagnostic("PRA001", "this file is not YAML", file)
    lines = _BREAK.split(text)
    return (
        _tab(mark, lines, file)
        or _unseen(error, lines, file)
        or _colon(error, mark, lines, file)
        or _after(error, mark, text, file)
        or _translated(error, file)
    )


def impossible_escape(text: str, file: str) -> Diagnostic:
    """Return the diagnostic for an escape such as "\\U00110000", beyond all characters that there are."""
    found = _ESCAPE.search(text)
    place = place_of(text[: found.start()]) if found else Position()
    message = "a backslash in double quotes begins a special character, and this one does not exist"
    hint = "Use single quotes ('…') for text with backslashes."
    return Diagnostic("PRA001", message, file, place, hint=hint)


def _line(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _tab(mark: Mark, lines: list[str], file: str) -> Diagnostic | None:
    line = _line(lines, mark.line)
    indent = line[: len(line) - len(line.lstrip())]
    column = indent.find("\t") if "\t" in indent else mark.column
    if line[column : column + 1] != "\t":
        return None
    return Diagnostic("PRA002", "a tab stands where YAML needs spaces", file, _place(mark.line + 1, column + 1))


def _unseen(error: MarkedYAMLError, lines: list[str], file: str) -> Diagnostic | None:
    """Blame an invisible character on a line where reading stopped."""
    for mark in filter(None, (error.context_mark, error.problem_mark)):
        found = INVISIBLE.search(_line(lines, mark.line))
        if found:
            return Diagnostic(*invisible_character(found[0]), file, _place(mark.line + 1, found.start() + 1))
    return None


def _colon(error: MarkedYAMLError, mark: Mark, lines: list[str], file: str) -> Diagnostic | None:
    """Tell what a colon at an impossible place comes from: text with a colon, a missing space, or indentation."""
    if "mapping values are not allowed" not in (error.problem or ""):
        return None
    line = _line(lines, mark.line)
    first = re.search(r":\s+(?=\S)", line[: mark.column])
    if first:
        value = line[first.end() :].strip()
        hint = f'Put the text in quotes: {line[: first.start()].strip()}: "{value}".'
        message = "text with ': ' in it must stand in quotes"
        return Diagnostic("PRA001", message, file, _place(mark.line + 1, first.end() + 1, len(value)), hint=hint)
    above = next((number for number in range(mark.line - 1, -1, -1) if lines[number].strip()), None)
    missing = _NO_SPACE.match(lines[above]) if above is not None else None
    if above is not None and missing:
        hint = f"Write {missing[0][:-1].strip()} and a space before the value."
        message = "a space is missing after the colon"
        return Diagnostic("PRA001", message, file, _place(above + 1, missing.start(1) + 1), hint=hint)
    key = line[: mark.column].strip()
    message = "this line is indented further than the line above, which has a value of its own"
    hint = f"'{key}' begins in the column of the keys that it belongs to; use two spaces for each level."
    return Diagnostic("PRA001", message, file, _place(mark.line + 1, line.find(key) + 1, len(key)), hint=hint)


def _after(error: MarkedYAMLError, mark: Mark, text: str, file: str) -> Diagnostic | None:
    """Tell what stands behind a closing quote or bracket; it may have closed what was left open far above."""
    if "expected <block end>" not in (error.problem or ""):
        return None
    token = _token_before(text, mark)
    if isinstance(token, FlowSequenceEndToken | FlowMappingEndToken):
        message, hint = "text goes on after the closing bracket", "Text that begins with [ or { must stand in quotes."
    elif isinstance(token, ScalarToken) and token.style in ("'", '"'):
        start = token.start_mark
        if start.line != token.end_mark.line:
            hint = "Close it on the same line with the same kind of quote."
            message = "the quote that opens here is never closed, or only further down"
            return Diagnostic("PRA001", message, file, _place(start.line + 1, start.column + 1), hint=hint)
        message = "text goes on after the closing quote"
        hint = "Put the whole text in one pair of quotes; between single quotes a quote is written twice: 'Ada''s lab'."
    else:
        return None
    return Diagnostic("PRA001", message, file, _place(mark.line + 1, mark.column + 1), hint=hint)


def _token_before(text: str, mark: Mark) -> Token | None:
    """Return the token that ends on the line of `mark` before it."""
    last = None
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if token.start_mark.index >= mark.index:
                break
            last = token if token.end_mark.line == mark.line else None
    except yaml.YAMLError:
        pass
    return last


def _translated(error: MarkedYAMLError, file: str) -> Diagnostic:
    words = f"{error.context or ''}: {error.problem or ''}"
    rule: Mapping[str, Any] = next(
        (rule for rule in read_schema_yaml("hints.yaml")["syntax"] if re.search(rule["match"], words)), {}
    )
    mark = error.problem_mark
    if rule.get("at") == "start" and error.context_mark is not None:
        mark = error.context_mark
    place = _place(mark.line + 1, mark.column + 1) if mark else Position()
    found = re.search(r"'(.+?)'", error.problem or "")
    message = rule.get("message", "this is not YAML: {words}").format(found=found[1] if found else "", words=words)
    return Diagnostic(rule.get("code", "PRA001"), message, file, place, hint=rule.get("hint", ""))
