"""A value of a manifest that remembers in which file and line it was written, through patches too."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Position, Severity
from generator.spec.document import Document, Path, path_text

__all__ = ["Move", "Node", "Place", "made", "node_of", "unmoved"]

Move = Callable[[Position], Position]
"""Turns a place of the text that was read into the place of the file in which its author finds it."""


def unmoved(position: Position) -> Position:
    """Return the place itself: the text is the file."""
    return position


@dataclass(frozen=True)
class Place:
    """Where a value and its key stand. `path` is the place in the document."""

    file: str
    path: Path
    key: Position
    value: Position

    def problem(
        self, code: str, message: str, *, on_key: bool = False, hint: str = "", severity: Severity = "error"
    ) -> Diagnostic:
        """Return a diagnostic that points at the value, or with `on_key` at its key."""
        position = self.key if on_key else self.value
        return Diagnostic(code, message, self.file, position, path_text(self.path), hint, severity)


@dataclass(frozen=True)
class Node:
    """A group of keys (dict), a list (tuple) or a scalar, with its place. Never changed: patches make new ones."""

    value: Any
    place: Place

    def find(self, *path: str | int) -> "Node | None":
        """Return the node at `path`; None when it is absent, or without a value."""
        node = self
        for step in path:
            found = node.value.get(step) if isinstance(node.value, dict) else None
            if isinstance(node.value, tuple) and isinstance(step, int) and step < len(node.value):
                found = node.value[step]
            if found is None:
                return None
            node = found
        return None if node.value is None else node

    def text(self, *path: str | int) -> str:
        """Return the text at `path`; empty when there is none."""
        node = self.find(*path)
        return node.value if node is not None and isinstance(node.value, str) else ""

    def items(self, *path: str | int) -> tuple["Node", ...]:
        """Return the entries of the list at `path`; none when there is no list."""
        node = self.find(*path)
        return node.value if node is not None and isinstance(node.value, tuple) else ()

    def fields(self, *path: str | int) -> Mapping[str, "Node"]:
        """Return the keys of the group at `path`; none when there is no group."""
        node = self.find(*path)
        return node.value if node is not None and isinstance(node.value, dict) else {}

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it."""
        yield self
        children = self.value.values() if isinstance(self.value, dict) else self.value
        for child in children if isinstance(self.value, dict | tuple) else ():
            yield from child.walk()

    def plain(self) -> Any:
        """Return the value without places, as it is written to a file."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        return [child.plain() for child in self.value] if isinstance(self.value, tuple) else self.value

    def problem(
        self, code: str, message: str, *, on_key: bool = False, hint: str = "", severity: Severity = "error"
    ) -> Diagnostic:
        """Return a diagnostic at the place of this node."""
        return self.place.problem(code, message, on_key=on_key, hint=hint, severity=severity)

    def with_field(self, path: Path, child: "Node") -> "Node":
        """Return a copy with the child at a path of keys and numbers; a step that does not exist is made a group."""
        if not path:
            return child
        step, rest = path[0], path[1:]
        if isinstance(self.value, tuple) and isinstance(step, int):
            items = list(self.value)
            items[step] = items[step].with_field(rest, child)
            return replace(self, value=tuple(items))
        fields = dict(self.value) if isinstance(self.value, dict) else {}
        below = fields.get(str(step), Node({}, child.place))
        return replace(self, value={**fields, str(step): below.with_field(rest, child)})


def made(value: Any, place: Place) -> Node:
    """Return plain data as nodes that all stand at one place: that of the line which made them."""
    if isinstance(value, dict):
        return Node({key: made(item, place) for key, item in value.items()}, place)
    return Node(tuple(made(item, place) for item in value) if isinstance(value, list) else value, place)


def node_of(document: Document, move: Move = unmoved) -> Node:
    """Return a document as nodes."""
    return _node(document, document.data, (), move)


def _node(document: Document, value: Any, path: Path, move: Move) -> Node:
    place = Place(document.file, path, move(document.key(path)), move(document.value(path)))
    if isinstance(value, dict):
        return Node({key: _node(document, item, (*path, key), move) for key, item in value.items()}, place)
    if isinstance(value, list):
        children = (_node(document, item, (*path, index), move) for index, item in enumerate(value))
        return Node(tuple(children), place)
    return Node(value, place)
