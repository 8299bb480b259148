"""Rules about sizes: what starts at all, and what the platform has for one machine and for the class."""

from collections.abc import Iterator, Mapping
from typing import Any

from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.capacity import Promise, excess
from generator.spec.document import Path
from generator.spec.platform import Capacity
from generator.spec.rules.context import Context
from generator.spec.rules.students import number_of_students
from generator.spec.rules.volumes import volume_machines
from generator.spec.units import GIB, MIB, TIB, format_size, parse_size

__all__ = ["bounds", "class_capacity", "machine_capacity"]

_LEAST = {"memory": ("PRA042", 64 * MIB), "disk": ("PRA043", 256 * MIB), "size": ("PRA043", MIB)}
# No host has more; such a size is a slip of the keyboard.
_MOST = {"memory": 4 * TIB, "disk": 64 * TIB, "size": 64 * TIB}
_WORDS = {"cpu": "cores", "memory": "memory", "disk": "disk"}


def bounds(context: Context) -> Iterator[Diagnostic]:
    """A machine below these sizes does not start, and no host has more than these."""
    places: list[Path] = [("machines", name) for name in context.group("machines")]
    places += [("volumes", name) for name in context.group("volumes")]
    for place in places:
        for key, (code, least) in _LEAST.items():
            text = context.get(*place, key)
            if text is not None and parse_size(text) < least:
                message = f"'{key}' must be at least {format_size(least)}, not {text}"
                yield context.document.problem(code, message, (*place, key))
            elif text is not None and parse_size(text) > _MOST[key]:
                message = f"'{key}' must be at most {format_size(_MOST[key])}, not {text}"
                yield context.document.problem("PRA049", message, (*place, key), hint="Look at the unit.")


def _kinds(context: Context) -> Iterator[tuple[str, Mapping[str, Any], MachineType]]:
    """Yield the machines whose type is known."""
    for name, machine in context.group("machines").items():
        kind = context.catalogue.get((machine or {}).get("type") or "")
        if kind is not None:
            yield name, machine, kind


def _amount(machine: Mapping[str, Any], kind: MachineType, key: str) -> int:
    """Return cores, or bytes; 0 for a value that is told already or beyond any host."""
    given = machine.get(key, getattr(kind, key))
    amount = given if isinstance(given, int) else parse_size(given) if given else 0
    return 0 if amount > _MOST.get(key, amount) else amount


def machine_capacity(context: Context) -> Iterator[Diagnostic]:
    """No machine is larger than all hosts of an environment together."""
    for name, machine, kind in _kinds(context):
        for key in ("cpu", "memory", "disk"):
            amount = _amount(machine, kind, key)
            lacking = [env for env, platform in context.platforms.items() if amount > _offered(platform.capacity, key)]
            if lacking:
                offered = _offered(context.platforms[lacking[0]].capacity, key)
                told, has = (_shown(key, value) for value in (amount, int(offered)))
                message = f"'{name}' wants {told} of {_WORDS[key]}, and {lacking[0]} has {has}"
                path = ("machines", name, key if key in machine else "type")
                yield context.document.problem("PRA049", message.replace(" cores of cores", " cores"), path)


def _offered(capacity: Capacity, key: str) -> float:
    bound = {"cpu": capacity.cpu, "memory": capacity.memory, "disk": capacity.pool}[key]
    return float("inf") if bound is None else bound


def _shown(key: str, amount: int) -> str:
    return f"{amount} cores" if key == "cpu" else format_size(amount)


def class_capacity(context: Context) -> Iterator[Diagnostic]:
    """The seats of a class fit into what the platform may promise; told at `students`, which is easiest to change."""
    platform = context.platforms.get("prod")
    bounded = platform is not None and any(getattr(platform.capacity, key) for key in ("cpu", "memory", "pool"))
    count = number_of_students(context) if bounded else 0
    if not count or platform is None or any(machine_capacity(context)):
        return
    seat = _seat(context)
    words = excess(Promise(seat.cpu * count, seat.memory * count, seat.pool * count), platform.capacity)
    if words:
        message = f"{count} students do not fit into the capacity of prod: {'; '.join(words)}"
        fits = _fitting(seat, platform.capacity, count)
        hint = f"At most {fits} fit. " if fits else ""
        hint += "Take fewer students or smaller machines, or ask the operator to raise `capacity`."
        yield context.document.problem("PRA049", message, ("students",), hint=hint)


def _seat(context: Context) -> Promise:
    """Return what one seat is promised."""
    total = Promise()
    for _name, machine, kind in _kinds(context):
        total += Promise(*(_amount(machine, kind, key) for key in ("cpu", "memory", "disk")))
    volumes: Mapping[str, Any] = context.group("volumes") if "volumes" in context.data else {"home": {}}
    seen = [entry or {} for name, entry in volumes.items() if volume_machines(context, name)]
    sizes = [parse_size(entry["size"]) if entry.get("size") else GIB for entry in seen]
    return total + Promise(pool=sum(size for size in sizes if size <= _MOST["size"]))


def _fitting(seat: Promise, capacity: Capacity, count: int) -> int:
    """Return how many seats fit."""
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        whole = Promise(seat.cpu * middle, seat.memory * middle, seat.pool * middle)
        low, high = (low, middle) if excess(whole, capacity) else (middle, high)
    return low
