"""Reads the books that Practicum keeps in git for ever: who has which seat, and which lab has which addresses."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from generator.spec.sources import Sources

_CONFLICT = re.compile(rb"^(<{7}|={7}|>{7})( |\r?$)", re.MULTILINE)
T = TypeVar("T")


class BrokenBook(Exception):
    """A generated file that cannot be what Practicum wrote: which, why, and the line, counted from 1."""

    def __init__(self, path: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.line = line


class _Loader(yaml.CSafeLoader):
    """Refuses keys that stand twice, as they do when both sides of a merge were kept."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"'{key.value}' stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_book_file(sources: Sources, path: str, read: Callable[[Mapping[str, Any]], dict[str, T]]) -> dict[str, T]:
    """Return the book at `path`, made by `read` from its document; empty when there is no file. Raises BrokenBook."""
    status = sources.status(path)
    if status == "missing":
        return {}
    if status != "file":
        raise BrokenBook(path, "this is not a file of the repository")
    document = _document(path, sources.read(path))
    try:
        return read(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BrokenBook(path, f"this is not what Practicum wrote: {error}") from error


def _document(path: str, data: bytes) -> Mapping[str, Any]:
    conflict = _CONFLICT.search(data)
    if conflict:
        raise BrokenBook(
            path, "the marks of a merge conflict stand in the file", data.count(b"\n", 0, conflict.start()) + 1
        )
    try:
        document = yaml.load(data, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or "the text is not YAML"
        raise BrokenBook(path, f"this is not what Practicum wrote: {words}", mark.line + 1 if mark else 1) from error
    if not isinstance(document, dict):
        raise BrokenBook(path, "this is not what Practicum wrote: a group of keys is missing")
    return document
