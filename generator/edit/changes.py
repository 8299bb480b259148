"""The changes that can be made to a spec's text, and what each of them means for its data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Path, path_text

__all__ = [
    "AddEntry",
    "AppendItem",
    "Change",
    "EditRefused",
    "Remove",
    "RenameKey",
    "SetValue",
    "holds",
    "intend",
    "value_at",
]


class EditRefused(Exception):
    """A change that was not made; `diagnostics` tell what is wrong with the text, if it is the text."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class SetValue:
    """Give the key or item at `path`, which is there, another value."""

    path: Path
    value: Any


@dataclass(frozen=True)
class AddEntry:
    """Add a key that is not there to the end of the mapping at `path`."""

    path: Path
    key: str
    value: Any


@dataclass(frozen=True)
class AppendItem:
    """Add an item to the end of the list at `path`."""

    path: Path
    value: Any


@dataclass(frozen=True)
class Remove:
    """Remove the key or item at `path` with the comments that head it; what it leaves empty becomes `{}` or `[]`."""

    path: Path


@dataclass(frozen=True)
class RenameKey:
    """Give the key at `path` another name; its value and its place among the others stay."""

    path: Path
    key: str


Change = SetValue | AddEntry | AppendItem | Remove | RenameKey


def intend(data: Any, change: Change) -> None:
    """Make the change in `data`, the plain data of a document; raises EditRefused when it does not apply there."""
    _INTENTS[type(change)](data, change)


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path; EditRefused when there is none."""
    for depth, step in enumerate(path):
        if not holds(data, step):
            raise EditRefused(f"there is no '{path_text(path[: depth + 1])}' in this file")
        data = data[step]
    return data


def holds(data: Any, step: str | int) -> bool:
    """Say whether a mapping has a key, or a list an item of that number."""
    if isinstance(step, str):
        return isinstance(data, dict) and step in data
    return isinstance(data, list) and 0 <= step < len(data)


def _parent(data: Any, path: Path) -> Any:
    if not path:
        raise EditRefused("a file as a whole cannot be replaced, removed or renamed")
    value_at(data, path)
    return value_at(data, path[:-1])


def _set(data: Any, change: SetValue) -> None:
    _parent(data, change.path)[change.path[-1]] = _plain(change.value)


def _add(data: Any, change: AddEntry) -> None:
    mapping = value_at(data, change.path)
    if not isinstance(mapping, dict):
        raise EditRefused(f"'{path_text(change.path)}' has no keys, so none can be added")
    _require_new(mapping, change.path, change.key)
    mapping[_plain(change.key)] = _plain(change.value)


def _append(data: Any, change: AppendItem) -> None:
    items = value_at(data, change.path)
    if not isinstance(items, list):
        raise EditRefused(f"'{path_text(change.path)}' is not a list, so nothing can be appended")
    items.append(_plain(change.value))


def _remove(data: Any, change: Remove) -> None:
    del _parent(data, change.path)[change.path[-1]]


def _rename(data: Any, change: RenameKey) -> None:
    mapping, old = _parent(data, change.path), change.path[-1]
    if not isinstance(mapping, dict):
        raise EditRefused(f"'{path_text(change.path)}' is an item of a list and has no name")
    if change.key != old:
        _require_new(mapping, change.path[:-1], change.key)
    entries = [(_plain(change.key) if key == old else key, value) for key, value in mapping.items()]
    mapping.clear()
    mapping.update(entries)


def _require_new(mapping: Mapping[str, Any], path: Path, key: str) -> None:
    if key in mapping:
        raise EditRefused(f"there is a key '{path_text((*path, key))}' already")


def _plain(value: Any) -> Any:
    """Return a copy of plain YAML data; EditRefused for anything else, such as an object or half a character."""
    if type(value) in (int, float, bool, type(None)):
        return value
    if type(value) is str and value == value.encode(errors="replace").decode():
        return value
    if type(value) is list:
        return [_plain(item) for item in value]
    if type(value) is dict and all(type(key) is str for key in value):
        return {_plain(key): _plain(item) for key, item in value.items()}
    raise EditRefused(f"{value!r} is nothing that a spec can hold")


_INTENTS: Mapping[type, Callable[[Any, Any], None]] = {
    SetValue: _set,
    AddEntry: _add,
    AppendItem: _append,
    Remove: _remove,
    RenameKey: _rename,
}
