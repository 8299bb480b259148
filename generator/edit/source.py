"""A text with its parts, its lines and its habits of layout: all that an edit looks at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.edit.parts import Entry, Part, read_parts
from generator.spec.document import Path

__all__ = ["Habits", "Source", "Splice"]

_LINE_END = re.compile(r"[\r\n]|\Z")
_BREAK = re.compile(r"\r\n|\r|\n")
_STEP = 2


@dataclass(frozen=True)
class Splice:
    """Text that takes the place of the characters from `start` up to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Habits:
    """How an author lays out: columns a mapping is indented by, columns a list is, and spaces behind a `-`."""

    step: int = _STEP
    dash: int = _STEP
    gap: int = 1


@dataclass(frozen=True)
class Source:
    """A text without byte-order mark that the reader accepts, and its parts. Offsets are characters of the text."""

    text: str

    @cached_property
    def root(self) -> Part:
        """The value of the whole document."""
        return read_parts(self.text)

    @cached_property
    def newline(self) -> str:
        """The line break of this text."""
        found = _BREAK.search(self.text)
        return found[0] if found else "\n"

    @cached_property
    def habits(self) -> Habits:
        """The layout of the first nested mapping and the first list of the text."""
        below = [entry for part, entry in _entries(self.root) if part.block and entry.key and entry.value.block]
        steps = [self.depth(entry) for entry in below if _is_mapping(entry.value)]
        dashes = [self.depth(entry) for entry in below if not _is_mapping(entry.value)]
        step = next((step for step in steps if step > 0), next((dash for dash in dashes if dash > 0), _STEP))
        items = (entry for part, entry in _entries(self.root) if part.block and not entry.key)
        gaps = (self.text[entry.slot : entry.value.start] for entry in items)
        return Habits(step, next(iter(dashes), step), next((len(gap) for gap in gaps if gap and not gap.strip(" ")), 1))

    def depth(self, entry: Entry) -> int:
        """Return how many columns the collection in an entry stands behind the entry."""
        return self.column(entry.value.start) - self.column(entry.start)

    def holds_comment(self, part: Part) -> bool:
        """Say whether something stands between the brackets of an empty collection: it can only be a comment."""
        return part.flow and bool(self.text[part.start + 1 : part.end - 1].strip())

    def line_start(self, offset: int) -> int:
        """Return where the line of a character begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def line_end(self, offset: int) -> int:
        """Return where the line of a character ends, before its line break."""
        found = _LINE_END.search(self.text, offset)
        return found.start() if found else len(self.text)

    def next_line(self, offset: int) -> int:
        """Return where the next line begins; the length of the text when there is none."""
        end = self.line_end(offset)
        found = _BREAK.match(self.text, end)
        return found.end() if found else end

    def line_above(self, start: int) -> int:
        """Return where the line above begins; `start` is the beginning of a line, and not of the first."""
        return self.line_start(start - (2 if self.text[start - 2 : start] == "\r\n" else 1))

    def column(self, offset: int) -> int:
        """Return the column of a character, from 0."""
        return offset - self.line_start(offset)

    def line(self, offset: int) -> str:
        """Return the line of a character, without its line break."""
        return self.text[self.line_start(offset) : self.line_end(offset)]

    def way(self, path: Path) -> list[tuple[Part, Entry]]:
        """Return the collection and the entry of each step of a path that exists, not beyond an alias."""
        way: list[tuple[Part, Entry]] = []
        part = self.root
        for step in path:
            if part.entries is None:
                break
            entry = _entry(part, step)
            way.append((part, entry))
            part = entry.value
        return way


def _entry(part: Part, step: str | int) -> Entry:
    entries = part.entries or []
    return entries[step] if isinstance(step, int) else next(entry for entry in entries if entry.name == step)


def _entries(part: Part) -> Iterator[tuple[Part, Entry]]:
    for entry in part.entries or ():
        yield part, entry
        yield from _entries(entry.value)


def _is_mapping(part: Part) -> bool:
    return bool(part.entries) and part.entries is not None and part.entries[0].key is not None
