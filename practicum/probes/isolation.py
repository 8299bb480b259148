"""The isolation matrix: what must be closed is tried from inside the seats, what must be open from outside.

A closed door proves nothing where nobody listens, so every target is first found open: machines' ports from the probe
container, the host by a listener of our own. Students are root on their machines, so what a machine says about its own
attempts is advisory; what the probe container and the host see is not.
"""

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from generator.seats.names import PROBE, PROFESSOR
from practicum.errors import PracticumError
from practicum.probes.model import Executor, ProbeResult, SeatView, printable
from practicum.probes.reach import Target, reachable


@dataclass(frozen=True)
class Doors:
    """What was found open from where it may be: each seat's ports, and the host's port on its addresses."""

    seats: dict[str, list[Target]]
    host: list[Target]


@contextmanager
def host_listener(addresses: Sequence[str]) -> Iterator[list[Target]]:
    """Listen on a free port of this host and give its targets; students must not reach it."""
    with socket.create_server(("0.0.0.0", 0), backlog=64) as server:  # noqa: S104
        port = server.getsockname()[1]
        yield [Target(address, port) for address in addresses]


def open_doors(execute: Executor, views: Sequence[SeatView], host: list[Target], wait: float = 20.0) -> Doors:
    """Return what the probe container can reach at each seat, waiting for machines that are still booting."""
    wanted = {view.seat: _ports(view) for view in views}
    found: dict[str, set[Target]] = {view.seat: set() for view in views}
    deadline = time.monotonic() + wait
    while True:
        missing = [target for seat, targets in wanted.items() for target in targets if target not in found[seat]]
        reached = reachable(execute, PROBE, missing) or set()
        found = {seat: found[seat] | (reached & set(wanted[seat])) for seat in wanted}
        if not (set(missing) - reached) or time.monotonic() > deadline:
            return Doors({seat: sorted(found[seat], key=str) for seat in found}, host)


def isolation(execute: Executor, view: SeatView, neighbour: SeatView | None, doors: Doors) -> list[ProbeResult]:
    """Try a seat's walls. `neighbour` is another student's seat, or None when there is only one."""
    inner = _from_professor(view, doors)
    if view.seat == PROFESSOR:
        return [inner]
    walls = {"the host is closed to the seat": _host_doors(view, doors)}
    walls["the professor is closed to the seat"] = doors.seats.get(PROFESSOR, [])
    if neighbour is not None:
        walls[f"another seat ({neighbour.seat}) is closed to the seat"] = doors.seats.get(neighbour.seat, [])
    targets = [target for listed in walls.values() for target in listed]
    began = time.monotonic()
    with ThreadPoolExecutor(len(view.instances)) as pool:
        attempts = list(pool.map(lambda name: _attempt(execute, name, targets), view.instances.values()))
    seconds = time.monotonic() - began
    return [inner, *(_wall(view.seat, name, listed, attempts, seconds) for name, listed in walls.items())]


def _ports(view: SeatView) -> list[Target]:
    return [Target(address, port) for name, address in view.outer.items() for port in view.ports[name]]


def _host_doors(view: SeatView, doors: Doors) -> list[Target]:
    ports = {target.port for target in doors.host}
    return [*doors.host, *(Target(view.gateway, port) for port in sorted(ports))]


def _from_professor(view: SeatView, doors: Doors) -> ProbeResult:
    wanted, found = set(_ports(view)), set(doors.seats[view.seat])
    missing = sorted(f"{target.address}:{target.port}" for target in wanted - found)
    detail = f"not reached: {', '.join(missing)}" if missing else f"{len(found)} ports answer"
    return ProbeResult(view.seat, "the seat is open to the professor", "isolation", not missing, detail, 0.0)


@dataclass(frozen=True)
class _Attempt:
    """What one machine could connect to; `problem` says why nothing is known."""

    instance: str
    reached: frozenset[Target]
    problem: str = ""


def _attempt(execute: Executor, instance: str, targets: list[Target]) -> _Attempt:
    try:
        reached = reachable(execute, instance, targets)
    except PracticumError as error:
        return _Attempt(instance, frozenset(), f"{error.message} {error.details}".strip())
    if reached is None:
        return _Attempt(instance, frozenset(), "the attempt could not be made")
    return _Attempt(instance, frozenset(reached))


def _wall(seat: str, name: str, targets: list[Target], attempts: list[_Attempt], seconds: float) -> ProbeResult:
    holes = [
        f"{attempt.instance} reaches {target.address}:{target.port}"
        for attempt in attempts
        for target in sorted(attempt.reached & set(targets), key=str)
    ]
    holes += [f"{attempt.instance}: {attempt.problem}" for attempt in attempts if attempt.problem]
    if not targets:
        return ProbeResult(seat, name, "isolation", False, "not proved: nothing listens there", seconds)
    detail = printable("; ".join(holes)) or f"{len(targets)} ports tried from each machine"
    return ProbeResult(seat, name, "isolation", not holes, detail, seconds)
