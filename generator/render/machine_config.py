"""What one machine of a seat is told about itself: addresses, names, and how its network is set up.

Images carry LXD templates that write these `user.practicum.*` keys to /etc/hostname, /etc/network/interfaces,
/etc/resolv.conf and /etc/hosts, so a machine has its fixed address as soon as it boots, without DHCP.
"""

from ipaddress import IPv4Address, IPv4Network

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
        **_identity(lab, addresses, seat, machine.name, places),
    }


def probe(lab: Lab, scope: Scope, addresses: LabAddresses) -> Config:
    """Return the config keys of the probe container, which stands in the professor's first network."""
    network = addresses.networks(PROFESSOR, lab.networks)[lab.networks[0]]
    places = {lab.networks[0]: probe_address(network)}
    return {
        "user.practicum": scope.marker(),
        "user.practicum.machine": PROBE,
        **_identity(lab, addresses, PROFESSOR, PROBE, places),
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


def _nic(lab: Lab, scope: Scope, seat: str, number: int, network: str, address: IPv4Address) -> Config:
    index = lab.networks.index(network)
    nic = {"type": "nic", "name": f"eth{number}", "network": scope.bridge(seat, index)}
    # Only the first network has DHCP; there LXD also refuses a second machine with the same address.
    return {**nic, "ipv4.address": str(address)} if index == 0 else nic


def _identity(
    lab: Lab, addresses: LabAddresses, seat: str, machine: str, places: dict[str, IPv4Address]
) -> dict[str, str]:
    networks = addresses.networks(seat, lab.networks)
    first = networks[lab.networks[0]]
    resolver = f"nameserver {gateway(first)}\n" if lab.networks[0] in places else ""
    return {
        "user.practicum.hostname": machine,
        "user.practicum.interfaces": _interfaces(places, networks, lab.networks[0]),
        "user.practicum.resolv": resolver,
        "user.practicum.hosts": _hosts(lab, addresses, seat, machine, places),
    }


def _interfaces(places: dict[str, IPv4Address], networks: dict[str, IPv4Network], first: str) -> str:
    lines = ["auto lo", "iface lo inet loopback"]
    for number, (name, address) in enumerate(places.items()):
        lines += [f"auto eth{number}", f"iface eth{number} inet static"]
        lines += [f"  address {address}/{networks[name].prefixlen}"]
        lines += [f"  gateway {gateway(networks[name])}"] if name == first else []
    return "\n".join(lines) + "\n"


def _hosts(lab: Lab, addresses: LabAddresses, seat: str, machine: str, places: dict[str, IPv4Address]) -> str:
    names = {**seat_addresses(lab, addresses, seat), **{machine: str(next(iter(places.values())))}}
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", *(f"{ip} {name}" for name, ip in names.items())]
    return "\n".join(lines) + "\n"
