"""Run the checks and the isolation matrix of a lab."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from generator.seats.names import PILOT, PROFESSOR, is_student
from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.lxd.client import CommandResult, Lxd
from practicum.lxd.cluster import listeners
from practicum.probes.checks import not_tried, run_check
from practicum.probes.isolation import Doors, host_listener, isolation, open_doors, who_tries_whom
from practicum.probes.model import Executor, ProbeResult, SeatView, failures, seat_view
from practicum.probes.reach import Target
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.releases import warn_unproved
from practicum.stages.rollout import available_pods
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace

Checker = Callable[[Mapping[str, Any], SeatView], ProbeResult]
STAGE = "smoke"
# Closed doors are waited for, which costs no processor time.
SEATS_AT_ONCE = 12
# An owner of a machine can make any command in it hang; longer than the longest check.
ANSWER_SECONDS = 120


def smoke(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> list[ProbeResult]:
    """Probe the named seats, or all that should run; return every result in the order of the seats."""
    deployment = load_deployment(workspace, lab, environment)
    require_running(deployment)
    warn_unproved(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    require_made(lxd, deployment)
    checks = [check for check in deployment.shared["checks"] if check["when"] != "progress"]
    views = seat_views(deployment, seats or running_seats(deployment))
    host = Values(workspace, deployment, lxd).host_addresses
    execute, run = executor(lxd, deployment), checker(workspace, deployment)
    workspace.emit(Event(STAGE, "started", f"{len(views)} seats", total=len(views)))
    down = _down(lxd, deployment)
    others = _others(deployment, down)
    chosen = [view.seat for view in views]
    tried = [seat for name in chosen for seat in others.get(name, ())]
    everyone = seat_views(deployment, list(dict.fromkeys([*chosen, PROFESSOR, *tried])))
    with _host_doors(workspace, lxd, host) as listener, ThreadPoolExecutor(SEATS_AT_ONCE) as pool:
        doors = open_doors(execute, everyone, listener, down=down)
        found = pool.map(
            lambda view: _seat(workspace, execute, run, checks, view, others.get(view.seat, ()), doors), views
        )
        return [result for results in found for result in results]


@contextmanager
def _host_doors(workspace: Workspace, lxd: Lxd, addresses: Sequence[str]) -> Iterator[list[Target]]:
    """Give ports at which the host of the machines answers; seats must not reach them."""
    if not lxd.endpoint.is_remote:
        with host_listener(addresses) as targets:
            yield targets
        return
    # Nothing of ours can listen on another host, but its LXD does: this run speaks to it.
    targets = [Target(address, port) for address, port in listeners(lxd) if address in addresses]
    shown = ", ".join(map(str, targets)) or "none of its own addresses"
    told = f"the host of {lxd.address} is tried at {shown}; what else listens there is not known from here"
    workspace.emit(Event(STAGE, "skipped", told))
    yield targets


def require_running(deployment: Deployment) -> None:
    """Raise UnavailableError when the lab is stopped or destroyed: there is nothing to probe."""
    if deployment.operation.power == "stopped" or deployment.operation.life == "destroyed":
        lab, environment = deployment.lab, deployment.environment
        word = "destroyed" if deployment.operation.life == "destroyed" else "stopped"
        raise UnavailableError(
            f"{lab} is {word} in {environment}", resolution=f"practicum start {lab} --env {environment}"
        )


def require_made(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError when the lab's own container, which probes run in, is not on LXD."""
    (probe,) = deployment.shared["instances"]
    if lxd.find("instances", probe["name"], project=deployment.scope.project) is None:
        lab, environment = deployment.lab, deployment.environment
        raise UnavailableError(
            f"{lab} is not on LXD in {environment}, so there is nothing to probe",
            resolution=f"practicum provision {lab} --env {environment}",
        )


def executor(lxd: Lxd, deployment: Deployment) -> Executor:
    """Return what runs commands inside the machines of a deployment."""
    project = deployment.scope.project

    def execute(instance: str, command: list[str]) -> CommandResult:
        return lxd.run(instance, command, project=project, timeout=ANSWER_SECONDS)

    return execute


def checker(workspace: Workspace, deployment: Deployment) -> Checker:
    """Return what runs the checks of a deployment."""
    execute = executor(workspace.lxd(deployment.platform), deployment)
    available = available_pods(workspace, deployment)
    return lambda check, view: run_check(execute, check, view, available)


def _seat(
    workspace: Workspace,
    execute: Executor,
    run: Checker,
    checks: Sequence[Mapping[str, Any]],
    view: SeatView,
    others: Sequence[str],
    doors: Doors,
) -> list[ProbeResult]:
    workspace.emit(Event(STAGE, "started", f"{len(checks)} checks and isolation", view.seat, total=2))
    walls, attempts = isolation(execute, view, others, doors)
    silent = {attempt.machine for attempt in attempts if attempt.problem}
    results = [not_tried(check, view, silent) or run(check, view) for check in checks]
    results += walls
    failed = [result.name for result in failures(results)]
    detail = f"failed: {', '.join(failed)}" if failed else f"{len(results)} passed"
    workspace.emit(Event(STAGE, "failed" if failed else "done", detail, view.seat))
    return results


def running_seats(deployment: Deployment) -> list[str]:
    """Return the seats that should run, the professor first, students in order."""
    seats = [name for name, seat in sorted(deployment.seats.items()) if seat["power"] == "running" and name != PILOT]
    return sorted(seats, key=lambda name: (is_student(name), len(name), name))


def seat_views(deployment: Deployment, seats: Sequence[str]) -> list[SeatView]:
    """Return seats as probes see them. Raises InputError for one that there is not."""
    ports = {name: tuple(listed) for name, listed in deployment.shared["ports"].items()}
    require_seats(deployment, seats)
    behind = deployment.shared.get("behind", {})
    return [seat_view(deployment.seats[seat], ports, behind) for seat in seats]


def _down(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    """Return the machines that do not run, with what LXD says of them."""
    found = {one["name"]: one["status"] for one in lxd.get("instances", project=deployment.scope.project, recursion=1)}
    wanted = [entry["name"] for seat in deployment.seats.values() for entry in seat["instances"]]
    return {name: f"it is {found.get(name, 'absent').lower()}" for name in wanted if found.get(name) != "Running"}


def _others(deployment: Deployment, down: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return for each student's seat which others it tries; those without any running machine are left out."""
    students = [
        name
        for name in running_seats(deployment)
        if is_student(name) and any(entry["name"] not in down for entry in deployment.seats[name]["instances"])
    ]
    return who_tries_whom(students, f"{deployment.commit} {deployment.lab}")
