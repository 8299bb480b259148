"""What the schema's complaints are called in the words of the person who wrote the file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Document, Path, path_text
from generator.spec.words import (
    did_you_mean,
    form,
    kind_words,
    name_of,
    nearest,
    nearest_key,
    one_line,
    proper_place,
    shown,
)

__all__ = ["Fault", "bad_value", "missing_key", "unknown_key"]


@dataclass(frozen=True)
class Fault:
    """One complaint: the schema's `keyword` expects `expected` of the `value` at `path`.

    `key` is set when a key is the culprit: an unknown or missing one, or one with a bad name.
    """

    path: Path
    keyword: str
    expected: Any
    value: Any
    schema: Mapping[str, Any]
    key: str = ""

    def about(self, key: str) -> "Fault":
        """Return the fault of one key of the group."""
        return replace(self, path=(*self.path, key), key=key)

    @property
    def description(self) -> str:
        """What the schema says about the value."""
        return str(self.schema.get("description", ""))


def unknown_key(document: Document, schema: str, fault: Fault) -> Diagnostic:
    """Tell that a key is not known, and which one was probably meant."""
    meant = nearest_key(fault.key, fault.schema["properties"])
    message = f"unknown key {shown(fault.key)}{did_you_mean(meant)}"
    hint = _meant_hint(fault, meant) if meant else _place_hint(fault, proper_place(schema, fault.key))
    return document.problem("PRA020", message, fault.path, on_key=True, hint=hint)


def _meant_hint(fault: Fault, meant: str) -> str:
    place = path_text((*fault.path[:-1], meant))
    return f"`{place}`: {fault.schema['properties'][meant].get('description', '')}"


def _place_hint(fault: Fault, place: str | None) -> str:
    if place:
        where = f"at {place}" if "." in place else "at the top level"
        return f"{shown(fault.key)} belongs {where}; look at the indentation."
    known = ", ".join(sorted(fault.schema["properties"]))
    return f"The keys here are {known}." if known else "There are no keys here; write {}."


def missing_key(document: Document, fault: Fault) -> Diagnostic:
    """Tell that a key is missing, with an example of it."""
    part, group = fault.schema["properties"][fault.key], fault.path[:-1]
    example = f", for example `{fault.key}: {one_line(part['examples'][0])}`" if part.get("examples") else ""
    where = f" in {name_of(group)}" if group else ""
    hint = f"{part.get('description', '')} Add it{example}.".strip()
    return document.problem("PRA021", f"the key '{fault.key}' is missing{where}", group, on_key=True, hint=hint)


def bad_value(document: Document, fault: Fault) -> Diagnostic:
    """Tell what a value, or the name of a key, must be instead."""
    teller = _bad_name if fault.key else _TELLERS.get(fault.keyword, _wrong_length)
    return teller(document, fault)


def _bad_name(document: Document, fault: Fault) -> Diagnostic:
    kind, name = str(fault.schema["x-hint"]), fault.key
    better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    choice = better if better != name and re.search(fault.expected, better) else None
    expected = form(kind)["expects"]
    message = f"the {kind.replace('-', ' ')} {shown(name)} must be {expected}{did_you_mean(choice)}"
    return document.problem("PRA032", message, fault.path, on_key=True, hint=form(kind)["hint"])


def _wrong_type(document: Document, fault: Fault) -> Diagnostic:
    path, value, part = fault.path, fault.value, fault.schema
    if value is None:
        hint = "Write a value, or take the key out."
        return document.problem("PRA022", f"{name_of(path)} has no value", path, on_key=True, hint=hint)
    expected = form(part["x-hint"])["expects"] if "x-hint" in part else kind_words(fault.expected)
    message = f"{name_of(path)} must be {expected}, not {shown(value)}"
    return document.problem("PRA022", message, path, hint=_type_hint(fault))


def _type_hint(fault: Fault) -> str:
    expected, value = fault.expected, fault.value
    if "x-hint" in fault.schema:
        return form(fault.schema["x-hint"])["hint"]
    if expected == "string" and not isinstance(value, list | dict):
        return f'Put it in quotes: "{one_line(value)}".'
    if expected == "array" and isinstance(value, str):
        return f"Write a list, also for one entry: [{value}]."
    if expected == "integer" and isinstance(value, str):
        return "Write the number without quotes and without a unit."
    examples = fault.schema.get("examples")
    return f"For example {one_line(examples[0])}." if examples else ""


def _wrong_choice(document: Document, fault: Fault) -> Diagnostic:
    choices = [str(choice) for choice in fault.expected]
    choice = nearest(fault.value, choices) if isinstance(fault.value, str) else None
    allowed = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    message = f"{name_of(fault.path)} must be {allowed}, not {shown(fault.value)}{did_you_mean(choice)}"
    return document.problem("PRA023", message, fault.path, hint=fault.description)


def _wrong_version(document: Document, fault: Fault) -> Diagnostic:
    message = f"{name_of(fault.path)} must be {shown(fault.expected)}, not {shown(fault.value)}"
    hint = f"This Practicum reads version {shown(fault.expected)} of the file format."
    return document.problem("PRA027", message, fault.path, hint=hint)


def _out_of_range(document: Document, fault: Fault) -> Diagnostic:
    bound = "at least" if fault.keyword == "minimum" else "at most"
    message = f"{name_of(fault.path)} must be {bound} {shown(fault.expected)}, not {shown(fault.value)}"
    return document.problem("PRA024", message, fault.path, hint=fault.description)


def _wrong_form(document: Document, fault: Fault) -> Diagnostic:
    words = form(fault.schema["x-hint"])
    message = f"{name_of(fault.path)} must be {words['expects']}, not {shown(fault.value)}"
    return document.problem("PRA025", message, fault.path, hint=words["hint"])


def _wrong_length(document: Document, fault: Fault) -> Diagnostic:
    path = fault.path
    if fault.keyword == "uniqueItems":
        return _repeated(document, fault)
    if fault.keyword.startswith("min"):
        examples = fault.schema.get("examples")
        hint = f"For example {one_line(examples[0])}." if examples else "Write something, or take the key out."
        return document.problem("PRA026", f"{name_of(path)} is empty", path, on_key=True, hint=hint)
    message = f"{name_of(path)} is too long: at most {fault.expected} characters, not {len(fault.value)}"
    return document.problem("PRA026", message, path, hint="Shorten it.")


def _repeated(document: Document, fault: Fault) -> Diagnostic:
    items = fault.value
    index = next(index for index, item in enumerate(items) if item in items[:index])
    message = f"{shown(items[index])} stands twice in {name_of(fault.path)}"
    return document.problem("PRA026", message, (*fault.path, index), hint="Take one of the two out.")


_TELLERS: Mapping[str, Callable[[Document, Fault], Diagnostic]] = {
    "type": _wrong_type,
    "enum": _wrong_choice,
    "const": _wrong_version,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "pattern": _wrong_form,
}
