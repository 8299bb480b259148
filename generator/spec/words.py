"""The words of messages: near spellings, kinds of values, and what a text must look like."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from generator.diagnostics.secrets import without_passwords
from generator.schema_files import read_schema, read_schema_yaml
from generator.spec.syntax import INVISIBLE

__all__ = [
    "did_you_mean",
    "form",
    "kind_words",
    "name_of",
    "nearest",
    "nearest_choice",
    "nearest_key",
    "needless",
    "one_line",
    "proper_place",
    "shown",
    "synonym",
]

# Below this `port` would be taken for `points`.
_NEAR = 0.65
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of keys",
}


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is spelled most like `word`, or None when none is near."""
    known, lower = sorted(choices), word.lower()
    swapped = [choice for choice in known if sorted(choice) == sorted(lower)]
    near = swapped or get_close_matches(lower, known, n=1, cutoff=_NEAR)
    return near[0] if near else None


def nearest_key(word: str, choices: Iterable[str]) -> str | None:
    """Return the key that someone who wrote `word` probably meant: by spelling, or a word of other tools."""
    allowed, other = list(choices), synonym(word)
    return other if other in allowed else nearest(word, allowed)


def synonym(word: str) -> str | None:
    """Return our key for a word that other tools use."""
    found: str | None = read_schema_yaml("hints.yaml")["synonyms"].get(word.lower())
    return found


def needless(path: tuple[str | int, ...], key: str) -> str:
    """Return why a key of other tools, in the group at `path`, needs none here; nothing when it is not known."""
    found: str = read_schema_yaml("hints.yaml")["needless"].get(f"{path[0]}.{key}", "") if path else ""
    return found


def nearest_choice(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that someone who wrote `word` probably meant: a word of other tools, or by spelling."""
    allowed = list(choices)
    others: list[str] = read_schema_yaml("hints.yaml")["choices"].get(word.lower(), [])
    return next((other for other in others if other in allowed), None) or nearest(word, allowed)


def did_you_mean(choice: str | None) -> str:
    """Return the end of a message that names a choice, or nothing."""
    if not choice:
        return ""
    return f"; did you mean {choice}?" if choice.startswith('"') else f"; did you mean '{choice}'?"


def kind_words(types: str | list[str]) -> str:
    """Return the types of a JSON Schema in plain words: `text or a whole number`."""
    names = [types] if isinstance(types, str) else types
    return " or ".join(_KINDS[name] for name in names if name in _KINDS)


def shown(value: Any) -> str:
    """Return a value as a message shows it, shortened."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, str):
        value = INVISIBLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", without_passwords(value))
        return f"'{value if len(value) <= 60 else value[:57] + '…'}'".replace("\n", "⏎")
    return json.dumps(value)


def one_line(value: Any) -> str:
    """Return a value as one line of YAML, for examples in hints."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(one_line(item) for item in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def name_of(path: tuple[str | int, ...]) -> str:
    """Return how a message calls the value at `path`: its key, or the entry of a list."""
    if not path:
        return "this file"
    last = path[-1]
    return f"entry {last + 1} of '{path[-2]}'" if isinstance(last, int) else f"'{last}'"


def form(name: str) -> Mapping[str, str]:
    """Return what hints.yaml says about a form: `expects` and `hint`."""
    entry: Mapping[str, str] = read_schema_yaml("hints.yaml")["forms"][name]
    return entry


def proper_place(schema: str, key: str) -> str | None:
    """Return the first place of the schema in which `key` is allowed, such as `machines.NAME.cpu`."""
    return _places(schema).get(key)


@lru_cache
def _places(schema: str) -> Mapping[str, str]:
    document = read_schema(schema)
    places: dict[str, str] = {}
    for key, place in sorted(_walk(document, document, ""), key=lambda found: found[1].count(".")):
        places.setdefault(key, place)
    return places


def _walk(part: Mapping[str, Any], document: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    if "$ref" in part:
        part = {**document["$defs"][part["$ref"].rsplit("/", 1)[1]], **part}
    for key, child in part.get("properties", {}).items():
        yield key, f"{place}.{key}".removeprefix(".")
        yield from _walk(child, document, f"{place}.{key}".removeprefix("."))
    for keyword, step in (("additionalProperties", ".NAME"), ("items", "[]"), ("then", "")):
        if isinstance(part.get(keyword), dict):
            yield from _walk(part[keyword], document, place + step)
