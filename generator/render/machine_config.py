"""What one machine of a seat is told about itself: addresses, names, and how its network is set up.

Images carry LXD templates that write these `user.practicum.*` keys to /etc/hostname, /etc/network/interfaces,
/etc/resolv.conf and /etc/hosts, so a machine has its fixed address as soon as it boots, without DHCP.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from generator.render.routes import first_hops, guards_first_network, meeting_network
from generator.seats.addresses import LabAddresses, gateway, probe_address
from generator.seats.names import PROBE, PROFESSOR, Scope
from generator.spec.model import Lab, Machine

Config = dict[str, str]


def of_machine(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str, machine: Machine) -> Config:
    """Return the config keys of a seat's machine."""
    networks = addresses.networks(seat, lab.networks)
    places = {name: addresses.address(networks[name], machine.name) for name in machine.connect}
    return {
        "user.practicum": scope.marker(seat),
        "user.practicum.machine": machine.name,
        **_identity(lab, addresses, seat, machine.name, _interfaces(lab, addresses, seat, places, machine), places),
    }


def probe(lab: Lab, scope: Scope, addresses: LabAddresses) -> Config:
    """Return the config keys of the probe container, which stands in the professor's first network."""
    network = addresses.networks(PROFESSOR, lab.networks)[lab.networks[0]]
    places = {lab.networks[0]: probe_address(network)}
    return {
        "user.practicum": scope.marker(),
        "user.practicum.machine": PROBE,
        **_identity(lab, addresses, PROFESSOR, PROBE, _interfaces(lab, addresses, PROFESSOR, places, None), places),
    }


def nics(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str, machine: Machine) -> dict[str, Config]:
    """Return a machine's NICs, one a network it is connected to."""
    networks = addresses.networks(seat, lab.networks)
    return {
        f"eth{number}": _nic(lab, scope, seat, number, name, addresses.address(networks[name], machine.name))
        for number, name in enumerate(machine.connect)
    }


def probe_nic(lab: Lab, scope: Scope, addresses: LabAddresses) -> Config:
    """Return the probe's NIC."""
    network = addresses.networks(PROFESSOR, lab.networks)[lab.networks[0]]
    return _nic(lab, scope, PROFESSOR, 0, lab.networks[0], probe_address(network))


def seat_addresses(lab: Lab, addresses: LabAddresses, seat: str) -> dict[str, str]:
    """Return each machine's first address in a seat."""
    networks = addresses.networks(seat, lab.networks)
    return {
        machine.name: str(addresses.address(networks[machine.connect[0]], machine.name)) for machine in lab.machines
    }


def seat_places(lab: Lab, addresses: LabAddresses, seat: str) -> dict[str, dict[str, str]]:
    """Return all addresses of each machine in a seat, by network."""
    networks = addresses.networks(seat, lab.networks)
    return {
        machine.name: {name: str(addresses.address(networks[name], machine.name)) for name in machine.connect}
        for machine in lab.machines
    }


def _nic(lab: Lab, scope: Scope, seat: str, number: int, network: str, address: IPv4Address) -> Config:
    index = lab.networks.index(network)
    nic = {"type": "nic", "name": f"eth{number}", "network": scope.bridge(seat, index)}
    # Only the first network has DHCP; there LXD also refuses a second machine with the same address.
    return {**nic, "ipv4.address": str(address)} if index == 0 else nic


def _identity(
    lab: Lab, addresses: LabAddresses, seat: str, machine: str, interfaces: str, places: dict[str, IPv4Address]
) -> dict[str, str]:
    networks, first = addresses.networks(seat, lab.networks), lab.networks[0]
    resolver = f"nameserver {gateway(networks[first])}\n" if _reaches(lab, places, first) else ""
    return {
        "user.practicum.hostname": machine,
        "user.practicum.interfaces": interfaces,
        "user.practicum.resolv": resolver,
        "user.practicum.hosts": _hosts(lab, addresses, seat, machine, places),
    }


def _reaches(lab: Lab, places: dict[str, IPv4Address], network: str) -> bool:
    return network in places or network in first_hops(lab, tuple(places))


def _interfaces(
    lab: Lab, addresses: LabAddresses, seat: str, places: dict[str, IPv4Address], machine: Machine | None
) -> str:
    """Return /etc/network/interfaces; `machine` is None for the probe, which never forwards."""
    networks = addresses.networks(seat, lab.networks)
    lines = ["auto lo", "iface lo inet loopback"]
    for number, (name, address) in enumerate(places.items()):
        lines += [f"auto eth{number}", f"iface eth{number} inet static"]
        lines += [f"  address {address}/{networks[name].prefixlen}"]
        lines += [f"  gateway {gateway(networks[name])}"] if name == lab.networks[0] else []
        lines += _routes(lab, addresses, networks, places, name)
        lines += [f"  up {command}" for command in _forwarding(lab, machine, f"eth{number}", name)]
    return "\n".join(lines) + "\n"


def _routes(
    lab: Lab, addresses: LabAddresses, networks: dict[str, IPv4Network], places: dict[str, IPv4Address], name: str
) -> Iterator[str]:
    """Yield the ways to other networks that begin on this one; that to the first network is the way to everywhere."""
    for beyond, hop in first_hops(lab, tuple(places)).items():
        router = addresses.address(networks[name], hop.router) if hop.network == name else None
        if router and beyond == lab.networks[0]:
            yield f"  gateway {router}"
        elif router:
            yield f"  up ip route replace {networks[beyond]} via {router}"


def _forwarding(lab: Lab, machine: Machine | None, device: str, network: str) -> Iterator[str]:
    if machine is None or not machine.forward:
        return
    if network == machine.connect[0]:
        yield "sysctl -q -w net.ipv4.ip_forward=1"
    # The host takes the whole range of a seat for near: a router answers for what lies behind it.
    if network == lab.networks[0] and guards_first_network(lab, machine):
        yield f"sysctl -q -w net.ipv4.conf.{device}.proxy_arp=1"


def _hosts(lab: Lab, addresses: LabAddresses, seat: str, machine: str, places: dict[str, IPv4Address]) -> str:
    """Return /etc/hosts: each machine at the address where this one meets it."""
    everybody = seat_places(lab, addresses, seat)
    names = {
        other.name: everybody[other.name][meeting_network(lab, tuple(places), other) or other.connect[0]]
        for other in lab.machines
    }
    names[machine] = str(next(iter(places.values())))
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", *(f"{ip} {name}" for name, ip in names.items())]
    return "\n".join(lines) + "\n"
