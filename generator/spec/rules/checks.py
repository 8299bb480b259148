"""Rules about checks: what is tried, on which machine, and from where."""

from collections.abc import Iterator
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules.context import Context

__all__ = ["KINDS", "kinds", "kubernetes", "machines", "names", "vantage"]

KINDS = ("http", "tcp", "exec", "kubernetes")


def _checks(context: Context) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield number, kind and settings of the checks that have at least one good kind."""
    for index, check in context.items("checks"):
        for kind in KINDS:
            if isinstance(check.get(kind), dict):
                yield index, kind, check[kind]


def kinds(context: Context) -> Iterator[Diagnostic]:
    """A check has exactly one kind."""
    for index, check in context.items("checks"):
        named = [key for key in check if key in KINDS]
        meant = any(("checks", index, kind) in context.excused for kind in KINDS)
        if not named and not meant:
            message = f"the check {_title(index, check)} says nothing to try"
            hint = "Add one of http, tcp, exec and kubernetes, for example `tcp: {machine: web, port: 22}`."
            yield context.document.problem("PRA039", message, ("checks", index), on_key=True, hint=hint)
        for second in named[1:]:
            message = f"the check {_title(index, check)} has both {named[0]} and {second}"
            yield context.document.problem("PRA039", message, ("checks", index, second), on_key=True)


def _title(index: int, check: dict[str, Any]) -> str:
    name = check.get("name")
    return f"'{name}'" if name else f"number {index + 1}"


def machines(context: Context) -> Iterator[Diagnostic]:
    """Checks name machines that the lab has."""
    for index, kind, settings in _checks(context):
        for key in ("machine", "from"):
            yield from context.unknown_machine(settings.get(key), ("checks", index, kind, key))


def vantage(context: Context) -> Iterator[Diagnostic]:
    """The probe stands on the first network; it reaches another through a router between the two only."""
    first, reached = context.networks[0], _reached(context)
    for index, kind, settings in _checks(context):
        machine = settings.get("machine")
        if kind not in ("http", "tcp") or "from" in settings or not machine or machine not in context.group("machines"):
            continue
        connected = context.connections(machine)
        if not reached & set(connected) and set(connected) <= set(context.networks):
            near = [name for name in context.group("machines") if set(connected) & set(context.connections(name))]
            other = next((name for name in near if name != machine), "MACHINE")
            message = f"'{machine}' is not on the first network '{first}', so the check needs `from`"
            hint = f"Add a machine that can reach '{machine}', for example `from: {other}`."
            yield context.document.problem("PRA038", message, ("checks", index, kind, "machine"), hint=hint)


def _reached(context: Context) -> set[str]:
    """Return the networks that the probe reaches: the first, and those that a router connects with it."""
    first, machines = context.networks[0], context.group("machines")
    routers = [context.connections(name) for name, machine in machines.items() if machine and machine.get("forward")]
    return {first}.union(*(connected for connected in routers if first in connected))


def kubernetes(context: Context) -> Iterator[Diagnostic]:
    """A Kubernetes check needs a Kubernetes lab."""
    if "kubernetes" in context.data or ("kubernetes",) in context.excused:
        return
    for index, kind, _settings in _checks(context):
        if kind == "kubernetes":
            message = "this check needs Kubernetes, and the lab has none"
            yield context.document.problem("PRA046", message, ("checks", index, kind), on_key=True)


def names(context: Context) -> Iterator[Diagnostic]:
    """Reports and grades tell checks apart by name."""
    seen: set[str] = set()
    for index, check in context.items("checks"):
        name = check.get("name")
        if name in seen:
            message = f"there are two checks with the name '{name}'"
            yield context.document.problem("PRA047", message, ("checks", index, "name"))
        if name is not None:
            seen.add(name)
