"""What the schema's complaints are called in the words of the person who wrote the file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Document, Path, path_text
from generator.spec.suggestions import meant
from generator.spec.words import (
    did_you_mean,
    form,
    kind_words,
    name_of,
    nearest_choice,
    nearest_key,
    needless,
    one_line,
    proper_place,
    shown,
    synonym,
)

__all__ = ["Fault", "bad_value", "missing_key", "unknown_key"]


@dataclass(frozen=True)
class Fault:
    """One complaint: the schema's `keyword` expects `expected` of the `value` at `path`.

    `key` is set when a key is the culprit: an unknown or missing one, or one with a bad name. `note` is a better hint
    than the usual one.
    """

    path: Path
    keyword: str
    expected: Any
    value: Any
    schema: Mapping[str, Any]
    key: str = ""
    note: str = ""

    def about(self, key: str) -> "Fault":
        """Return the fault of one key of the group."""
        return replace(self, path=(*self.path, key), key=key)

    @property
    def description(self) -> str:
        """What the schema says about the value."""
        return str(self.schema.get("description", ""))


def unknown_key(document: Document, schema: str, fault: Fault) -> Diagnostic:
    """Tell that a key is not known, and which one was probably meant."""
    near = None if fault.note else nearest_key(fault.key, fault.schema["properties"])
    message = f"unknown key {shown(fault.key)}{did_you_mean(near)}"
    hint = fault.note or (_meant_hint(fault, near) if near else _place_hint(schema, fault))
    return document.problem("PRA020", message, fault.path, on_key=True, hint=hint)


def _meant_hint(fault: Fault, meant: str) -> str:
    place = path_text((*fault.path[:-1], meant))
    return f"`{place}`: {fault.schema['properties'][meant].get('description', '')}"


def _place_hint(schema: str, fault: Fault) -> str:
    if reason := needless(fault.path[:-1], fault.key):
        return f"Take the key out. {reason}"
    place, other = proper_place(schema, fault.key), synonym(fault.key)
    if place:
        where = f"at {place}" if "." in place else "at the top level"
        return f"{shown(fault.key)} belongs {where}; look at the indentation."
    if other and (place := proper_place(schema, other)):
        return f"{shown(fault.key)} is called '{other}' here; it belongs at {place}."
    known = ", ".join(sorted(fault.schema["properties"]))
    return f"The keys here are {known}." if known else "There are no keys here; write {}."


def missing_key(document: Document, fault: Fault) -> Diagnostic:
    """Tell that a key is missing, with an example of it."""
    part, group = fault.schema["properties"][fault.key], fault.path[:-1]
    example = f", for example `{fault.key}: {one_line(part['examples'][0])}`" if part.get("examples") else ""
    where = f" in {name_of(group)}" if group else ""
    hint = f"{part.get('description', '')} Add it{example}. {fault.note}".strip()
    return document.problem("PRA021", f"the key '{fault.key}' is missing{where}", group, on_key=True, hint=hint)


def bad_value(document: Document, fault: Fault) -> Diagnostic:
    """Tell what a value, or the name of a key, must be instead."""
    if fault.key:
        return _bad_name(document, fault)
    if fault.value is None:
        hint = fault.note or "Write a value, or take the key out."
        return document.problem("PRA022", f"{name_of(fault.path)} has no value", fault.path, on_key=True, hint=hint)
    return _TELLERS.get(fault.keyword, _wrong_length)(document, fault)


def _bad_name(document: Document, fault: Fault) -> Diagnostic:
    kind, name = str(fault.schema["x-hint"]), fault.key
    plain = normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    better = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    choice = better if better != name and re.search(fault.expected, better) else None
    expected = form(kind)["expects"]
    message = f"the {kind.replace('-', ' ')} {shown(name)} must be {expected}{did_you_mean(choice)}"
    return document.problem("PRA032", message, fault.path, on_key=True, hint=form(kind)["hint"])


def _written(document: Document, fault: Fault) -> str:
    """Return the value as its author wrote it: 1.10 and 0644 are not 1.1 and 644 to a person."""
    value = fault.value
    return value if isinstance(value, str) else document.texts.get(fault.path, one_line(value))


def _must_be(document: Document, fault: Fault, expected: str, kind: str) -> str:
    """Return the message about a value: what it must be, what it is, and what was probably meant."""
    single = not isinstance(fault.value, list | dict)
    written = _written(document, fault)
    is_text = isinstance(fault.value, list | dict | str)
    near = meant(kind, written) if single else None
    found = shown(fault.value) if is_text else written
    return f"{name_of(fault.path)} must be {expected}, not {found}{did_you_mean(near)}"


def _wrong_type(document: Document, fault: Fault) -> Diagnostic:
    kind = _form_of(fault)
    expected = form(kind)["expects"] if kind else kind_words(fault.expected)
    message = _must_be(document, fault, expected, kind or str(fault.expected))
    return document.problem("PRA022", message, fault.path, hint=_type_hint(document, fault))


def _form_of(fault: Fault) -> str:
    """Return the form that a value must have; nothing for words, of which every text is one."""
    kind: str = fault.schema.get("x-hint", "")
    return "" if kind == "words" else kind


def _type_hint(document: Document, fault: Fault) -> str:
    expected, value = fault.expected, fault.value
    if kind := _form_of(fault):
        return form(kind)["hint"]
    if expected == "string" and not isinstance(value, list | dict):
        return f'Put it in quotes: "{_written(document, fault)}".'
    if expected == "array" and not isinstance(value, list | dict):
        return f"Write a list, also for one entry: [{_written(document, fault)}]."
    if expected == "boolean" and value in ("true", "false"):
        return "Write it without quotes."
    if expected == "integer" and isinstance(value, str):
        return "Write the number without quotes and without a unit."
    examples = fault.schema.get("examples")
    return _regrouped(fault) or (f"For example {one_line(examples[0])}." if examples else fault.description)


def _regrouped(fault: Fault) -> str:
    """Return how a list of names becomes a group of keys, and a single entry a list; nothing for other values."""
    value, inner = fault.value, fault.schema.get("additionalProperties")
    if fault.expected == "object" and isinstance(value, list) and value and isinstance(inner, dict):
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in value]
        if all(isinstance(name, str) for name in names):
            return f"Write each name as a key, without '-' and 'name': {names[0]}: {{…}}."
        if all(isinstance(entry, str) for entry in value) and not inner.get("required"):
            return f"Write {one_line({name: {} for name in value})}."
    if fault.expected == "array" and isinstance(value, dict):
        known = fault.schema.get("items", {}).get("properties", {})
        if (first := next(iter(value), None)) in known:
            return f"Begin each entry with '- ', also a single one: - {first}: …"
    return ""


def _nameless(document: Document, fault: Fault) -> Diagnostic:
    """Tell that a key of a machine or a volume stands where its name should."""
    group, key = name_of(fault.path), fault.value
    kind = str(fault.path[-1]).removesuffix("s")
    message = f"'{key}' is a key of a {kind}, and stands directly below {group} where the name of a {kind} belongs"
    hint = f"Write a name above it, for example {fault.expected}, and indent it by two more spaces."
    return document.problem("PRA022", message, (*fault.path, key), on_key=True, hint=hint)


def _wrong_choice(document: Document, fault: Fault) -> Diagnostic:
    choices = [str(choice) for choice in fault.expected]
    choice = nearest_choice(_written(document, fault), choices) if not isinstance(fault.value, list | dict) else None
    allowed = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    message = f"{name_of(fault.path)} must be {allowed}, not {shown(fault.value)}{did_you_mean(choice)}"
    return document.problem("PRA023", message, fault.path, hint=fault.description)


def _wrong_version(document: Document, fault: Fault) -> Diagnostic:
    message = f"{name_of(fault.path)} must be {shown(fault.expected)}, not {shown(fault.value)}"
    hint = f"This Practicum reads version {shown(fault.expected)} of the file format; write it without quotes."
    return document.problem("PRA027", message, fault.path, hint=hint)


def _out_of_range(document: Document, fault: Fault) -> Diagnostic:
    bound = "at least" if fault.keyword == "minimum" else "at most"
    message = f"{name_of(fault.path)} must be {bound} {shown(fault.expected)}, not {_written(document, fault)}"
    return document.problem("PRA024", message, fault.path, hint=fault.description)


def _wrong_form(document: Document, fault: Fault) -> Diagnostic:
    kind = fault.schema["x-hint"]
    message = _must_be(document, fault, form(kind)["expects"], kind)
    hint = "Write the number without quotes." if fault.value.isdigit() and kind == "roster" else form(kind)["hint"]
    return document.problem("PRA025", message, fault.path, hint=hint)


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
    "nameless": _nameless,
    "type": _wrong_type,
    "enum": _wrong_choice,
    "const": _wrong_version,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "pattern": _wrong_form,
}
