"""Where the parts of a YAML text stand: each key, value and list item with its first and last character."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from generator.spec.reader import read_events

__all__ = ["NOWHERE", "Entry", "Part", "read_parts"]

NOWHERE = -1
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_COLON = re.compile(r"[ \t]*:")
_KEEPS_BREAKS = re.compile(r"[^\r\n#]*[|>][0-9]?\+")
_LAST_BREAK = re.compile(r"(?:\r\n|\r|\n)[ ]*\Z")


@dataclass(eq=False)
class Part:
    """One value in the text, from `start` up to `end`; a block value ends with its last character that says something.

    `style` is the quote or block indicator of a scalar, empty for a plain one. `entries` is None for scalars.
    `marked` is true for anchors (&name) and aliases (*name).
    """

    start: int
    end: int
    style: str = ""
    flow: bool = False
    marked: bool = False
    entries: list["Entry"] | None = None

    @property
    def block(self) -> bool:
        """True for a mapping or list without brackets."""
        return self.entries is not None and not self.flow


@dataclass(eq=False)
class Entry:
    """A key with its value, or an item of a list.

    `start` is where the key, the `-`, or the item in brackets stands; `slot` is behind the `:` or `-`. Each is
    NOWHERE when there is none, or none that the editor knows how to find (`? key`).
    """

    name: str
    key: Part | None
    value: Part
    start: int
    slot: int

    @property
    def end(self) -> int:
        """Where the last character of the entry was."""
        return max(self.value.end, self.slot)


def read_parts(text: str) -> Part:
    """Return the parts of a text that the reader accepts; yaml.YAMLError for any other."""
    return _Builder(
        text, (event for event in read_events(text) if isinstance(event, NodeEvent | CollectionEndEvent))
    ).part()


def _span(event: Event) -> tuple[int, int]:
    start, end = event.start_mark, event.end_mark
    return (start.index, end.index) if start and end else (0, 0)


class _Builder:
    def __init__(self, text: str, events: Iterator[Event]) -> None:
        self.text = text
        self.events = events

    def part(self) -> Part:
        return self.of(next(self.events))

    def of(self, event: Event) -> Part:
        part = Part(*_span(event))
        part.marked = isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None
        if isinstance(event, ScalarEvent):
            part.style = event.style or ""
            part.end = self.scalar_end(part)
        elif isinstance(event, CollectionStartEvent):
            part.flow = bool(event.flow_style)
            part.entries = []
            keyed = isinstance(event, MappingStartEvent)
            while not isinstance(event := next(self.events), CollectionEndEvent):
                part.entries.append(self.entry(event) if keyed else self.item(event, part))
            part.end = _span(event)[1] if part.flow else part.entries[-1].end
        return part

    def scalar_end(self, part: Part) -> int:
        """Return the end of a scalar; that of a block scalar without the blank lines that do not count."""
        text = self.text[part.start : part.end]
        if part.style not in ("|", ">"):
            return part.end
        if _KEEPS_BREAKS.match(text):
            found = _LAST_BREAK.search(text)
            return part.start + found.start() if found else part.end
        return part.start + len(text.rstrip(" \r\n"))

    def entry(self, event: Event) -> Entry:
        name = event.value if isinstance(event, ScalarEvent) else ""
        key, value = self.of(event), self.part()
        colon = _COLON.match(self.text, key.end)
        if colon is None and value.start == value.end:
            value.start = value.end = key.end
        return Entry(name, key, value, key.start, colon.end() if colon else NOWHERE)

    def item(self, event: Event, sequence: Part) -> Entry:
        value = self.of(event)
        if sequence.flow:
            return Entry("", None, value, value.start, NOWHERE)
        before = sequence.entries[-1].end if sequence.entries else sequence.start
        gap = _GAP.match(self.text, before)
        dash = gap.end() if gap else before
        if self.text[dash : dash + 1] != "-":
            return Entry("", None, value, NOWHERE, NOWHERE)
        return Entry("", None, value, dash, dash + 1)
