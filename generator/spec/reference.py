"""The pages docs/reference/spec.md and platform.md, made from the schemas: what editors and messages say, as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from generator.schema_files import read_schema
from generator.spec.words import form, kind_words, one_line

__all__ = ["NOT_BUILT", "render_spec_reference"]

Part = Mapping[str, Any]

_REFUSED = "`plan` and `provision` refuse it before any effect, exit code 69."
_RECORDED = "it is checked and recorded, and nothing acts on it."
_UNREAD = "it is checked, and nothing reads it."
# What the schemas promise and this version does not do, by place. Take an entry out when you build its part.
NOT_BUILT: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "lab": {
            "description": _RECORDED,
            "professor": _RECORDED,
            "assistants": _RECORDED,
            "kubernetes": _REFUSED,
            "solution": _REFUSED,
            "schedule": _REFUSED,
            "update": "running machines are not replaced: with `keep` and `rebuild`, `deliver` refuses a release that "
            "would replace some, exit code 69. `manual` works.",
            "network.internet[].host": f"hosts by name; {_REFUSED}",
            "machines.NAME.type": f"the image of `desktop`; {_REFUSED}",
            "machines.NAME.kind": f"`vm`; {_REFUSED}",
            "machines.NAME.forward": f"`true`; {_REFUSED}",
            "machines.NAME.keep": _RECORDED,
            "volumes.NAME.storage": f"storage that is a folder of the hosts; {_REFUSED}",
            "checks[].hint": _RECORDED,
            "checks[].hidden": _RECORDED,
            "checks[].kubernetes": "`smoke` refuses it, exit code 69.",
        },
        "platform": {
            "lxd.url": f"LXD over the network; {_REFUSED}",
            "storage.NAME.host_path": f"folders of the hosts; where a lab uses one, {_REFUSED}",
            "images": _UNREAD,
            "kubernetes": "the names of `clusters` are checked against the specs, and nothing else reads this.",
            "delivery": f"`argocd`; {_REFUSED}",
            "argocd": _UNREAD,
            "git": f"{_UNREAD} The remote is the checkout's own `origin`, see `practicum init --remote`.",
            "jenkins": _UNREAD,
            "web": _UNREAD,
            "vms": _UNREAD,
            "backup": _REFUSED,
        },
    }
)
_HEADS = {
    "lab": (
        "The lab spec",
        "What a professor writes: `labs/COURSE/LAB.lab.yaml`. Every key that a spec may have stands here; any other is "
        "an error with line and fix. [Your first lab](../tutorial/first-lab.md) shows how a spec grows.",
    ),
    "platform": (
        "The platform file",
        "What an operator writes: `environments/dev/platform.yaml` and `environments/prod/platform.yaml`, one for each "
        "environment. `practicum init` writes both. Without a file, or without a key, the defaults hold; those of "
        "`addresses` are 10.64.0.0/13 for dev and 10.72.0.0/13 for prod. Secrets never stand here.",
    ),
}


@dataclass(frozen=True)
class _Group:
    """A group of keys at a place of the file, such as `machines.NAME`; the whole file is at the empty place."""

    place: str
    part: Part


def render_spec_reference(schema: str = "lab") -> str:
    """Return the text of the reference page of `schemas/SCHEMA.schema.json`: `lab` or `platform`."""
    title, introduction = _HEADS[schema]
    source = f"<!-- Made from schemas/{schema}.schema.json by generator/spec/reference.py; a test holds it. -->"
    document = read_schema(schema)
    sections = [_section(group, document, schema) for group in _groups(document, document, "")]
    return "\n\n".join((f"# {title}", source, introduction, *sections)) + "\n"


def _groups(part: Part, document: Part, place: str) -> Iterator[_Group]:
    if part.get("properties"):
        yield _Group(place, part)
    for step, child in _steps(part):
        yield from _groups(_whole(child, document), document, place + step)


def _steps(part: Part) -> Iterator[tuple[str, Part]]:
    """Yield what may stand below a part, with the step that leads there."""
    yield from ((f".{key}", child) for key, child in part.get("properties", {}).items())
    for keyword, step in (("additionalProperties", ".NAME"), ("items", "[]"), ("then", "")):
        if isinstance(part.get(keyword), dict):
            yield step, part[keyword]


def _whole(part: Part, document: Part) -> Part:
    return {**document["$defs"][part["$ref"].rsplit("/", 1)[1]], **part} if "$ref" in part else part


def _section(group: _Group, document: Part, schema: str) -> str:
    place = group.place.removeprefix(".")
    heading = f"## `{place}`\n\n{group.part.get('description', '')}".rstrip() if place else "## The whole file"
    lines = ["| key | what it says | value | default | example |", "|---|---|---|---|---|"]
    required = group.part.get("required", [])
    for key, child in group.part["properties"].items():
        whole = _whole(child, document)
        note = NOT_BUILT[schema].get(f"{place}.{key}".removeprefix("."), "")
        words = whole["description"] + (f" **Not built yet:** {note}" if note else "")
        default = "needed" if key in required else _code(whole["default"]) if whole.get("default") else ""
        cells = (f"`{key}`", words, _value(whole), default, _code(whole["examples"][0]))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return heading + "\n\n" + "\n".join(lines)


def _value(part: Part) -> str:
    """Return what kind of value a key takes, in plain words."""
    if "const" in part:
        return _code(part["const"])
    if "enum" in part:
        return _choices(part["enum"])
    if "x-hint" in part:
        return str(form(part["x-hint"])["expects"])
    return _alternatives(part) or kind_words(part["type"]) + _range(part)


def _alternatives(part: Part) -> str:
    """Return the words of a key that takes one of a few words, or something of another kind."""
    for keyword in ("then", "else"):
        if "enum" in part.get(keyword, {}):
            others = [kind for kind in part["type"] if kind != "string"]
            return f"{_choices(part[keyword]['enum'])}, or {kind_words(others)}"
    return ""


def _choices(values: list[Any]) -> str:
    return ", ".join(_code(value) for value in values)


def _range(part: Part) -> str:
    return f", {part['minimum']} to {part['maximum']}" if {"minimum", "maximum"} <= set(part) else ""


def _code(value: Any) -> str:
    """Return a value as code; digits that are text stand in quotes, as they must in a spec."""
    is_digits = isinstance(value, str) and value.isdigit()
    return f'`"{value}"`' if is_digits else f"`{one_line(value)}`"
