"""Ways between the networks of a seat, through its machines with `forward: true`: the same in every seat of a lab."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from generator.spec.model import Lab, Machine


@dataclass(frozen=True)
class Hop:
    """The first step towards another network: a router, by its address on a network of one's own."""

    network: str
    router: str


def first_hops(lab: Lab, connected: Sequence[str]) -> dict[str, Hop]:
    """Return for each network beyond the connected ones by which router it is reached, if by any.

    The way is the shortest, among equal ones the first of the spec. All routers choose so, hence packets do not circle:
    each hop is one nearer.
    """
    found: dict[str, Hop] = {}
    todo = deque(connected)
    while todo:
        network = todo.popleft()
        for router in (machine for machine in lab.machines if machine.forward and network in machine.connect):
            for beyond in router.connect:
                if beyond not in found and beyond not in connected:
                    found[beyond] = found.get(network, Hop(network, router.name))
                    todo.append(beyond)
    return found


def meeting_network(lab: Lab, connected: Sequence[str], machine: Machine) -> str | None:
    """Return on which of its networks a machine is met from others: a shared one, else the first that routers lead to.

    None when no way leads to it.
    """
    reached = [*connected, *first_hops(lab, connected)]
    return next((name for name in reached if name in machine.connect), None)


def behind_routers(lab: Lab) -> dict[str, str]:
    """Return the machines that are met from the first network through a router only, each with its network."""
    first = lab.networks[:1]
    met = {machine.name: meeting_network(lab, first, machine) for machine in lab.machines}
    return {name: network for name, network in met.items() if network and network not in first}


def guards_first_network(lab: Lab, machine: Machine) -> bool:
    """Say whether the gateway sends what is for other networks to this machine."""
    return any(hop.router == machine.name for hop in first_hops(lab, lab.networks[:1]).values())
