"""Address blocks of labs, and the networks and addresses of a seat.

A lab takes /20 blocks of its environment's address range; a block has 64 slots of /26. Slots 0 to 3 of the first
block are the professor's, the pilot's, the cluster's and a spare one; student n has slot n + 3, for ever.
One network takes the whole /26 of its seat; several take a /28 each, in the order of the spec.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Any

from generator.seats.names import CLUSTER, PILOT, PROFESSOR, student_number

BLOCK_PREFIX = 20
SEAT_PREFIX = 26
SLOTS: int = 2 ** (SEAT_PREFIX - BLOCK_PREFIX)
RESERVED_SLOTS = 4
FIXED_SLOTS = {PROFESSOR: 0, PILOT: 1, CLUSTER: 2}
FIRST_HOST = 2
# Hosts .2 to .61 of a /26, or .2 to .13 of a /28: what the gateway and the probe leave.
ROOM, ROOM_OF_SEVERAL = 60, 12


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
    """Return how many machines a lab with so many networks can have: a machine's number is the same in each."""
    return ROOM if networks == 1 else ROOM_OF_SEVERAL


def blocks_needed(students: int) -> int:
    """Return how many address blocks (/20) a lab takes; `students` is its highest student number."""
    return -(-(students + RESERVED_SLOTS) // SLOTS)


def read_book(document: Mapping[str, Any]) -> dict[str, LabAddresses]:
    """Read the content of addresses.yaml. Raises ValueError when it cannot be right."""
    book = {lab: _read_entry(lab, entry) for lab, entry in document.items()}
    given = Counter(block for entry in book.values() for block in entry.blocks)
    for block, times in given.most_common(1):
        if times > 1:
            raise ValueError(f"the block {block} is given twice")
    return book


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
    missing = blocks_needed(students) - len(entry.blocks)
    entry = replace(entry, blocks=entry.blocks + _free_blocks(book, area, missing))
    entry = replace(entry, hosts=_numbered(entry.hosts, list(machines), host_room(networks)))
    return {**book, lab: entry}


def _read_entry(lab: str, entry: Any) -> LabAddresses:
    try:
        blocks = tuple(IPv4Network(block) for block in entry["blocks"])
        hosts = {str(machine): number for machine, number in entry["hosts"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the entry of '{lab}' needs blocks and hosts") from error
    numbers = [number for number in hosts.values() if type(number) is int and FIRST_HOST <= number < FIRST_HOST + ROOM]
    if any(block.prefixlen != BLOCK_PREFIX for block in blocks) or len(set(numbers)) < len(hosts):
        raise ValueError(f"the entry of '{lab}' has blocks or hosts that no lab can have")
    return LabAddresses(blocks, hosts)


def _free_blocks(book: Mapping[str, LabAddresses], area: IPv4Network, count: int) -> tuple[IPv4Network, ...]:
    if count <= 0:
        return ()
    # Numbers, since looking up thousands of network objects takes most of the time of a large validation.
    taken = {int(block.network_address) for entry in book.values() for block in entry.blocks}
    size, first = 2 ** (32 - BLOCK_PREFIX), int(area.network_address)
    every = range(first, first + area.num_addresses - size + 1, size)
    free = list(islice((number for number in every if number not in taken), count))
    if len(free) < count:
        raise AddressesExhausted(f"{area} has {len(free)} free blocks of /{BLOCK_PREFIX}; {count} more are needed")
    return tuple(IPv4Network((number, BLOCK_PREFIX)) for number in free)


def _numbered(hosts: Mapping[str, int], machines: Collection[str], room: int) -> dict[str, int]:
    numbers = _within(hosts, machines, room)
    for machine in machines:
        if machine not in numbers:
            numbers[machine] = _lowest_free(set(numbers.values()), room)
    return numbers


def _within(hosts: Mapping[str, int], machines: Collection[str], room: int) -> dict[str, int]:
    """Return the numbers that stay.

    All do, until a lab that went from one network to several has a machine beyond the smaller room: then all
    addresses of the lab move anyway, and only the numbers of its own machines that fit are kept.
    """
    if all(number < FIRST_HOST + room for machine, number in hosts.items() if machine in machines):
        return dict(hosts)
    return {name: number for name, number in hosts.items() if name in machines and number < FIRST_HOST + room}


def _lowest_free(used: set[int], room: int) -> int:
    for number in range(FIRST_HOST, FIRST_HOST + room):
        if number not in used:
            return number
    raise AddressesExhausted(f"a network of the seat holds {room} machines, and each keeps its number for ever")
