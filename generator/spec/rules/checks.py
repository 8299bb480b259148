"""Rules about checks: what is tried, on which machine, and from where."""

from collections.abc import Iterable, Iterator
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Severity
from generator.spec.rules.context import Context
from generator.spec.units import parse_duration

__all__ = ["KINDS", "graded", "kinds", "kubernetes", "machines", "names", "vantage", "waits"]

_LONGEST_WAIT = 3600.0
_WAIT_HINT = "The check is tried again until it holds or this time is over; the pipeline stands still that long."
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
        if not named and not _in_question(context, index, check):
            message = f"the check {_title(index, check)} says nothing to try"
            hint = "Add one of http, tcp, exec and kubernetes, for example `tcp: {machine: web, port: 22}`."
            yield context.document.problem("PRA039", message, ("checks", index), on_key=True, hint=hint)
        for second in named[1:2]:
            message = f"the check {_title(index, check)} has both {named[0]} and {second}"
            yield context.document.problem("PRA039", message, ("checks", index, second), on_key=True)


def _in_question(context: Context, index: int, check: dict[str, Any]) -> bool:
    """Say whether a check has a key that is told already and may be its kind, or is torn into two entries."""
    entries = context.document.data["checks"]
    after = entries[index + 1] if index + 1 < len(entries) else {}
    torn = isinstance(after, dict) and bool(after) and "name" not in after
    return torn or len(entries[index]) > len(check)


def _title(index: int, check: dict[str, Any]) -> str:
    name = check.get("name")
    return f"'{name}'" if name else f"number {index + 1}"


def machines(context: Context) -> Iterator[Diagnostic]:
    """Checks name machines that the lab has."""
    for index, kind, settings in _checks(context):
        for key in ("machine", "from"):
            yield from context.unknown_machine(settings.get(key), ("checks", index, kind, key))


def vantage(context: Context) -> Iterator[Diagnostic]:
    """A check starts where its machine can be met: on a network of its own, or through routers."""
    for index, kind, settings in _checks(context):
        machine, origin = settings.get("machine"), settings.get("from")
        known = context.group("machines")
        if kind not in ("http", "tcp") or not machine or machine not in known:
            continue
        if "from" in settings and origin not in known:
            continue
        if origin == machine:
            message = f"this check starts at '{machine}' itself, so it says nothing about the network"
            path = ("checks", index, kind, "from")
            yield context.document.problem("PRA069", message, path, severity="warning")
            continue
        start = context.connections(origin) if origin else context.networks[:1]
        connected = context.connections(machine)
        if not {*start, *connected} <= set(context.networks) or not _certain(context):
            continue
        later = context.get("checks", index, "when") == "progress"
        if _reached(context, start, later=later) & set(connected):
            continue
        path = ("checks", index, kind, "from" if origin else "machine")
        yield context.document.problem("PRA038", _apart(context, machine, origin), path, hint=_nearer(context, machine))


def _apart(context: Context, machine: str, origin: str | None) -> str:
    if origin:
        return f"'{origin}' is on no network of '{machine}', and no router leads there"
    return f"'{machine}' is not on the first network '{context.networks[0]}', so the check needs `from`"


def _nearer(context: Context, machine: str) -> str:
    connected = set(context.connections(machine))
    near = [name for name in context.group("machines") if connected & set(context.connections(name))]
    other = next((name for name in near if name != machine), "MACHINE")
    return f"Add a machine that can reach '{machine}', for example `from: {other}`."


def _certain(context: Context) -> bool:
    """Say whether all connections and routers are known: nothing is told twice because one of them is misspelt."""
    machines = context.group("machines")
    told = any(path[:1] == ("machines",) and path[-1] in ("connect", "forward") for path in context.excused)
    return not told and all(machine and _plain(machine) for machine in machines.values())


def _plain(machine: dict[str, Any]) -> bool:
    connect = machine.get("connect", [])
    return connect is not None and len(set(connect)) == len(connect) and machine.get("forward", False) is not None


def _reached(context: Context, start: Iterable[str], *, later: bool) -> set[str]:
    """Return the networks that are reached from some: themselves, and those that chains of routers lead to.

    What holds `later` may be made by students: any machine on several networks may become a router.
    """
    machines = context.group("machines").items()
    routers = [set(context.connections(name)) for name, machine in machines if later or machine.get("forward")]
    reached = set(start)
    for _ in routers:
        reached = reached.union(*(connected for connected in routers if connected & reached))
    return reached


def graded(context: Context) -> Iterator[Diagnostic]:
    """Points, hints and secrecy belong to checks of progress; a smoke test has none of them."""
    for index, check in context.items("checks"):
        if check.get("when", "smoke") != "smoke" or ("checks", index, "when") in context.excused:
            continue
        key = next((key for key in ("points", "hint", "hidden") if check.get(key)), None)
        if key is not None:
            message = f"'{key}' means nothing here: the check {_title(index, check)} is a smoke test"
            severity: Severity = "error" if key == "points" else "warning"
            path = ("checks", index, key)
            yield context.document.problem("PRA076", message, path, on_key=True, severity=severity)


def waits(context: Context) -> Iterator[Diagnostic]:
    """Nobody waits longer than an hour for one check."""
    for index, check in context.items("checks"):
        text = check.get("wait")
        if text is not None and parse_duration(text) > _LONGEST_WAIT:
            message = f"'wait' must be at most 60m, not {text}"
            yield context.document.problem("PRA024", message, ("checks", index, "wait"), hint=_WAIT_HINT)


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
