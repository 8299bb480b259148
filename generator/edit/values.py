"""Writes a value as YAML that the reader, and readers of YAML 1.1, read back as the same value."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from generator.edit.source import Habits
from generator.spec.scalars import CoreResolver

__all__ = ["Writer", "in_flow", "scalar_text"]

_TEXT = "tag:yaml.org,2002:str"
# What stands in a spec without quotes: words, sizes, paths, versions; a colon within a word, one blank between words.
_WORD = r"[\w./@+=~%()$^;<>?!*&'\"|-]"
_PLAIN = re.compile(rf"[\w./](?:{_WORD}|:(?=[\w./])|,(?= ?\w)| (?=[\w(.$/&|<>=+-]))*")
_PLAIN_IN_FLOW = re.compile(r"[\w./](?:[\w./@+=~%()$;'-]|:(?=[\w./])| (?=[\w(.$/=+-]))*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NOT_SHOWN = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\"\\]")
_RESOLVERS: tuple[Any, ...] = (CoreResolver(), Resolver())
_WORDS = {True: "true", False: "false", None: "null"}
_WIDEST = 100


def scalar_text(value: Any, *, flow: bool, style: str = "") -> str:
    """Return a scalar on one line; `style` is the quote to keep to, `flow` true between brackets."""
    if isinstance(value, str):
        return _text(value, flow, style)
    if isinstance(value, float):
        return _float(value)
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


def _text(value: str, flow: bool, style: str) -> str:
    shown = _NOT_SHOWN.search(value.replace('"', "").replace("\\", "")) is None
    if style == "'" and shown:
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _is_plain(value, flow):
        return value
    return '"' + _NOT_SHOWN.sub(_escaped, value) + '"'


def _is_plain(value: str, flow: bool) -> bool:
    form = _PLAIN_IN_FLOW if flow else _PLAIN
    if form.fullmatch(value) is None or _NOT_SHOWN.search(value.replace('"', "")) or value in ("---", "..."):
        return False
    return all(resolver.resolve(ScalarNode, value, (True, False)) == _TEXT for resolver in _RESOLVERS)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    width = "x02" if code < 0x100 else "u04" if code < 0x10000 else "U08"
    return _ESCAPES.get(found[0]) or f"\\{width[0]}{code:{width[1:]}x}"


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    return repr(value).replace("inf", ".inf")


def in_flow(value: Any) -> str:
    """Return a value on one line, with brackets for mappings and lists."""
    if isinstance(value, Mapping):
        entries = (f"{scalar_text(key, flow=True)}: {in_flow(item)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(in_flow, value)) + "]"
    return scalar_text(value, flow=True)


class Writer:
    """Writes values into a text with the habits of its author; without `literals`, never as `|` blocks."""

    def __init__(self, habits: Habits, literals: bool) -> None:
        self.habits = habits
        self.literals = literals

    def spans_lines(self, value: Any) -> bool:
        """Say whether a scalar is written as a `|` block."""
        return self.literals and _fits_literal(value)

    def entry(self, head: str, value: Any, column: int, flow: bool | None = None) -> list[str]:
        """Return the lines of an entry in block style, the first without its indentation.

        `head` is `key:` or `-`, `column` where it stands; `flow` says whether a collection shall stand in brackets,
        None leaves it to the length of the value.
        """
        if self.spans_lines(value):
            return [f"{head} {_chomped(value)}", *_indented(value.splitlines(), column + self.habits.step)]
        if not isinstance(value, Mapping | list) or not value or self.stands_in_brackets(value, flow):
            return [f"{head} {in_flow(value) if isinstance(value, Mapping | list) else scalar_text(value, flow=False)}"]
        if head == "-":
            inner = column + 1 + self.habits.gap
            first, *others = self.collection(value, inner)
            return [f"-{' ' * self.habits.gap}{first.lstrip(' ')}", *others]
        step = self.habits.step if isinstance(value, Mapping) else self.habits.dash
        return [head, *self.collection(value, column + step)]

    def collection(self, value: Any, column: int) -> list[str]:
        """Return the indented lines of a mapping or list in block style."""
        heads = (
            [(f"{scalar_text(key, flow=False)}:", item) for key, item in value.items()]
            if isinstance(value, Mapping)
            else [("-", item) for item in value]
        )
        entries = (self.entry(head, item, column) for head, item in heads)
        return [line for first, *others in entries for line in (" " * column + first, *others)]

    def stands_in_brackets(self, value: Any, flow: bool | None) -> bool:
        """Say whether a collection is written in brackets: short ones without collections of keys within."""
        fits = len(in_flow(value)) <= _WIDEST and not _has_lines(value)
        inner = list(value.values()) if isinstance(value, Mapping) else value
        simple = not any(isinstance(item, Mapping) for item in inner)
        return fits and (simple if flow is None else flow)


def _has_lines(value: Any) -> bool:
    if isinstance(value, str):
        return "\n" in value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(map(_has_lines, inner))


def _fits_literal(value: Any) -> bool:
    """Say whether a text is one that a `|` block can hold: several lines, nothing invisible, no blanks in front."""
    if not isinstance(value, str) or "\n" not in value or value.endswith("\n\n"):
        return False
    shown = _NOT_SHOWN.search(re.sub(r'[\n\t"\\]', "", value)) is None
    return shown and not value.startswith((" ", "\t", "\n"))


def _chomped(value: str) -> str:
    return "|" if value.endswith("\n") else "|-"


def _indented(lines: list[str], column: int) -> list[str]:
    return [" " * column + line if line else "" for line in lines]
