"""What probes work on and what they find."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class SeatView:
    """A seat as probes see it: its machines' instance names, addresses and usual ports, and its gateways."""

    seat: str
    instances: Mapping[str, str]
    addresses: Mapping[str, str]
    ports: Mapping[str, tuple[int, ...]]
    gateway: str


@dataclass(frozen=True)
class ProbeResult:
    """What one probe found at one seat. `group` is `check` or `isolation`; `seconds` is how long it took."""

    seat: str
    name: str
    group: Literal["check", "isolation"]
    ok: bool
    detail: str
    seconds: float


def seat_view(document: Mapping[str, Any], ports: Mapping[str, tuple[int, ...]]) -> SeatView:
    """Return the view of a seat from its definition. `ports` are the usual ones by machine."""
    entries = {entry["config"]["user.practicum.machine"]: entry for entry in document["instances"]}
    first = {name: entry["devices"]["eth0"].get("ipv4.address", "") for name, entry in entries.items()}
    gateway = str(document["networks"][0]["config"]["ipv4.address"]).split("/")[0]
    return SeatView(
        seat=document["seat"],
        instances={name: entry["name"] for name, entry in entries.items()},
        addresses={name: address for name, address in first.items() if address},
        ports={name: ports.get(name, ()) for name in entries},
        gateway=gateway,
    )
