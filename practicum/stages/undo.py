"""Undo: give seats the systems back that they had before the last delivery. Volumes are not touched."""

from collections.abc import Mapping, Sequence
from typing import Any

from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.lxd.desired import Desired, Seat
from practicum.lxd.lock import lease
from practicum.lxd.replacement import undo as swap
from practicum.lxd.replacement import way_back
from practicum.parallel import in_parallel
from practicum.stages.deployment import load_deployment
from practicum.stages.provision import desired_state
from practicum.stages.smoke import require_running
from practicum.stages.wishes import change_wishes
from practicum.stages.workspace import Workspace

STAGE = "undo"
Machines = Mapping[str, Mapping[str, Any]]


def undo(workspace: Workspace, lab: str, seats: Sequence[str] = ()) -> list[str]:
    """Swap the machines of seats with their previous systems; return the seats.

    Killed anywhere, the same command does the rest, and no seat is swapped twice. Raises UnavailableError when a named
    seat, or with none named every seat, has no previous system.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "prod")
    require_running(deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats, build_images=False)
    project = desired.project_name
    with lease(lxd, project):
        lxd.wait_until_idle(project)
        machines = {found["name"]: found for found in lxd.get("instances", project=project, recursion=1)}

        def one(seat: Seat) -> str:
            workspace.emit(Event(STAGE, "started", "swapping systems", seat.name, total=len(seat.instances)))
            for instance in seat.instances:
                if way_back(instance.name, machines) in ("open", "begun"):
                    swap(lxd, desired, instance, machines)
            workspace.emit(Event(STAGE, "done", "has its previous system back", seat.name))
            return seat.name

        able = _undoable(desired, machines, named=bool(seats))
        # Whoever wants the old system back does not want the new one at night.
        change_wishes(lxd, project, seats or None)
        return in_parallel(one, able)


def _undoable(desired: Desired, machines: Machines, *, named: bool) -> list[Seat]:
    ways = {seat.name: {way_back(one.name, machines) for one in seat.instances} for seat in desired.seats}
    able = [seat for seat in desired.seats if ways[seat.name] & {"open", "begun"} and "none" not in ways[seat.name]]
    missing = [seat.name for seat in desired.seats if seat not in able]
    if not able or (named and missing):
        raise UnavailableError(
            f"no previous system: {', '.join(missing)}" if named else "no seat has a previous system; nothing was done",
            resolution="there is one for 14 days after a delivery that replaced a system",
        )
    return able
