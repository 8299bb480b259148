"""What a scalar means in the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3)."""

import re
from typing import Any

from yaml.resolver import BaseResolver

__all__ = ["CoreResolver", "scalar_value"]

_TAG = "tag:yaml.org,2002:"
_FORMS = {
    "null": (r"~|null|Null|NULL|", [*"~nN", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}


class CoreResolver(BaseResolver):
    """Gives plain scalars their 1.2 tag: `no`, `on`, `22:22` and `2026-09-14` are text, `010` is ten."""


for _name, (_pattern, _first) in _FORMS.items():
    CoreResolver.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)


def _number(text: str) -> float:
    lower = text.lower()
    return float(lower.replace(".inf", "inf").replace(".nan", "nan"))


def scalar_value(tag: str, text: str) -> Any:
    """Return the value of a scalar with that tag; ValueError when the text has another form or the tag is foreign."""
    name = tag.removeprefix(_TAG)
    if name == "str":
        return text
    if name not in _FORMS or re.fullmatch(_FORMS[name][0], text) is None:
        raise ValueError(f"{text!r} is not of type {tag}")
    if name == "int":
        return _integer(text)
    if name == "float":
        return _number(text)
    return None if name == "null" else text.lower() == "true"
