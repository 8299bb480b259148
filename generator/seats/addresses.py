"""Address blocks of labs, and the networks and addresses of a seat.

A lab takes /20 blocks of its environment's address range; a block has 64 slots of /26. Slots 0 to 3 of the first
block are the professor's, the pilot's, the cluster's and a spare one; student n has slot n + 3, for ever.
One network takes the whole /26 of its seat; several take a /28 each, in the order of the spec.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Any

from generator.seats.names import PILOT, PROFESSOR, student_number

BLOCK_PREFIX = 20
SEAT_PREFIX = 26
SLOTS = 2 ** (SEAT_PREFIX - BLOCK_PREFIX)
RESERVED_SLOTS = 4
FIXED_SLOTS = {PROFESSOR: 0, PILOT: 1, "cluster": 2}
FIRST_HOST = 2


class AddressesExhausted(Exception):
    """The environment's range or a seat's network has no room left; the text says which."""


@dataclass(frozen=True)
class LabAddresses:
    """What one lab was given. `hosts` are the machines' numbers within each network, the same in every seat."""

    blocks: tuple[IPv4Network, ...] = ()
    hosts: Mapping[str, int] = field(default_factory=dict)

    def seat(self, seat: str) -> IPv4Network:
        """Return the /26 of a seat."""
        slot = FIXED_SLOTS[seat] if seat in FIXED_SLOTS else student_number(seat) + RESERVED_SLOTS - 1
        block = self.blocks[slot // SLOTS]
        return IPv4Network((int(block.network_address) + (slot % SLOTS) * 64, SEAT_PREFIX))

    def networks(self, seat: str, names: Iterable[str]) -> dict[str, IPv4Network]:
        """Return each network of a seat: the whole /26 for one, a /28 each for several."""
        listed = list(names)
        block = self.seat(seat)
        parts = [block] if len(listed) == 1 else list(islice(block.subnets(new_prefix=28), len(listed)))
        return dict(zip(listed, parts, strict=True))

    def address(self, network: IPv4Network, machine: str) -> IPv4Address:
        """Return a machine's address in one network of a seat."""
        return network.network_address + self.hosts[machine]


def gateway(network: IPv4Network) -> IPv4Address:
    """Return the address of a network's bridge."""
    return network.network_address + 1


def probe_address(network: IPv4Network) -> IPv4Address:
    """Return the address of the probe container in the professor's first network: the last usable one."""
    return network.broadcast_address - 1


def host_room(networks: int) -> int:
    """Return how many machines a network can hold, besides gateway and probe."""
    return (61 if networks == 1 else 13) - FIRST_HOST + 1


def read_book(document: Mapping[str, Any]) -> dict[str, LabAddresses]:
    """Read the content of addresses.yaml."""
    return {
        lab: LabAddresses(tuple(IPv4Network(block) for block in entry["blocks"]), dict(entry["hosts"]))
        for lab, entry in document.items()
    }


def write_book(book: Mapping[str, LabAddresses]) -> dict[str, Any]:
    """Return the document of addresses.yaml, sorted."""
    return {
        lab: {"blocks": [str(block) for block in book[lab].blocks], "hosts": dict(sorted(book[lab].hosts.items()))}
        for lab in sorted(book)
    }


def allocate(
    book: Mapping[str, LabAddresses], area: IPv4Network, lab: str, students: int, machines: Iterable[str], networks: int
) -> dict[str, LabAddresses]:
    """Return the book with room for the lab: what was given stays, what is missing is added.

    `students` is the highest student number in use. Raises AddressesExhausted.
    """
    entry = book.get(lab, LabAddresses())
    needed = -(-(students + RESERVED_SLOTS) // SLOTS)
    entry = replace(entry, blocks=entry.blocks + _free_blocks(book, area, needed - len(entry.blocks)))
    entry = replace(entry, hosts=_numbered(entry.hosts, machines, host_room(networks)))
    return {**book, lab: entry}


def _free_blocks(book: Mapping[str, LabAddresses], area: IPv4Network, count: int) -> tuple[IPv4Network, ...]:
    if count <= 0:
        return ()
    taken = {block for entry in book.values() for block in entry.blocks}
    free = tuple(islice((block for block in area.subnets(new_prefix=BLOCK_PREFIX) if block not in taken), count))
    if len(free) < count:
        raise AddressesExhausted(f"{area} has {len(free)} free blocks of /{BLOCK_PREFIX}; {count} more are needed")
    return free


def _numbered(hosts: Mapping[str, int], machines: Iterable[str], room: int) -> dict[str, int]:
    numbers = dict(hosts)
    for machine in machines:
        if machine not in numbers:
            numbers[machine] = _lowest_free(set(numbers.values()), room)
    return numbers


def _lowest_free(used: set[int], room: int) -> int:
    for number in range(FIRST_HOST, FIRST_HOST + room):
        if number not in used:
            return number
    raise AddressesExhausted(f"a network of the seat holds {room} machines, and each keeps its number for ever")
