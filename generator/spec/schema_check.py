"""Holds a document against its schema: which values are wrong, and one complaint for each."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from generator.diagnostics.diagnostic import Diagnostic
from generator.schema_files import read_schema
from generator.spec.document import Document, Path
from generator.spec.one_mistake import joined
from generator.spec.schema_messages import Fault, bad_value, missing_key, unknown_key
from generator.spec.words import nearest_key

__all__ = ["MOST_FAULTS", "SchemaResult", "check_schema"]

# Nobody reads more at once, and a hostile file must not keep the check busy for minutes.
MOST_FAULTS = 200
# Of several complaints about one value the first in this order is told: the others follow from it.
_RANK = {"type": 0, "const": 1, "enum": 2}


@dataclass(frozen=True)
class SchemaResult:
    """The outcome of a schema check.

    `data` is the document with None in place of bad values and without unknown keys, for checks that follow; it is
    None as a whole when there was too much to tell.
    `excused` are paths that are absent because of a problem that is told already.
    """

    diagnostics: tuple[Diagnostic, ...]
    data: Any
    excused: frozenset[Path]


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: Any, value: Any) -> bool:
    return _is_integer(None, value) or (isinstance(value, float) and math.isfinite(value))


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    """Hold the pattern against the whole text: Python's `$` would allow a line break at the end."""
    if isinstance(value, str) and re.search(pattern.removesuffix("$") + r"\Z", value) is None:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _required(_validator: Any, required: list[str], value: Any, _schema: Any) -> Iterator[ValidationError]:
    """Complain about each missing key, and put the key where it can be read without parsing English."""
    for key in required if isinstance(value, dict) else []:
        if key not in value:
            yield ValidationError(f"{key!r} is missing", cause=KeyError(key))


_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
_extend: Any = extend
_Validator = _extend(Draft202012Validator, {"pattern": _pattern, "required": _required}, type_checker=_CHECKER)


@lru_cache
def _expanded(schema: str) -> dict[str, Any]:
    """Return a schema with every reference replaced by what it names, so that each part has the words of its place."""
    document = read_schema(schema)
    whole: dict[str, Any] = _filled(document, document["$defs"])
    return whole


def _filled(part: Any, shared: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_filled(item, shared) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part = {**shared[part["$ref"].rpartition("/")[2]], **part}
    return {key: _filled(item, shared) for key, item in part.items() if key not in ("$ref", "$defs")}


@lru_cache
def _validator(schema: str) -> Any:
    return _Validator(_expanded(schema))


def _faults(document: Document, schema: str) -> Iterator[Fault]:
    """Yield what is wrong, one fault for each unknown key, missing key and bad value."""
    for error in _validator(schema).iter_errors(document.data):
        path, named = tuple(error.absolute_path), "propertyNames" in error.absolute_schema_path
        fault = Fault(path, error.validator, error.validator_value, error.instance, error.schema)
        if error.validator == "additionalProperties":
            yield from (fault.about(key) for key in error.instance if key not in error.schema["properties"])
        elif error.validator == "required":
            yield fault.about(error.cause.args[0])
        else:
            yield fault.about(error.instance) if named else fault


def check_schema(document: Document, schema: str) -> SchemaResult:
    """Check a document against `schemas/SCHEMA.schema.json`."""
    found = list(islice(_faults(document, schema), MOST_FAULTS))
    faults = joined(document, _expanded(schema), _first_of_each(found))
    unknown = [fault for fault in faults if fault.keyword == "additionalProperties"]
    absent = [fault for fault in faults if fault.keyword == "required"]
    values = [fault for fault in faults if fault.keyword not in ("additionalProperties", "required")]
    excused = frozenset(path for fault in unknown for path in _meant(fault))
    problems = (
        *(unknown_key(document, schema, fault) for fault in unknown),
        *(missing_key(document, fault) for fault in absent if fault.path not in excused),
        *(bad_value(document, fault) for fault in values),
    )
    bad = {fault.path for fault in values if not fault.key and fault.keyword != "uniqueItems"}
    gone = {fault.path for fault in unknown}
    data = _cleaned(document.data, (), bad, gone) if len(found) < MOST_FAULTS else None
    return SchemaResult(problems, data, excused)


def _meant(fault: Fault) -> Iterator[Path]:
    """Yield the places where a key that stands at the wrong one may belong."""
    key = nearest_key(fault.key, fault.schema["properties"])
    if key:
        yield (*fault.path[:-1], key)
    yield (fault.key,)


def _first_of_each(faults: list[Fault]) -> list[Fault]:
    first: dict[Path, Fault] = {}
    for fault in sorted(faults, key=lambda fault: _RANK.get(fault.keyword, 3)):
        first.setdefault(fault.path, fault)
    return list(first.values())


def _cleaned(value: Any, path: Path, bad: set[Path], gone: set[Path]) -> Any:
    if path in bad:
        return None
    if isinstance(value, dict):
        return {key: _cleaned(item, (*path, key), bad, gone) for key, item in value.items() if (*path, key) not in gone}
    if isinstance(value, list):
        return [_cleaned(item, (*path, index), bad, gone) for index, item in enumerate(value)]
    return value
