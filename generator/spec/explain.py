"""What a key means, as text for a terminal: the same words as the reference pages, from the same schemas."""

import re
from collections.abc import Iterator
from textwrap import fill
from typing import Any

from generator.diagnostics.codes import codes
from generator.render.yaml_text import dump
from generator.spec.reference import PAGES, not_built
from generator.spec.schema_parts import Part, default_words, schema_parts, value_words
from generator.spec.words import nearest, nearest_key, proper_place

__all__ = ["UnknownKey", "explain_code", "explain_key"]

_WIDTH = 100
_INDEX = re.compile(r"\[[^\]]*\]")


class UnknownKey(LookupError):
    """There is no such key; `meant` is the place or code that was probably meant."""

    def __init__(self, text: str, meant: str | None, kind: str = "key") -> None:
        super().__init__(f"unknown {kind} '{text}'")
        self.meant = meant


def explain_key(text: str, schema: str = "lab") -> str:
    """Return what a key means. Names may be left out: `machines.web.type` is `machines.type`. Raises UnknownKey."""
    place = _place(text, schema)
    part = schema_parts(schema)[place]
    return "\n\n".join(block for block in _blocks(place, part, schema) if block)


def explain_code(text: str) -> str:
    """Return title and text of a diagnostic, such as PRA012. Raises UnknownKey."""
    name = text.upper()
    if name not in codes():
        padded = f"PRA{int(name[3:]):03}" if name[3:].isdecimal() else name
        raise UnknownKey(text, padded if padded in codes() else nearest(name, codes()), "code")
    entry = codes()[name]
    head = fill(f"{name}: {entry['title']}", _WIDTH)
    return f"{head}\n\n{fill(entry['text'].strip(), _WIDTH)}\n\ndocs: docs/reference/diagnostics.md#{name.lower()}"


def _place(text: str, schema: str) -> str:
    parts, place = schema_parts(schema), ""
    for word in _INDEX.sub("", text).strip(".").split(".") if text else []:
        found = next((step for step in _steps(place, word) if step in parts), None)
        if found is None:
            raise UnknownKey(text, _meant(word, place, schema))
        place = found
    return place


def _steps(place: str, word: str) -> Iterator[str]:
    """Yield where a word may lead: a key here or in an entry; else a name of the author's own."""
    yield f"{place}.{word}".removeprefix(".")
    yield from (f"{place}{entry}.{word}" for entry in ("[]", ".NAME"))
    yield f"{place}.NAME"


def _meant(word: str, place: str, schema: str) -> str | None:
    known = dict(_keys(place, schema))
    near = nearest_key(word, known)
    return known[near] if near else proper_place(schema, word)


def _keys(place: str, schema: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that may stand at a place, or in its entries, with their own places."""
    parts = schema_parts(schema)
    for entry in (place, f"{place}[]", f"{place}.NAME"):
        for key in parts.get(entry, {}).get("properties", {}):
            yield key, f"{entry}.{key}".removeprefix(".")


def _blocks(place: str, part: Part, schema: str) -> Iterator[str]:
    document = f"docs/reference/{PAGES[schema]}.md"
    yield fill(f"{place}: {part['title']}" if place else part["title"], _WIDTH)
    yield fill(part["description"], _WIDTH)
    if note := not_built(schema, place):
        yield fill(f"Not built yet: {note}", _WIDTH)
    yield "\n".join(_facts(place, part, schema))
    yield _example(place, part)
    yield "\n".join(_key_lines(place, schema))
    yield f"docs: {document}"


def _facts(place: str, part: Part, schema: str) -> Iterator[str]:
    group, _, key = place.rpartition(".")
    required = schema_parts(schema).get(group, {}).get("required", [])
    yield f"value:   {value_words(part).replace('`', '')}"
    if default := default_words(part, key, required):
        yield f"default: {default.replace('`', '')}"


def _example(place: str, part: Part) -> str:
    if not part.get("examples"):
        return ""
    name = place.rpartition(".")[2].removesuffix("[]")
    shown: Any = part["examples"][0]
    if place.endswith("[]"):
        shown = {name: [shown]}
    elif place:
        shown = {name: shown}
    return "example:\n" + "".join(f"  {line}\n" for line in dump(shown).splitlines()).rstrip("\n")


def _key_lines(place: str, schema: str) -> Iterator[str]:
    keys = dict(_keys(place, schema))
    wide = max((len(key) for key in keys), default=0)
    if keys:
        yield "keys:"
    for key, child in keys.items():
        words = schema_parts(schema)[child]["description"]
        yield fill(words, _WIDTH, initial_indent=f"  {key:{wide}}  ", subsequent_indent=" " * (wide + 4))
