"""Reset: give a seat of the class its release anew, keeping its files or starting over."""

from collections.abc import Container, Iterable, Sequence

from practicum.lxd.client import Lxd
from practicum.lxd.desired import Replacement
from practicum.lxd.instances import mark
from practicum.lxd.observe import CLEARED
from practicum.lxd.plan import AGAIN
from practicum.lxd.volumes import set_keys, volumes_of
from practicum.stages.deployment import load_deployment, require_seats
from practicum.stages.provision import Provisioned, provision
from practicum.stages.smoke import require_running
from practicum.stages.snapshots import take_safety
from practicum.stages.workspace import Workspace

OCCASION = "reset"


def reset(workspace: Workspace, lab: str, seats: Sequence[str], *, start_over: bool = False) -> Provisioned:
    """Replace the systems of seats by their release's; with `start_over` volumes and kept paths start anew too.

    The systems before and a snapshot of the volumes stay for 14 days. Killed or failed, the same command goes on: what
    the student had stays put aside.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "prod")
    require_running(deployment)
    require_seats(deployment, seats)
    why = "before starting over" if start_over else "before the system was reset"
    take_safety(workspace, deployment, seats, why)
    systems = {entry["name"]: () for seat in seats for entry in deployment.seats[seat]["instances"]}
    replacement = Replacement(systems, clear=OCCASION if start_over else "", again=True)
    done = provision(workspace, lab, "prod", seats, replacement=replacement)
    if start_over and not done.failed:
        # Volumes that start empty are given to their owners by the machines that have them now.
        done = provision(workspace, lab, "prod", seats)
    if not done.failed:
        names = {volume["name"] for seat in seats for volume in deployment.seats[seat]["volumes"]}
        _forget(workspace.lxd(deployment.platform), deployment.scope.project, systems, names)
    return done


def _forget(lxd: Lxd, project: str, systems: Iterable[str], names: Container[str]) -> None:
    """Take the marks of a reset from machines and volumes, so that the next one is another occasion."""
    for name in systems:
        mark(lxd, project, name, {AGAIN: ""})
    for place, volume in volumes_of(lxd, project):
        if place.name in names and volume["config"].get(CLEARED) == OCCASION:
            set_keys(lxd, place, {CLEARED: ""})
