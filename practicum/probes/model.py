"""What probes work on and what they find."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


class Result(Protocol):
    """What a command did."""

    @property
    def exit_code(self) -> int: ...

    @property
    def stdout(self) -> str: ...

    @property
    def stderr(self) -> str: ...


class Executor(Protocol):
    """Runs a command inside a machine of a lab, without using its network."""

    def __call__(self, instance: str, command: list[str]) -> Result: ...


class Available(Protocol):
    """Counts the available pods of a Deployment in a seat's namespace; None when there is no such Deployment."""

    def __call__(self, seat: str, deployment: str) -> int | None: ...


@dataclass(frozen=True)
class SeatView:
    """A seat as probes see it: its machines' instance names, addresses and usual ports, and its gateway.

    `outer` are the addresses on the first network, which the professor's side can reach; `behind` those that it
    reaches through a router of the seat; `places` all, by network, where a seat has several.
    """

    seat: str
    instances: Mapping[str, str]
    addresses: Mapping[str, str]
    ports: Mapping[str, tuple[int, ...]]
    gateway: str
    outer: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _outer_address(entry: Mapping[str, Any]) -> str:
    """Return a machine's address on the first network, which alone has DHCP; empty when it is not there."""
    return next((str(device["ipv4.address"]) for device in entry["devices"].values() if "ipv4.address" in device), "")


@dataclass(frozen=True)
class ProbeResult:
    """What one probe found at one seat. `seconds` is how long it took; `solution` is what proves a lab's own solution.

    `known` is False when the probe could not be made at all, so that `ok` says nothing about the student: the machine
    did not answer, which is a result of its own. `output` is all that a command in the machine said.
    """

    seat: str
    name: str
    group: Literal["check", "isolation", "solution"]
    ok: bool
    detail: str
    seconds: float
    known: bool = True
    output: str = ""


def failures(results: Iterable[ProbeResult]) -> list[ProbeResult]:
    """Return what failed; what could not be tried for its sake only where nothing else explains it."""
    failed = [result for result in results if not result.ok]
    return [result for result in failed if result.known] or failed


def printable(text: str) -> str:
    """Return text from a machine without what a terminal would obey: its owner wrote it."""
    return "".join(character if character.isprintable() else " " for character in text)


def seat_view(
    document: Mapping[str, Any], ports: Mapping[str, tuple[int, ...]], behind: Mapping[str, str] | None = None
) -> SeatView:
    """Return the view of a seat from its definition.

    `ports` are the usual ones by machine, `behind` the networks of machines that are met through a router.
    """
    places = document.get("places", {})
    entries = {entry["config"]["user.practicum.machine"]: entry for entry in document["instances"]}
    gateway = str(document["networks"][0]["config"]["ipv4.address"]).split("/")[0]
    return SeatView(
        seat=document["seat"],
        instances={name: entry["name"] for name, entry in entries.items()},
        addresses=dict(document["addresses"]),
        ports={name: ports.get(name, ()) for name in entries},
        gateway=gateway,
        outer={name: address for name, entry in entries.items() if (address := _outer_address(entry))},
        behind={name: places[name][network] for name, network in (behind or {}).items()},
        places=places,
    )
