"""What PyYAML says about text that is not YAML, told in words that people who write specs understand."""

import codecs
import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.schema_files import read_schema_yaml

__all__ = ["decode", "place_of", "syntax_problem"]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Line breaks of YAML 1.1 that YAML 1.2 reads as plain characters: PyYAML would count lines that no editor shows.
_OLD_BREAKS = str.maketrans("\x85\u2028\u2029", "   ")


def place_of(before: str) -> Position:
    """Return the place of the character that follows the text `before`."""
    lines = re.split(r"\r\n|[\r\n]", before)
    column = len(lines[-1]) + 1
    return Position(len(lines), column, len(lines), column + 1)


def decode(data: bytes, file: str) -> str | Diagnostic:
    """Return UTF-8 bytes as text without a byte-order mark, or what is wrong with them."""
    if data.startswith(_UTF16):
        return Diagnostic("PRA007", "this file is in UTF-16, not in UTF-8", file)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode().translate(_OLD_BREAKS)
    except UnicodeDecodeError as error:
        message = f"this file is not in UTF-8: the byte 0x{data[error.start]:02X} stands here"
        return Diagnostic("PRA007", message, file, place_of(data[: error.start].decode()))


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    """Return the diagnostic for what PyYAML raised."""
    if isinstance(error, ReaderError):
        message = f"the invisible character U+{ord(text[error.position]):04X} cannot stand in a text file"
        hint = "Delete the line and type it again: such characters come with copied text."
        return Diagnostic("PRA001", message, file, place_of(text[: error.position]), hint=hint)
    if not isinstance(error, MarkedYAMLError):
        return Diagnostic("PRA001", "this file is not YAML", file)
    return _tab(error, text, file) or _translated(error, file)


def _tab(error: MarkedYAMLError, text: str, file: str) -> Diagnostic | None:
    mark = error.problem_mark
    if mark is None:
        return None
    lines = re.split(r"\r\n|[\r\n]", text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    column = indent.find("\t") if "\t" in indent else mark.column
    if line[column : column + 1] != "\t":
        return None
    place = Position(mark.line + 1, column + 1, mark.line + 1, column + 2)
    return Diagnostic("PRA002", "a tab stands where YAML needs spaces", file, place)


def _translated(error: MarkedYAMLError, file: str) -> Diagnostic:
    words = f"{error.context or ''}: {error.problem or ''}"
    rule: Mapping[str, Any] = next(
        (rule for rule in read_schema_yaml("hints.yaml")["syntax"] if re.search(rule["match"], words)), {}
    )
    mark = error.problem_mark
    if rule.get("at") == "start" and error.context_mark is not None:
        mark = error.context_mark
    place = Position(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else Position()
    found = re.search(r"'(.+?)'", error.problem or "")
    message = rule.get("message", "this is not YAML: {words}").format(found=found[1] if found else "", words=words)
    return Diagnostic(rule.get("code", "PRA001"), message, file, place, hint=rule.get("hint", ""))
