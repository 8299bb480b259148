"""Rules about machines and networks: types, connections, sizes and how many fit."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules.context import Context
from generator.spec.units import MIB, parse_size

__all__ = ["connections", "kept_paths", "machines_per_network", "network_count", "sizes", "types"]

_MOST_NETWORKS = 4
# A seat has a /26: 60 machines on one network, or a /28 for each of several with 12 machines.
_ONE_NETWORK, _SEVERAL_NETWORKS = 60, 12
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


def machines_per_network(context: Context) -> Iterator[Diagnostic]:
    """A network of a seat has only so many addresses."""
    most = _ONE_NETWORK if len(context.networks) == 1 else _SEVERAL_NETWORKS
    for network in context.networks[:_MOST_NETWORKS]:
        members = [name for name in context.group("machines") if network in context.connections(name)]
        if len(members) > most:
            hint = "With one network a seat has room for 60 machines, with several for 12 on each."
            message = f"{len(members)} machines are on the network '{network}', which has room for {most}"
            path = ("machines", members[most])
            yield context.document.problem("PRA041", message, path, on_key=True, hint=hint)


def kept_paths(context: Context) -> Iterator[Diagnostic]:
    """What a delivery carries over is student work, not the whole system."""
    for name in context.group("machines"):
        for index, path in context.items("machines", name, "keep"):
            if (path.rstrip("/") or "/") in _NOT_KEPT or ".." in path.split("/"):
                message = f"'{path}' cannot be kept: it is not a place of student work"
                yield context.document.problem("PRA072", message, ("machines", name, "keep", index))
