"""What runs where: seats × machines with state and address."""

from dataclasses import dataclass

from generator.seats.names import is_student
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.plan import READY
from practicum.stages.deployment import Deployment, Document, load_deployment
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class MachineStatus:
    """One machine of one seat. `state` is LXD's word in lower case, `absent`, or `incomplete`."""

    seat: str
    machine: str
    instance: str
    address: str
    state: str


def status(workspace: Workspace, lab: str, environment: str) -> list[MachineStatus]:
    """Return every machine of a lab in an environment, students last and in order."""
    deployment = load_deployment(workspace, lab, environment)
    found = _instances(workspace.lxd(deployment.platform), deployment)
    rows = [
        _machine(seat, document, entry, found)
        for seat, document in deployment.seats.items()
        for entry in document["instances"]
    ]
    return sorted(
        (row for row in rows if row.seat != "pilot" or row.state != "absent"),
        key=lambda row: (is_student(row.seat), len(row.seat), row.seat),
    )


def _machine(seat: str, document: Document, entry: Document, found: dict[str, str]) -> MachineStatus:
    name = entry["config"]["user.practicum.machine"]
    return MachineStatus(seat, name, entry["name"], document["addresses"][name], found.get(entry["name"], "absent"))


def _instances(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    try:
        entries = lxd.get("instances", project=deployment.scope.project, recursion=1)
    except LxdNotFound:
        return {}
    return {entry["name"]: entry["status"].lower() if READY in entry["config"] else "incomplete" for entry in entries}
