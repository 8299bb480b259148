"""Joins complaints of the schema that come from one mistake, such as a line that is not indented far enough."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from generator.spec.document import Document, Path
from generator.spec.schema_messages import Fault
from generator.spec.words import nearest_key

__all__ = ["joined"]

# Groups whose keys are names that the author chooses.
_NAMED = ("machines", "networks", "solution", "volumes")


def joined(document: Document, top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Return the faults, one for each mistake. `top` is the schema of the whole file."""
    for join in (_one_level_down, _nameless, _one_level_up, _glued, _moved, _instead, _split_entry):
        faults = join(document, top, faults)
    return faults


def _unknown(faults: list[Fault]) -> Iterator[Fault]:
    return (fault for fault in faults if fault.keyword == "additionalProperties")


def _missing(faults: list[Fault]) -> Iterator[Fault]:
    return (fault for fault in faults if fault.keyword == "required")


def _one_level_down(_document: Document, top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Take `checks` among the machines for what it is: a key of the top level, indented by mistake."""
    found: dict[Path, Fault] = {}
    for fault in faults:
        path = fault.path[:2]
        if len(path) == 2 and path[0] in _NAMED and path[1] in top.get("properties", {}):
            key = str(path[1])
            note = f"'{key}' belongs at the top level; look at the indentation."
            found[path] = Fault(path, "additionalProperties", False, None, top, key, note)
    return [*(fault for fault in faults if fault.path[:2] not in found), *found.values()]


def _nameless(document: Document, top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Tell once that `machines: {type: webserver}` has no name between the two."""
    for group, schema in top.get("properties", {}).items():
        known = _group(schema).get("properties", {})
        lost = [fault for fault in faults if fault.keyword == "type" and fault.path[:-1] == (group,)]
        lost = [fault for fault in lost if fault.path[-1] in known and fault.value is not None]
        if lost:
            first = min(lost, key=lambda fault: document.key(fault.path))
            example = f"{next(iter(schema.get('examples', [{'name': {}}])[0]))}:"
            whole = Fault((group,), "nameless", example, first.path[-1], schema)
            faults = [*(fault for fault in faults if fault not in lost), whole]
    return faults


def _glued(_document: Document, _top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Take the unknown key of `{type:debian}` for a key and its value."""
    for stray in list(_unknown(faults)):
        key, colon, value = stray.key.partition(":")
        if colon and key in stray.schema["properties"]:
            note = f"A space is missing after the colon: {key}: {value}"
            lost = [fault for fault in _missing(faults) if fault.path == (*stray.path[:-1], key)]
            faults = [replace(f, note=note) if f is stray else f for f in faults if f not in lost]
    return faults


def _one_level_up(document: Document, _top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Take unknown keys below a key without value for what they are: its content, not indented far enough."""
    strays: set[Path] = set()
    for number, fault in enumerate(faults):
        if fault.keyword == "type" and fault.value is None and fault.path:
            found = {stray.path for stray in _unknown(faults) if _belongs(document, fault, stray)}
            if found:
                note = "The lines below belong to it: indent them by two more spaces."
                faults = [*faults[:number], replace(fault, note=note), *faults[number + 1 :]]
                strays |= found
    return [fault for fault in faults if fault.path not in strays]


def _group(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of what stands below names that the author chooses, or nothing."""
    inner = schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else {}


def _belongs(document: Document, empty: Fault, stray: Fault) -> bool:
    if stray.path[:-1] != empty.path[:-1] or document.key(stray.path) < document.key(empty.path):
        return False
    return stray.key in empty.schema.get("properties", {}) or (
        bool(_group(empty.schema)) and isinstance(stray.value.get(stray.key), dict | None)
    )


def _moved(document: Document, _top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Leave out one missing key for each key of that name that stands where it does not belong."""
    for stray in list(_unknown(faults)):
        line = document.key(stray.path).line
        lost = [fault for fault in _missing(faults) if fault.key == stray.key and fault.path != stray.path]
        nearest = min(lost, key=lambda fault: abs(document.key(fault.path[:-1]).line - line), default=None)
        faults = [fault for fault in faults if fault is not nearest]
    return faults


def _instead(_document: Document, _top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Tell a missing key with the unknown one that stands in its group, most likely in its place."""
    for stray in list(_unknown(faults)):
        known = stray.schema["properties"]
        lost = [fault for fault in _missing(faults) if fault.path[:-1] == stray.path[:-1]]
        if stray.note or nearest_key(stray.key, known) or not lost:
            continue
        names = " and ".join(f"'{fault.key}'" for fault in lost)
        verb = "is" if len(lost) == 1 else "are"
        note = f"The keys here are {', '.join(sorted(known))}; {names} {verb} missing."
        faults = [replace(fault, note=note) if fault is stray else fault for fault in faults if fault not in lost]
    return faults


def _split_entry(document: Document, _top: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Take two entries of a list, each with half of the keys, for one entry with a '-' too many."""
    gone: list[Fault] = []
    for number, fault in enumerate(faults):
        if fault.keyword != "required" or not _continues(document, fault.path[:-1]):
            continue
        before = (*fault.path[:-2], int(fault.path[-2]) - 1)
        gone += [other for other in _missing(faults) if other.path[:-1] == before]
        note = "Or take the '-' out, if the line belongs to the entry above."
        faults = [*faults[:number], replace(fault, note=note), *faults[number + 1 :]]
    return [fault for fault in faults if fault not in gone]


def _continues(document: Document, path: Path) -> bool:
    """Say whether an entry of a list has none of the keys of the entry before it."""
    if not path or not isinstance(path[-1], int) or not path[-1]:
        return False
    entries: Any = document.data
    for step in path[:-1]:
        entries = entries[step]
    entry, before = entries[path[-1]], entries[path[-1] - 1]
    return isinstance(entry, dict) and isinstance(before, dict) and not entry.keys() & before.keys()
