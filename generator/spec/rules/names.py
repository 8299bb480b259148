"""Rules about names: of the course, of the lab, and names that Practicum keeps for itself."""

import re
from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules.context import Context

__all__ = ["has_content", "lab_key", "lab_name", "name_problems", "reserved_names"]

_PATH = re.compile(r"labs/([^/]+)/([^/]+)\.lab\.yaml")
_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_LONGEST = {"course": 20, "lab": 30}
_RESERVED = {
    "probe": "the name of Practicum's own container in each lab",
    "kubernetes-node": "the name of what all nodes of a lab's cluster have in common",
    "localhost": "what every machine calls itself",
}
_DEVICE = re.compile(r"root|seed|eth[0-9]")


def lab_key(path: str) -> tuple[str, str] | None:
    """Return course and lab name of `labs/COURSE/LAB.lab.yaml`, or None for a path of another form."""
    match = _PATH.fullmatch(path)
    return (match[1], match[2]) if match else None


def lab_name(context: Context) -> Iterator[Diagnostic]:
    """The file's place gives the lab its name, which becomes part of many names on the hosts."""
    file = context.document.file
    key = lab_key(file)
    if key is None:
        yield Diagnostic("PRA030", "a lab must stand at labs/COURSE/LAB.lab.yaml", file)
        return
    course, lab = key
    for problem in name_problems(course.removeprefix("_"), lab):
        yield Diagnostic("PRA031", problem, file)


def name_problems(course: str, lab: str) -> Iterator[str]:
    """Yield what is wrong with the names of a course and a lab."""
    for kind, name in (("course", course), ("lab", lab)):
        if len(name) > _LONGEST[kind] or _LABEL.fullmatch(name) is None:
            rule = f"at most {_LONGEST[kind]} lower-case letters, digits and hyphens, beginning with a letter"
            yield f"the {kind} name '{name}' must be {rule}"


def reserved_names(context: Context) -> Iterator[Diagnostic]:
    """Each lab has a container `probe`, and each machine devices, of Practicum's own."""
    for name in context.group("machines"):
        if name in _RESERVED:
            message = f"'{name}' is {_RESERVED[name]}"
            yield context.document.problem("PRA036", message, ("machines", name), on_key=True)
    for name in context.group("volumes"):
        if _DEVICE.fullmatch(name):
            message = f"'{name}' is the name of another device of the machines"
            yield context.document.problem("PRA036", message, ("volumes", name), on_key=True)


def has_content(context: Context) -> Iterator[Diagnostic]:
    """A lab without machines and without Kubernetes is nothing."""
    named = {"machines", "kubernetes"} & set(context.data)
    meant = {("machines",), ("kubernetes",)} & context.excused
    if not named and not meant:
        yield context.document.problem("PRA037", "this lab has neither machines nor kubernetes", (), on_key=True)
