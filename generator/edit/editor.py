"""Edits the source text of a YAML file: the smallest change of text, proved by reading the result again.

The author's comments, blank lines, quotes, indentation, line breaks and byte-order mark stay. Nothing is returned
unless the edited text reads back as exactly the data that was meant.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import chain

import yaml

from generator.diagnostics.diagnostic import Diagnostic
from generator.edit.changes import AddEntry, AppendItem, Change, EditRefused, RenameKey, SetValue, intend
from generator.edit.difference import steps
from generator.edit.insertion import insert
from generator.edit.parts import NOWHERE, Part
from generator.edit.removal import remove
from generator.edit.replacement import fill, rename, replace
from generator.edit.source import Source, Splice
from generator.edit.values import Writer
from generator.spec.document import Document, ReadResult, path_text
from generator.spec.reader import read_document
from generator.spec.syntax import decode

__all__ = ["edit", "edits", "read"]

_BOM = b"\xef\xbb\xbf"


def edit(data: bytes, change: Change, file: str = "spec") -> bytes:
    """Return a file's bytes with one change made; see `edits`."""
    return edits(data, [change], file)


def edits(data: bytes, changes: Iterable[Change], file: str = "spec") -> bytes:
    """Return a file's bytes with changes made one after the other; each path speaks of the data as it is by then.

    `file` is the name that diagnostics carry. Raises EditRefused, and nothing is changed, when the text has errors, a
    change does not apply to it, a value is shared by an anchor, or the result would not read back as what was meant.
    """
    document = read(data, file)
    meant = deepcopy(document.data)
    todo: list[Change] = []
    for change in changes:
        try:
            for step in steps(meant, change):
                intend(meant, step)
                todo.append(step)
        except RecursionError as error:
            raise EditRefused("the value is nested deeper than a spec can be") from error
    problems: tuple[Diagnostic, ...] = ()
    for literals in (True, False):
        after = _attempt(data, todo, literals)
        result = read_document(after, file)
        errors = _errors(result)
        if result.document is not None and not errors and repr(result.document.data) == repr(meant):
            return after
        problems = problems or errors
    raise EditRefused("this cannot be changed without changing more of the file; edit it by hand", problems)


def read(data: bytes, file: str = "spec") -> Document:
    """Return the document of a file that is to be edited; EditRefused with the diagnostics when it has any."""
    result = read_document(data, file)
    errors = _errors(result)
    if result.document is None or errors:
        raise EditRefused("this file has errors; mend them first", errors)
    return result.document


def _errors(result: ReadResult) -> tuple[Diagnostic, ...]:
    return tuple(problem for problem in result.diagnostics if problem.severity == "error")


def _attempt(data: bytes, changes: list[Change], literals: bool) -> bytes:
    for run in _runs(changes):
        data = _spliced(data, run, literals)
    return data


def _runs(changes: list[Change]) -> Iterator[list[Change]]:
    """Group the changes that one look at the text is enough for: values of different places."""
    run: list[SetValue] = []
    for change in changes:
        if isinstance(change, SetValue) and not any(_overlap(change, other) for other in run):
            run.append(change)
            continue
        if run:
            yield list(run)
        run = [change] if isinstance(change, SetValue) else []
        if not run:
            yield [change]
    if run:
        yield list(run)


def _overlap(one: SetValue, other: SetValue) -> bool:
    return all(a == b for a, b in zip(one.path, other.path, strict=False))


def _spliced(data: bytes, changes: list[Change], literals: bool) -> bytes:
    """Return the bytes after changes that do not touch each other."""
    text, reading = data.removeprefix(_BOM).decode(), decode(data, "")
    if isinstance(reading, Diagnostic):
        return data
    source = Source(reading)
    try:
        writer = Writer(source.habits, literals)
        found = chain.from_iterable(_splices(source, writer, change) for change in changes)
        splices = sorted(found, key=lambda splice: (splice.start, splice.end))
    except yaml.YAMLError:
        return data
    pieces, done = [], 0
    for splice in splices:
        pieces += [text[done : splice.start], splice.text]
        done = splice.end
    mark = _BOM if data.startswith(_BOM) else b""
    return mark + "".join([*pieces, text[done:]]).encode()


def _splices(source: Source, writer: Writer, change: Change) -> list[Splice]:
    way = source.way(change.path)
    _require_unshared(source, change)
    part, entry = way[-1] if way else (source.root, None)
    if isinstance(change, AddEntry | AppendItem):
        target = entry.value if entry else source.root
        key = change.key if isinstance(change, AddEntry) else None
        if entry and not target.entries and part.block and not source.holds_comment(target):
            return fill(source, writer, entry, [change.value] if key is None else {key: change.value})
        return insert(source, writer, target, key, change.value)
    if entry is None:
        return []
    if isinstance(change, RenameKey):
        return rename(entry, part, change.key)
    if isinstance(change, SetValue):
        return replace(source, writer, part, entry, change.value)
    return remove(source, part, way[-2][1].slot if len(way) > 1 else NOWHERE, entry)


def _require_unshared(source: Source, change: Change) -> None:
    """Raise EditRefused when what changes is an anchor or an alias, stands in one, or holds one."""
    way = source.way(change.path)
    around = [source.root, *(entry.value for _part, entry in way[:-1])]
    inner = way[-1][1].value if way else source.root
    held = [inner] if isinstance(change, RenameKey | AddEntry | AppendItem) else _all(inner)
    if any(part.marked for part in (*around, *held)):
        place = f"'{path_text(change.path)}'" if change.path else "this file"
        raise EditRefused(f"{place} is shared by an anchor (&name) or an alias (*name); edit it by hand")


def _all(part: Part) -> Iterator[Part]:
    yield part
    for entry in part.entries or ():
        yield from _all(entry.value)
