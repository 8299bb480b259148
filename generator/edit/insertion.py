"""Adds a key to a mapping or an item to a list: behind the last one, before comments that head what follows."""

import re
from typing import Any

from generator.edit.ownership import COMMA, head_start, own_end, require_block_entry, stands_alone
from generator.edit.parts import Entry, Part
from generator.edit.source import Source, Splice
from generator.edit.values import Writer, in_flow, scalar_text

__all__ = ["insert"]

_NOTHING_MORE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n])")


def insert(source: Source, writer: Writer, part: Part, key: str | None, value: Any) -> list[Splice]:
    """Return how the text changes when a collection that is not empty, or stands in brackets, gets one entry more."""
    if part.flow:
        text = in_flow(value) if key is None else f"{scalar_text(key, flow=True)}: {in_flow(value)}"
        return _in_brackets(source, part, text)
    entries = part.entries or []
    first, last = entries[0], entries[-1]
    require_block_entry(source, first)
    require_block_entry(source, last)
    column = source.column(first.start)
    head = "-" if key is None else f"{scalar_text(key, flow=False)}:"
    lines = writer.entry(head, value, column, _flow_of_siblings(entries))
    lines[0] = " " * column + lines[0]
    if len(entries) > 1 and _is_set_apart(source, part, last):
        lines.insert(0, "")
    end = own_end(source, last)
    return [Splice(end, end, "".join(source.newline + line for line in lines))]


def _flow_of_siblings(entries: list[Entry]) -> bool | None:
    styles = [entry.value.flow for entry in entries if entry.value.entries]
    return styles[-1] if styles else None


def _is_set_apart(source: Source, part: Part, entry: Entry) -> bool:
    """Say whether the author leaves a blank line before an entry."""
    if not stands_alone(source, entry):
        return False
    start = head_start(source, part, entry)
    return start > 0 and not source.line(source.line_above(start)).strip()


def _in_brackets(source: Source, part: Part, text: str) -> list[Splice]:
    entries = part.entries or []
    if not entries:
        inside = source.text[part.start + 1 : part.end - 1]
        end = part.start + 1 if inside.strip() else part.end - 1
        return [Splice(part.start + 1, end, text)]
    last = entries[-1].end
    comma = COMMA.match(source.text, last)
    place = comma.end() if comma else last
    comment = _NOTHING_MORE.match(source.text, place)
    if comment is None:
        return [Splice(place, place, f" {text}," if comma else f", {text}")]
    line = source.newline + " " * source.column(entries[-1].start) + text
    if comma:
        return [Splice(comment.end(), comment.end(), line + ",")]
    return [Splice(last, last, ","), Splice(comment.end(), comment.end(), line)]
