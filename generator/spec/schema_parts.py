"""The parts of a schema by place, such as `machines.NAME.type`, and how a person is told what each may be."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from generator.schema_files import read_schema
from generator.spec.words import form, kind_words, one_line

__all__ = ["Part", "code", "default_words", "schema_parts", "value_words"]

Part = Mapping[str, Any]
_GROUP = ("properties", "required")
# Under these keywords of a schema stand other parts, at this step of a place.
_BELOW = (("additionalProperties", ".NAME"), ("items", "[]"), ("then", ""))


@lru_cache
def schema_parts(schema: str) -> Mapping[str, Part]:
    """Return every part of `schemas/SCHEMA.schema.json` by its place, in the file's order; '' is the whole file."""
    document = read_schema(schema)
    found: dict[str, Part] = {}
    for place, part in _walk(document, document, ""):
        # What stands behind `then` is at the place of its key, and gives it no more than the keys of a group.
        known = found.get(place)
        found[place] = part if known is None else {**known, **{word: part[word] for word in _GROUP if word in part}}
    return MappingProxyType(found)


def _walk(part: Part, document: Part, place: str) -> Iterator[tuple[str, Part]]:
    yield place, part
    for key, child in part.get("properties", {}).items():
        yield from _walk(_whole(child, document), document, f"{place}.{key}".removeprefix("."))
    for keyword, step in _BELOW:
        if isinstance(part.get(keyword), dict):
            yield from _walk(_whole(part[keyword], document), document, f"{place}{step}".removeprefix("."))


def _whole(part: Part, document: Part) -> Part:
    return {**document["$defs"][part["$ref"].rsplit("/", 1)[1]], **part} if "$ref" in part else part


def value_words(part: Part) -> str:
    """Return what kind of value a key takes, in plain words."""
    if "const" in part:
        return code(part["const"])
    if "enum" in part:
        return _choices(part["enum"])
    if "x-hint" in part:
        return str(form(part["x-hint"])["expects"])
    return _alternatives(part) or kind_words(part["type"]) + _range(part)


def default_words(part: Part, key: str, required: list[str]) -> str:
    """Return what holds without the key: `needed` when there must be one, and nothing for an empty default."""
    return "needed" if key in required else code(part["default"]) if part.get("default") else ""


def code(value: Any) -> str:
    """Return a value as code; digits that are text stand in quotes, as they must in a spec."""
    is_digits = isinstance(value, str) and value.isdigit()
    return f'`"{value}"`' if is_digits else f"`{one_line(value)}`"


def _alternatives(part: Part) -> str:
    """Return the words of a key that takes one of a few words, or something of another kind."""
    for keyword in ("then", "else"):
        if "enum" in part.get(keyword, {}):
            others = [kind for kind in part["type"] if kind != "string"]
            return f"{_choices(part[keyword]['enum'])}, or {kind_words(others)}"
    return ""


def _choices(values: list[Any]) -> str:
    return ", ".join(code(value) for value in values)


def _range(part: Part) -> str:
    return f", {part['minimum']} to {part['maximum']}" if {"minimum", "maximum"} <= set(part) else ""
