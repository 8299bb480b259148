"""Run the checks and the isolation matrix of a lab."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from generator.seats.names import PILOT, PROFESSOR, is_student
from practicum.errors import InputError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import CommandResult, Lxd
from practicum.probes.checks import require_built, run_check
from practicum.probes.isolation import Doors, host_listener, isolation, open_doors
from practicum.probes.model import Executor, ProbeResult, SeatView, seat_view
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace

STAGE = "smoke"
# Closed doors are waited for, which costs no processor time.
SEATS_AT_ONCE = 12


def smoke(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> list[ProbeResult]:
    """Probe the named seats, or all that should run; return every result in the order of the seats."""
    deployment = load_deployment(workspace, lab, environment)
    require_running(deployment)
    lxd = workspace.lxd(deployment.platform)
    checks = [check for check in deployment.shared["checks"] if check["when"] != "progress"]
    require_built(checks)
    views = seat_views(deployment, seats or running_seats(deployment))
    host = Values(workspace, deployment, lxd).host_addresses
    execute = executor(lxd, deployment)
    workspace.emit(Event(STAGE, "started", f"{len(views)} seats", total=len(views)))
    with host_listener(host) as listener, ThreadPoolExecutor(SEATS_AT_ONCE) as pool:
        everyone = [
            *views,
            *seat_views(deployment, [PROFESSOR] if PROFESSOR not in [view.seat for view in views] else []),
        ]
        doors = open_doors(execute, everyone, listener)
        ring = _neighbours(views)
        found = pool.map(lambda view: _seat(workspace, execute, checks, view, ring.get(view.seat), doors), views)
        return [result for results in found for result in results]


def require_running(deployment: Deployment) -> None:
    """Raise UnavailableError when the lab is stopped or destroyed: there is nothing to probe."""
    if deployment.operation.power == "stopped" or deployment.operation.life == "destroyed":
        lab, environment = deployment.lab, deployment.environment
        word = "destroyed" if deployment.operation.life == "destroyed" else "stopped"
        raise UnavailableError(
            f"{lab} is {word} in {environment}", resolution=f"practicum start {lab} --env {environment}"
        )


def executor(lxd: Lxd, deployment: Deployment) -> Executor:
    """Return what runs commands inside the machines of a deployment."""
    project = deployment.scope.project

    def execute(instance: str, command: list[str]) -> CommandResult:
        return lxd.run(instance, command, project=project)

    return execute


def _seat(
    workspace: Workspace,
    execute: Executor,
    checks: Sequence[Mapping[str, Any]],
    view: SeatView,
    neighbour: SeatView | None,
    doors: Doors,
) -> list[ProbeResult]:
    workspace.emit(Event(STAGE, "started", f"{len(checks)} checks and isolation", view.seat, total=2))
    results = [run_check(execute, check, view) for check in checks]
    results += isolation(execute, view, neighbour, doors)
    failed = [result.name for result in results if not result.ok]
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
    unknown = sorted(set(seats) - set(deployment.seats))
    if unknown:
        known = ", ".join(sorted(deployment.seats))
        raise InputError(f"no such seat: {', '.join(unknown)}", resolution=f"seats are: {known}", exit_code=2)
    return [seat_view(deployment.seats[seat], ports) for seat in seats]


def _neighbours(views: Sequence[SeatView]) -> dict[str, SeatView]:
    """Return for each student the next one, so that every seat is source and target once."""
    students = [view for view in views if is_student(view.seat)]
    if len(students) < 2:
        return {}
    return {view.seat: students[(index + 1) % len(students)] for index, view in enumerate(students)}
