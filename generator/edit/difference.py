"""Takes a change of a large value apart into changes of what differs in it, so that all else keeps its comments."""

from collections.abc import Iterator
from typing import Any

from generator.edit.changes import AddEntry, AppendItem, Change, Remove, SetValue, value_at
from generator.spec.document import Path

__all__ = ["steps"]


def steps(data: Any, change: Change) -> list[Change]:
    """Return the changes that together are this one; none when nothing differs."""
    if not isinstance(change, SetValue):
        return [change]
    return list(_steps(change.path, value_at(data, change.path), change.value))


def _steps(path: Path, old: Any, new: Any) -> Iterator[Change]:
    if repr(old) == repr(new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and (kept := [key for key in old if key in new]):
        added = [key for key in new if key not in old]
        if list(new) == kept + added:
            for key in kept:
                yield from _steps((*path, key), old[key], new[key])
            yield from (Remove((*path, key)) for key in old if key not in new)
            yield from (AddEntry(path, key, new[key]) for key in added)
            return
    if isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _steps_of_list(path, old, new)
        return
    yield SetValue(path, new)


def _steps_of_list(path: Path, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Keep what the lists begin and end with; change, remove or append what lies between."""
    shorter = min(len(old), len(new))
    begins = next((index for index in range(shorter) if repr(old[index]) != repr(new[index])), shorter)
    gone = len(old) - len(new)
    if gone > 0 and repr(old[begins + gone :]) == repr(new[begins:]):
        yield from (Remove((*path, begins)) for _ in range(gone))
        return
    if gone > 0:
        yield SetValue(path, new)
        return
    for index in range(begins, len(old)):
        yield from _steps((*path, index), old[index], new[index])
    yield from (AppendItem(path, item) for item in new[len(old) :])
