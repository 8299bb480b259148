"""Rules about machines and networks: types, connections, sizes and how many fit."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.addresses import ROOM, ROOM_OF_SEVERAL, host_room
from generator.spec.rules.context import Context
from generator.spec.units import MIB, parse_size

__all__ = ["connections", "kept_paths", "machine_count", "network_count", "sizes", "types"]

_MOST_NETWORKS = 4
_LEAST = {"memory": ("PRA042", 64), "disk": ("PRA043", 256)}
_NOT_KEPT = ("/", "/dev", "/proc", "/sys", "/run", "/tmp")  # noqa: S108  # paths of the student's machine


def types(context: Context) -> Iterator[Diagnostic]:
    """Every machine is made from a type of the catalogue that professors may use."""
    known = [name for name, entry in context.catalogue.items() if not entry.hidden]
    for name, machine in context.group("machines").items():
        kind = machine.get("type") if machine else None
        if kind is not None:
            yield from context.unknown("PRA012", "type", kind, known, ("machines", name, "type"))


def connections(context: Context) -> Iterator[Diagnostic]:
    """Machines connect to networks that the lab has."""
    if ("networks",) in context.excused or ("networks" in context.data and not context.group("networks")):
        return
    for name in context.group("machines"):
        for index, network in context.items("machines", name, "connect"):
            path = ("machines", name, "connect", index)
            yield from context.unknown("PRA034", "network", network, context.networks, path)


def sizes(context: Context) -> Iterator[Diagnostic]:
    """A machine below these sizes does not start."""
    for name, machine in context.group("machines").items():
        for key, (code, least) in _LEAST.items():
            text = machine.get(key) if machine else None
            if text is not None and parse_size(text) < least * MIB:
                message = f"'{key}' must be at least {least}MiB, not {text}"
                yield context.document.problem(code, message, ("machines", name, key))


def network_count(context: Context) -> Iterator[Diagnostic]:
    """A seat's addresses are divided among at most four networks."""
    for name in context.networks[_MOST_NETWORKS:]:
        message = f"'{name}' is one network too many: a seat has at most {_MOST_NETWORKS}"
        yield context.document.problem("PRA040", message, ("networks", name), on_key=True)
        return


def machine_count(context: Context) -> Iterator[Diagnostic]:
    """A machine has the same number in each network of the lab, and a network has only so many."""
    names, networks = list(context.group("machines")), len(context.networks)
    most = host_room(networks)
    if len(names) > most:
        where = "with one network" if networks == 1 else "with several networks"
        message = f"{len(names)} machines are too many: a lab {where} has at most {most}"
        hint = f"With one network a lab has room for {ROOM} machines, with several for {ROOM_OF_SEVERAL}."
        yield context.document.problem("PRA041", message, ("machines", names[most]), on_key=True, hint=hint)


def kept_paths(context: Context) -> Iterator[Diagnostic]:
    """What a delivery carries over is student work, not the whole system."""
    for name in context.group("machines"):
        for index, path in context.items("machines", name, "keep"):
            if (path.rstrip("/") or "/") in _NOT_KEPT or ".." in path.split("/"):
                message = f"'{path}' cannot be kept: it is not a place of student work"
                yield context.document.problem("PRA072", message, ("machines", name, "keep", index))
