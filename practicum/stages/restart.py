"""Restart: stop the machines of a seat, or one of them, and start them again; nothing else changes."""

from collections.abc import Sequence

from practicum.errors import InputError, UnavailableError
from practicum.events import Event
from practicum.lxd import power
from practicum.lxd.lock import lease
from practicum.parallel import in_parallel
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.smoke import require_running
from practicum.stages.workspace import Workspace

STAGE = "restart"


def restart(workspace: Workspace, lab: str, environment: str, seat: str, machines: Sequence[str] = ()) -> list[str]:
    """Restart the named machines of a seat, or all; return their names on LXD.

    Killed, a machine may be left stopped: the same command, and every provision, starts it. Raises InputError for a
    machine that the seat has not, UnavailableError for one that is not on LXD; none is touched then.
    """
    deployment = load_deployment(workspace, lab, environment)
    require_running(deployment)
    names = _chosen(deployment, seat, machines)
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    missing = [name for name in names if lxd.find("instances", name, project=project) is None]
    if missing:
        raise UnavailableError(
            f"{', '.join(missing)} is not on LXD; nothing was done",
            resolution=f"practicum provision {lab} --env {environment} --seat {seat}",
        )

    def one(name: str) -> str:
        power.stop(lxd, project, name)
        power.start(lxd, project, name)
        workspace.emit(Event(STAGE, "done", f"{name} was restarted", seat))
        return name

    with lease(lxd, project):
        lxd.wait_until_idle(project)
        return in_parallel(one, names)


def _chosen(deployment: Deployment, seat: str, machines: Sequence[str]) -> list[str]:
    require_seats(deployment, [seat])
    entries = deployment.seats[seat]["instances"]
    names = {str(entry["config"]["user.practicum.machine"]): str(entry["name"]) for entry in entries}
    unknown = sorted(set(machines) - set(names))
    if unknown:
        raise InputError(
            f"no such machine: {', '.join(unknown)}", resolution=f"machines are: {', '.join(names)}", exit_code=2
        )
    return [name for machine, name in names.items() if not machines or machine in machines]
