"""Puts another value in the place of a value, and another key in the place of a key."""

import re
from typing import Any

from generator.edit.changes import EditRefused
from generator.edit.ownership import UNKNOWN, require_block_entry
from generator.edit.parts import NOWHERE, Entry, Part
from generator.edit.source import Source, Splice
from generator.edit.values import Writer, in_flow, scalar_text

__all__ = ["fill", "rename", "replace"]

_QUOTES = ("'", '"')
_HEADER_COMMENT = re.compile(r"[^\r\n#]*?([ \t]+#[^\r\n]*)")


def rename(entry: Entry, part: Part, key: str) -> list[Splice]:
    """Return how the text changes when a key gets another name."""
    if entry.key is None or entry.key.style not in ("", *_QUOTES):
        raise EditRefused(UNKNOWN)
    return [Splice(entry.key.start, entry.key.end, scalar_text(key, flow=part.flow, style=entry.key.style))]


def replace(source: Source, writer: Writer, part: Part, entry: Entry, value: Any) -> list[Splice]:
    """Return how the text changes when an entry of `part` gets another value."""
    old, one_line = entry.value, not isinstance(value, dict | list)
    if part.flow or (one_line and old.entries is None and old.style in ("", *_QUOTES)):
        text = scalar_text(value, flow=part.flow, style=old.style) if one_line else in_flow(value)
        if part.flow or not writer.spans_lines(value):
            return [_in_place(entry, text)]
    require_block_entry(source, entry)
    flow = old.flow if old.entries else None
    head = "-" if entry.key is None else ":"
    first, *others = writer.entry(head, value, source.column(entry.start), flow)
    comment, end = _comment(source, entry)
    lines = [first.removeprefix(head) + comment, *others]
    return [Splice(entry.slot, end, source.newline.join(lines))]


def fill(source: Source, writer: Writer, entry: Entry, value: Any) -> list[Splice]:
    """Return how the text changes when an empty `{}` or `[]` that stands in block style gets its first content."""
    require_block_entry(source, entry)
    head = "-" if entry.key is None else ":"
    first, *others = writer.entry(head, value, source.column(entry.start))
    comment, end = _comment(source, entry)
    return [Splice(entry.slot, end, source.newline.join([first.removeprefix(head) + comment, *others]))]


def _in_place(entry: Entry, text: str) -> Splice:
    old = entry.value
    if old.start < old.end:
        return Splice(old.start, old.end, text)
    if entry.slot == NOWHERE:
        return Splice(old.start, old.start, f": {text}")
    return Splice(entry.slot, entry.slot, f" {text}")


def _comment(source: Source, entry: Entry) -> tuple[str, int]:
    """Return the comment in the line of an entry's key, or behind its value, and where what is replaced ends."""
    old, line_end = entry.value, source.line_end(entry.slot)
    if old.block or old.style in ("|", ">"):
        begins = old.start if old.start < line_end else entry.slot
        found = _HEADER_COMMENT.match(source.text, begins, line_end) if old.start > line_end or not old.block else None
        return found[1] if found else "", old.end
    end = source.line_end(entry.end)
    return source.text[entry.end : end].rstrip(" \t"), end
