"""Finds the change that gives a key a value, whether or not the key and those above it are there."""

from typing import Any

from generator.edit.changes import AddEntry, Change, EditRefused, SetValue, holds
from generator.spec.document import Path, path_text

__all__ = ["placed"]


def placed(data: Any, path: Path, value: Any) -> Change:
    """Return the change that makes `value` stand at `path`; EditRefused when a list item is missing on the way."""
    for depth, step in enumerate(path):
        if not holds(data, step):
            return _added(data, path[:depth], path[depth:], value)
        data = data[step]
    return SetValue(path, value)


def _added(data: Any, path: Path, missing: Path, value: Any) -> Change:
    """Return the addition of the missing steps; a key without a value (`lan:`) gets one."""
    if not isinstance(data, dict | None) or not all(isinstance(step, str) for step in missing):
        raise EditRefused(f"there is no '{path_text((*path, missing[0]))}' in this file")
    for step in reversed(missing[1:]):
        value = {step: value}
    return SetValue(path, {missing[0]: value}) if data is None else AddEntry(path, str(missing[0]), value)
