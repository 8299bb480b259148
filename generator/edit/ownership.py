"""Which comments and blank lines belong to which entry of a text in block style.

Comment lines directly above an entry and in its column head it; comment lines below it that stand deeper than it are
its own (options that the author has commented out). All others belong to the text around.
"""

import re

from generator.edit.changes import EditRefused
from generator.edit.parts import NOWHERE, Entry, Part
from generator.edit.source import Source

__all__ = ["COMMA", "UNKNOWN", "head_start", "own_end", "require_block_entry", "stands_alone"]

UNKNOWN = "this place is written in a notation that cannot be edited safely; edit it by hand"
COMMA = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*,")
_DASHES = re.compile(r"(?:-[ ]+| )*\Z")


def require_block_entry(source: Source, entry: Entry) -> None:
    """Raise EditRefused for an entry in a notation that the editor does not know (`? key`, a tag before a list)."""
    start = entry.start
    found = NOWHERE not in (start, entry.slot) and _DASHES.match(source.text[source.line_start(start) : start])
    if not found:
        raise EditRefused(UNKNOWN)


def stands_alone(source: Source, entry: Entry) -> bool:
    """Say whether nothing but blanks stands before an entry in its line."""
    return not source.text[source.line_start(entry.start) : entry.start].strip(" ")


def own_end(source: Source, entry: Entry) -> int:
    """Return the end of the last line of an entry, its own comments below it included."""
    column = source.column(entry.start)
    end = source.line_end(entry.end)
    place = source.next_line(end)
    while place > end and place < len(source.text):
        line = source.line(place)
        content = line.lstrip(" ")
        if content.startswith("#") and len(line) - len(content) > column:
            end = source.line_end(place)
        elif content:
            break
        if source.next_line(place) == place:
            break
        place = source.next_line(place)
    return end


def head_start(source: Source, part: Part, entry: Entry) -> int:
    """Return where the first line of an entry that stands alone begins, with the comments that head it.

    What stands on top of a file heads the file.
    """
    start = source.line_start(entry.start)
    if part is source.root and part.entries and part.entries[0] is entry:
        return start
    column, first = source.column(entry.start), source.next_line(part.start) if part.flow else 0
    while start > first:
        above = source.line_above(start)
        content = source.line(above).lstrip(" ")
        if not content.startswith("#") or len(source.line(above)) - len(content) != column:
            break
        start = above
    return start
