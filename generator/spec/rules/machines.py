"""Rules about machines and networks: types, connections, sizes and how many fit."""

import re
from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.addresses import ROOM, ROOM_OF_SEVERAL, host_room
from generator.spec.rules.context import Context

__all__ = ["connections", "kept_paths", "kinds", "machine_count", "network_count", "routers", "types"]

_MOST_NETWORKS = 4
# The student's machine: its system as a whole, which a delivery replaces, and folders that hold no files.
_NOT_KEPT = re.compile(r"/|/(bin|boot|etc|lib|lib32|lib64|libx32|sbin|tmp|usr|var|var/lib)")
_NO_FILES = re.compile(r"/(dev|proc|run|sys|var/run|var/lib/(apt|dpkg|systemd))(/.*)?")


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


def kinds(context: Context) -> Iterator[Diagnostic]:
    """A machine of kind vm needs an environment that runs virtual machines."""
    lacking = [environment for environment, platform in context.platforms.items() if platform.vms == "none"]
    for name in context.group("machines"):
        if lacking and context.get("machines", name, "kind") == "vm":
            message = f"'{name}' is a virtual machine; there are none in {' and '.join(lacking)} (`vms: none`)"
            yield context.document.problem("PRA078", message, ("machines", name, "kind"))


def routers(context: Context) -> Iterator[Diagnostic]:
    """A router stands on two networks."""
    for name in context.group("machines"):
        certain = ("machines", name, "connect") not in context.excused
        if certain and context.get("machines", name, "forward") and len(context.connections(name)) == 1:
            message = f"'{name}' forwards, and stands on one network only"
            path = ("machines", name, "forward")
            yield context.document.problem("PRA079", message, path, on_key=True, severity="warning")


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
            place = path.rstrip("/") or "/"
            if _NOT_KEPT.fullmatch(place) or _NO_FILES.fullmatch(place) or ".." in path.split("/"):
                message = f"'{path}' cannot be kept: it is not a place of student work"
                yield context.document.problem("PRA072", message, ("machines", name, "keep", index))
