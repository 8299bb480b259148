"""What runs where: seats × machines with state and address, and what is yet to come to a seat."""

from collections.abc import Sequence
from dataclasses import dataclass

from generator.seats.names import is_student
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.plan import READY
from practicum.stages.deployment import Deployment, Document, load_deployment, require_seats
from practicum.stages.leaving import leaving
from practicum.stages.wishes import pending
from practicum.stages.workspace import Workspace

LAST_POWER = "volatile.last_state.power"


@dataclass(frozen=True)
class MachineStatus:
    """One machine of one seat. `state` is LXD's word in lower case, `absent`, `incomplete`, or `starting`."""

    seat: str
    machine: str
    instance: str
    address: str
    state: str
    has_desktop: bool = False


def status(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> list[MachineStatus]:
    """Return the machines of the named seats of a lab in an environment, or all; students last and in order."""
    deployment = load_deployment(workspace, lab, environment)
    require_seats(deployment, seats)
    found = _instances(workspace.lxd(deployment.platform), deployment)
    rows = [
        _machine(document["seat"], document, entry, found, deployment.desktops)
        for document in deployment.documents
        if not seats or document["seat"] in seats
        for entry in document["instances"]
    ]
    return sorted(
        (row for row in rows if row.seat != "pilot" or row.state != "absent"),
        key=lambda row: (is_student(row.seat), len(row.seat), row.seat),
    )


def seat_notes(workspace: Workspace, lab: str) -> dict[str, str]:
    """Return what is to be said of seats of the class: who waits for the release, and until when; who left it."""
    deployment = load_deployment(workspace, lab, "prod")
    lxd = workspace.lxd(deployment.platform)
    project = lxd.find("projects", deployment.scope.project)
    notes = {one.seat: one.words for one in leaving(workspace, deployment, project["config"] if project else {})}
    waiting = pending(lxd, deployment).items()
    return notes | {seat: f"an older release; the new one comes {wish.when.words}" for seat, wish in waiting}


def _machine(
    seat: str, document: Document, entry: Document, found: dict[str, str], desktops: Sequence[str]
) -> MachineStatus:
    name = entry["config"]["user.practicum.machine"]
    state = found.get(entry["name"], "absent")
    return MachineStatus(seat, name, entry["name"], document["addresses"][name], state, name in desktops)


def _instances(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    try:
        entries = lxd.get("instances", project=deployment.scope.project, recursion=1)
    except LxdNotFound:
        return {}
    return {entry["name"]: _state(entry) for entry in entries}


def _state(entry: Document) -> str:
    """Return the state of a machine as people are told it."""
    if READY not in entry["config"]:
        return "incomplete"
    # After the host was started LXD starts, one after the other, what ran before, which this key says. What it could
    # not start stays so, until somebody starts the lab.
    if entry["status"] == "Stopped" and entry["config"].get(LAST_POWER) == "RUNNING":
        return "starting"
    return str(entry["status"]).lower()
