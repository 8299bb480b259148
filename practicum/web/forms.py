"""Forms that are made from the schema of specs: labels, help, limits and units are written once, there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.schema_parts import schema_parts
from generator.spec.units import format_size
from practicum.web.messages import say

__all__ = ["Choice", "Field", "Form", "lab_fields", "machine_fields", "mark_problems", "sentences", "template_fields"]

LONGEST_LAB = 51
# What most labs begin with; it is what `practicum new` offers too.
USUAL_TYPE = "webserver"


@dataclass(frozen=True)
class Choice:
    """One entry of a select. `reason` is why it cannot be chosen, empty when it can."""

    value: str
    label: str
    reason: str = ""


@dataclass
class Field:
    """One field with what stands beside it. `path` is its place in the spec, by which problems find it."""

    name: str
    label: str
    help: str
    path: str
    kind: Literal["text", "number", "select"] = "text"
    value: str = ""
    placeholder: str = ""
    required: bool = False
    limits: Mapping[str, Any] = field(default_factory=dict)
    choices: Sequence[Choice] = ()
    errors: list[str] = field(default_factory=list)


@dataclass
class Form:
    """The fields of one form, and problems that belong to none of them."""

    fields: list[Field]
    errors: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.errors and not any(one.errors for one in self.fields)

    def fill(self, values: Mapping[str, Any]) -> None:
        """Take what somebody entered."""
        for one in self.fields:
            one.value = str(values.get(one.name, one.value)).strip()
            if one.required and not one.value:
                one.errors.append(say("form.needed"))
            elif one.kind == "select" and one.value not in _possible(one.choices):
                one.errors.append(say("form.choice"))

    def text(self, name: str) -> str:
        """Return what a field holds; empty for a field that this form has not."""
        return next((one.value for one in self.fields if one.name == name), "")

    def number(self, name: str) -> int | None:
        """Return what a field of numbers holds, None when it is empty; anything else is told beside it."""
        found = next(one for one in self.fields if one.name == name)
        if not found.value:
            return None
        if found.value.isdecimal() and found.value.isascii() and len(found.value) <= 9:
            return int(found.value)
        found.errors.append(say("form.number"))
        return None


def _possible(choices: Iterable[Choice]) -> list[str]:
    return [choice.value for choice in choices if not choice.reason]


def lab_fields() -> list[Field]:
    """Return the fields of a lab that is new."""
    return [
        Field(
            "lab",
            say("form.lab"),
            say("form.lab_help"),
            "",
            placeholder="net101/firewalls",
            required=True,
            limits={"maxlength": LONGEST_LAB},
        ),
        _of_schema("title", "title", required=True),
        _students(),
    ]


def template_fields(examples: Iterable[Choice]) -> list[Field]:
    """Return the fields of a lab that begins with an example."""
    choices = tuple(examples)
    first = next((choice.value for choice in choices if not choice.reason), "")
    template = Field("template", say("form.template"), say("form.template_help"), "", "select", first, choices=choices)
    return [template, lab_fields()[0], _students()]


def machine_fields(types: Mapping[str, MachineType], kind: str) -> list[Field]:
    """Return the fields of a machine; selects hold what there is."""
    offered = {name: one for name, one in types.items() if not one.hidden and not (kind == "vm" and one.graphical)}
    choices = tuple(_choice(name, one) for name, one in offered.items())
    usual = USUAL_TYPE if USUAL_TYPE in offered else next(iter(offered), "")
    machine_type = _of_schema("type", "machines.NAME.type", kind="select", choices=choices, help=say("form.type_help"))
    machine_type.value = usual
    as_type = say("form.as_type")
    return [
        machine_type,
        Field("name", say("form.name"), say("form.name_help"), "machines", limits={"maxlength": 30}),
        _of_schema("cpu", "machines.NAME.cpu", kind="number", placeholder=as_type),
        *(_of_schema(key, f"machines.NAME.{key}", placeholder=as_type) for key in ("memory", "disk")),
    ]


def mark_problems(form: Form, problems: Iterable[Diagnostic], machine: str) -> None:
    """Put each problem beside the field that it speaks of, in the words of the command line."""
    for problem in problems:
        if problem.severity != "error":
            continue
        words = sentences(problem)
        place = problem.path.replace(f"machines.{machine}", "machines.NAME") if machine else problem.path
        near = [one for one in form.fields if one.path and (place == one.path or place == f"{one.path}.NAME")]
        if near:
            near[0].errors.append(words)
        else:
            form.errors.append(words)


def sentences(problem: Diagnostic) -> str:
    """Return a problem with its hint, in the words of the command line."""
    told = (text for text in (problem.message, problem.hint) if text)
    return " ".join(text if text.endswith((".", "?")) else f"{text}." for text in told)


def _students() -> Field:
    return _of_schema("students", "students", kind="number", required=True, help=say("form.students_help"), least=1)


def _choice(name: str, one: MachineType) -> Choice:
    sizes = say("form.sizes", cpu=one.cpu, memory=format_size(one.memory), disk=format_size(one.disk))
    return Choice(name, f"{one.title} ({name}) · {sizes}", "" if one.image.built else say("form.not_built"))


def _of_schema(
    name: str,
    path: str,
    *,
    kind: Literal["text", "number", "select"] = "text",
    required: bool = False,
    help: str = "",
    placeholder: str = "",
    choices: tuple[Choice, ...] = (),
    least: int | None = None,
) -> Field:
    part = schema_parts("lab")[path]
    bounds = {"min": part.get("minimum", least), "max": part.get("maximum"), "maxlength": part.get("maxLength")}
    limits = {key: value for key, value in bounds.items() if value is not None}
    examples = [str(one) for one in part.get("examples", ())]
    shown = placeholder or ("" if kind == "select" or not examples else examples[0])
    words = help or str(part["description"])
    return Field(name, str(part["title"]), words, path, kind, "", shown, required, limits, choices)
