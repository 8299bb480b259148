"""What runs where: seats × machines with state and address."""

from dataclasses import dataclass

from generator.seats.names import is_student
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.plan import READY
from practicum.stages.deployment import Deployment, load_deployment
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
        MachineStatus(seat, name, entry["name"], address, found.get(entry["name"], "absent"))
        for seat in deployment.seats
        for entry in deployment.seats[seat]["instances"]
        for name, address in [(entry["config"]["user.practicum.machine"], _address(entry))]
    ]
    return sorted(
        (row for row in rows if row.seat != "pilot" or row.state != "absent"),
        key=lambda row: (is_student(row.seat), len(row.seat), row.seat),
    )


def _address(entry: dict[str, dict[str, dict[str, str]]]) -> str:
    return entry["devices"]["eth0"].get("ipv4.address", "")


def _instances(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    try:
        entries = lxd.get("instances", project=deployment.scope.project, recursion=1)
    except LxdNotFound:
        return {}
    return {entry["name"]: entry["status"].lower() if READY in entry["config"] else "incomplete" for entry in entries}
