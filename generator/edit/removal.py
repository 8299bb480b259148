"""Takes an entry out of a mapping or a list, with the comments that are its own."""

import re

from generator.edit.changes import EditRefused
from generator.edit.ownership import COMMA, UNKNOWN, head_start, own_end, require_block_entry, stands_alone
from generator.edit.parts import Entry, Part
from generator.edit.source import Source, Splice

__all__ = ["remove"]

_GAP = re.compile(r"[ \t\r\n,]*")
_REST = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?(?=[\r\n])")
_COMMENT = re.compile(r"#[^\r\n]*")


def remove(source: Source, part: Part, slot: int, entry: Entry) -> list[Splice]:
    """Return how the text changes when an entry goes; `slot` is where the value `part` of the parent may begin."""
    if part.flow:
        return _from_brackets(source, part, entry)
    require_block_entry(source, entry)
    empty = "{}" if entry.key else "[]"
    if len(part.entries or ()) == 1:
        return _only_entry(source, part, slot, entry, empty)
    if not stands_alone(source, entry):
        return [Splice(entry.start, _next_content(source, entry), "")]
    start, end = _lines(source, part, entry)
    return [Splice(start, end, "")]


def _only_entry(source: Source, part: Part, slot: int, entry: Entry, empty: str) -> list[Splice]:
    if not stands_alone(source, entry):
        return [Splice(entry.start, own_end(source, entry), empty)]
    if slot < 0:
        return [Splice(head_start(source, part, entry), own_end(source, entry), empty)]
    start, end = _lines(source, part, entry)
    return [Splice(slot, slot, " " + empty), Splice(max(start, slot), end, "")]


def _next_content(source: Source, entry: Entry) -> int:
    """Return where the first comment or entry stands behind an entry and its own lines."""
    place = source.next_line(own_end(source, entry))
    found = _GAP.match(source.text, place)
    return found.end() if found else place


def _lines(source: Source, part: Part, entry: Entry) -> tuple[int, int]:
    """Return the lines of an entry, with those blank ones around it that separate nothing when it is gone."""
    start, last = head_start(source, part, entry), own_end(source, entry)
    end = source.next_line(last)
    above = _blank_above(source, start)
    entries = part.entries or []
    is_last = entries[-1] is entry
    if above < start and (is_last or not source.line(end).strip()):
        start = above
    elif entries[0] is entry and not is_last:
        end = _behind_blanks(source, end)
    if end == last and start > 0:
        start -= 2 if source.text[start - 2 : start] == "\r\n" else 1
    return start, end


def _blank_above(source: Source, start: int) -> int:
    while start > 0:
        above = source.line_above(start)
        if source.line(above).strip():
            break
        start = above
    return start


def _behind_blanks(source: Source, start: int) -> int:
    while start < len(source.text) and not source.line(start).strip():
        start = source.next_line(start)
    return start


def _from_brackets(source: Source, part: Part, entry: Entry) -> list[Splice]:
    entries = part.entries or []
    index = entries.index(entry)
    before = entries[index - 1].end if index else part.start + 1
    after = entries[index + 1].start if index + 1 < len(entries) else part.end - 1
    gap, rest = source.text[before : entry.start], source.text[entry.end : after]
    if _COMMENT.sub("", gap).strip(" \t\r\n,"):
        raise EditRefused(UNKNOWN)
    if len(entries) == 1 and "#" not in gap + rest:
        return [Splice(before, after, "")]
    closes = index + 1 == len(entries) and "," not in _COMMENT.sub("", rest)
    lost = _comma(source, before) if closes else []
    line = _REST.match(source.text, entry.end)
    if stands_alone(source, entry) and line:
        return [*lost, Splice(head_start(source, part, entry), source.next_line(line.end()), "")]
    if index + 1 < len(entries):
        return [Splice(entry.start, after, "")]
    if index and "#" not in gap:
        return [Splice(before, entry.end, "")]
    comma = COMMA.match(source.text, entry.end, after)
    blank = "" if gap[-1:].isspace() else " "
    return [*lost, Splice(entry.start, comma.end() if comma else entry.end, blank)]


def _comma(source: Source, end: int) -> list[Splice]:
    """Return the removal of the comma behind what ends there."""
    comma = COMMA.match(source.text, end)
    return [Splice(comma.end() - 1, comma.end(), "")] if comma else []
