"""Members of an LXD cluster: which there are, how much is promised on each, and networks as a cluster wants them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from generator.spec.units import parse_size
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdError
from practicum.lxd.observe import tail

ONLINE = "Online"


@dataclass(frozen=True)
class Member:
    """A host of a cluster. `memory` and `promised` are bytes: what it has, and what machines on it may use at most.

    `trouble` is what LXD says of a member that is not online; its resources are unknown then.
    """

    name: str
    trouble: str = ""
    cpu: int = 0
    memory: int = 0
    promised: int = 0


def member_names(lxd: Lxd) -> list[str]:
    """Return the names of a cluster's members; none for a server that is in no cluster."""
    return sorted(map(tail, lxd.get("cluster", "members"))) if lxd.is_clustered else []


def members(lxd: Lxd) -> dict[str, Member]:
    """Return a cluster's members by their names; none for a server that is in no cluster."""
    if not lxd.is_clustered:
        return {}
    promised = _promised(lxd)
    listed = lxd.get("cluster", "members", recursion=1)
    return {one["server_name"]: _member(lxd, one, promised) for one in listed}


def interface_states(lxd: Lxd, name: str) -> list[dict[str, Any]]:
    """Return the state of a network interface on every host of the server that has it and is up."""
    if not lxd.is_clustered:
        state = lxd.find("networks", name, "state")
        return [state] if state else []
    found = []
    for member in member_names(lxd):
        with suppress(LxdError):
            found.append(lxd.get("networks", name, "state", target=member))
    return found


def listeners(lxd: Lxd) -> list[tuple[str, int]]:
    """Return the IPv4 addresses and ports where LXD listens, of a cluster those of all members, up or down."""
    texts = list(lxd.get()["environment"]["addresses"])
    if lxd.is_clustered:
        texts += [one["url"].removeprefix("https://") for one in lxd.get("cluster", "members", recursion=1)]
    parts = (text.rsplit(":", 1) for text in dict.fromkeys(texts) if "[" not in text)
    return [(address, int(port)) for address, port in parts]


def create_everywhere(lxd: Lxd, network: Mapping[str, Any]) -> None:
    """Create a network: in a cluster it is first announced for every member, then made on all of them.

    Each member has a bridge of its own: machines on different members do not meet in it.
    """
    for name in member_names(lxd):
        announced = {"name": network["name"], "type": network.get("type", "bridge")}
        # A run that was killed may have announced it already.
        with suppress(LxdConflict):
            _announce(lxd, name, announced)
    lxd.post("networks", body=dict(network))


def _announce(lxd: Lxd, member: str, body: dict[str, Any]) -> None:
    try:
        lxd.post("networks", body=body, target=member)
    except LxdError as error:
        if "already defined" not in error.details:
            raise


def _member(lxd: Lxd, found: Mapping[str, Any], promised: Mapping[str, int]) -> Member:
    name = str(found["server_name"])
    if found["status"] != ONLINE:
        return Member(name, f"{found['status'].lower()}: {found['message']}")
    try:
        resources = lxd.get("resources", target=name)
    except LxdError as error:
        return Member(name, error.details)
    return Member(
        name, cpu=resources["cpu"]["total"], memory=resources["memory"]["total"], promised=promised.get(name, 0)
    )


def _promised(lxd: Lxd) -> dict[str, int]:
    """Return the memory that the machines on each member may use; those without a limit in bytes do not count."""
    query: dict[str, Any] = {"recursion": 1, "all-projects": "true"}
    total: dict[str, int] = {}
    for found in lxd.get("instances", **query):
        # Stopped machines count: they may be started.
        with suppress(ValueError, KeyError):
            size = parse_size(found["expanded_config"]["limits.memory"])
            total[found["location"]] = total.get(found["location"], 0) + size
    return total
