"""The isolation matrix: what must be closed is tried from inside the seats, what must be open from outside.

A closed door proves nothing where nobody listens, so every target is first found open: machines' ports from the probe
container, the host by a listener of our own. Students are root on their machines, so what a machine says about its own
attempts is advisory; what the probe container and the host see is not.

The work grows with the number of seats and not with that of pairs: each student's machine is asked once, about all
walls, and of the other seats it tries two.
"""

import random
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from generator.seats.names import PROBE, PROFESSOR
from practicum.errors import PracticumError
from practicum.probes.model import Executor, ProbeResult, SeatView, printable
from practicum.probes.reach import ECHO, Target, reachable

GROUP: Final = "isolation"


@dataclass(frozen=True)
class Doors:
    """What was found open from where it may be: each seat's ports, and the host's port on its addresses.

    `gateways` are addresses of the host too. `down` says of instances that cannot be asked why.
    """

    seats: Mapping[str, list[Target]]
    host: list[Target]
    gateways: Mapping[str, str]
    down: Mapping[str, str]


@dataclass(frozen=True)
class Attempt:
    """What one machine could connect to; `problem` says why nothing is known."""

    machine: str
    instance: str
    reached: frozenset[Target] = frozenset()
    problem: str = ""


def who_tries_whom(seats: Sequence[str], seed: str) -> dict[str, tuple[str, ...]]:
    """Return for each seat which others it tries: the next one, and one that `seed` chooses.

    Two rings through all seats, one in order and one shuffled: in each, every seat is source once and target once.
    """
    if len(seats) < 2:
        return {}
    shuffled = random.Random(seed).sample(list(seats), len(seats))  # noqa: S311 - a choice, not a secret
    rings = [dict(zip(ring, [*ring[1:], ring[0]], strict=True)) for ring in (list(seats), shuffled)]
    return {seat: tuple(dict.fromkeys(ring[seat] for ring in rings)) for seat in seats}


@contextmanager
def host_listener(addresses: Sequence[str]) -> Iterator[list[Target]]:
    """Listen on a free port of this host and give its targets; students must not reach it."""
    with socket.create_server(("0.0.0.0", 0), backlog=64) as server:  # noqa: S104
        port = server.getsockname()[1]
        yield [Target(address, port) for address in addresses]


def open_doors(
    execute: Executor,
    views: Sequence[SeatView],
    host: list[Target],
    wait: float = 20.0,
    down: Mapping[str, str] | None = None,
) -> Doors:
    """Return what the probe container can reach at each seat, waiting for machines that are still booting.

    Machines that are down are not waited for. What lies behind a router may be closed by it, and is tried once.
    """
    silent = down or {}
    wanted = {view.seat: _ports(view, view.outer, silent) for view in views}
    behind = {view.seat: _ports(view, view.behind, silent) for view in views}
    found: dict[str, set[Target]] = {view.seat: set() for view in views}
    missing = [target for listed in (*wanted.values(), *behind.values()) for target in listed]
    deadline = time.monotonic() + wait
    while True:
        reached = reachable(execute, PROBE, missing) or set()
        found = {seat: found[seat] | (reached & {*wanted[seat], *behind[seat]}) for seat in wanted}
        missing = [target for seat, targets in wanted.items() for target in targets if target not in found[seat]]
        if not missing or time.monotonic() > deadline:
            gateways = {view.seat: view.gateway for view in views}
            return Doors({seat: sorted(found[seat], key=str) for seat in found}, host, gateways, silent)


def isolation(
    execute: Executor, view: SeatView, others: Sequence[str], doors: Doors
) -> tuple[list[ProbeResult], list[Attempt]]:
    """Try a seat's walls, each machine once; `others` are the students' seats that it tries to reach.

    Return the results, and what each machine said: one that did not answer is told once, as a result of its own.
    A seat without machines has no walls here: those of its namespace are the cluster's.
    """
    if not view.instances:
        return [], []
    walls = _walls(view, others, doors)
    targets = [target for listed in walls.values() for target in listed]
    began = time.monotonic()
    with ThreadPoolExecutor(len(view.instances)) as pool:
        attempts = list(pool.map(lambda name: _attempt(execute, view, name, targets, doors), view.instances))
    seconds = time.monotonic() - began
    silent = [_silent(view.seat, attempt, seconds) for attempt in attempts if attempt.problem]
    tried = [_wall(view.seat, name, listed, attempts, seconds) for name, listed in walls.items()]
    return [*silent, _from_professor(view, doors, attempts), *tried], attempts


def _walls(view: SeatView, others: Sequence[str], doors: Doors) -> dict[str, list[Target]]:
    if view.seat == PROFESSOR:
        return {}
    return {
        "the host is closed to the seat": _host_doors(view, others, doors),
        "the professor is closed to the seat": doors.seats.get(PROFESSOR, []),
        **{f"another seat ({seat}) is closed to the seat": doors.seats.get(seat, []) for seat in others},
    }


def _ports(view: SeatView, addresses: Mapping[str, str], down: Mapping[str, str]) -> list[Target]:
    """Return a seat's usual ports; of a machine without any that is known, that it answers an echo request."""
    return [
        Target(address, port)
        for name, address in addresses.items()
        if view.instances[name] not in down
        for port in view.ports[name] or (ECHO,)
    ]


def _host_doors(view: SeatView, others: Sequence[str], doors: Doors) -> list[Target]:
    """Return the host's addresses: those outside, and its gateways to the seat, to others and to the professor."""
    ports = sorted({target.port for target in doors.host})
    gateways = [view.gateway, *(doors.gateways[seat] for seat in (PROFESSOR, *others) if seat in doors.gateways)]
    return [*doors.host, *(Target(address, port) for address in dict.fromkeys(gateways) for port in ports)]


def _from_professor(view: SeatView, doors: Doors, attempts: list[Attempt]) -> ProbeResult:
    silent = {attempt.instance: attempt.problem for attempt in attempts if attempt.problem}
    wanted, found = set(_ports(view, view.outer, silent)), set(doors.seats[view.seat])
    missing = sorted(map(str, wanted - found))
    name = "the seat is open to the professor"
    if not wanted and silent:
        return ProbeResult(view.seat, name, GROUP, False, "not tried: no machine answers", 0.0, known=False)
    if not wanted:
        return ProbeResult(view.seat, name, GROUP, False, "not proved: no machine is on the first network", 0.0)
    detail = f"not reached: {', '.join(missing)}" if missing else f"{len(found)} ports answer"
    return ProbeResult(view.seat, name, GROUP, not missing, detail, 0.0)


def _attempt(execute: Executor, view: SeatView, machine: str, targets: list[Target], doors: Doors) -> Attempt:
    instance = view.instances[machine]
    if instance in doors.down:
        return Attempt(machine, instance, problem=doors.down[instance])
    try:
        reached = reachable(execute, instance, targets)
    except PracticumError as error:
        return Attempt(machine, instance, problem=f"{error.message} {error.details}".strip())
    if reached is None:
        return Attempt(machine, instance, problem="the attempt could not be made")
    return Attempt(machine, instance, frozenset(reached))


def _silent(seat: str, attempt: Attempt, seconds: float) -> ProbeResult:
    detail = printable(f"{attempt.instance}: {attempt.problem}")
    return ProbeResult(seat, f"machine {attempt.machine} answers", GROUP, False, detail, seconds)


def _wall(seat: str, name: str, targets: list[Target], attempts: list[Attempt], seconds: float) -> ProbeResult:
    asked = [attempt for attempt in attempts if not attempt.problem]
    holes = [
        f"{attempt.instance} reaches {target}"
        for attempt in asked
        for target in sorted(attempt.reached & set(targets), key=str)
    ]
    if not asked:
        return ProbeResult(seat, name, GROUP, False, "not tried: no machine answers", seconds, known=False)
    if not targets:
        return ProbeResult(seat, name, GROUP, False, "not proved: nothing listens there", seconds)
    detail = printable("; ".join(holes)) or f"{len(targets)} ports tried from each machine"
    return ProbeResult(seat, name, GROUP, not holes, detail, seconds)
