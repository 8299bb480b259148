"""Refuse to promise more than the operators allow, and to fill a storage pool to its end."""

from generator.generate import find_labs
from generator.seats.capacity import Promise, excess, promised
from generator.seats.names import PILOT
from generator.spec.units import format_size
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.workspace import Workspace


def require_capacity(workspace: Workspace, deployment: Deployment) -> None:
    """Raise UnavailableError when the labs of the environment, this one among them, do not fit the capacity."""
    capacity = deployment.platform.capacity
    if capacity.cpu is None and capacity.memory is None and capacity.pool is None:
        return
    others = [lab for lab in find_labs(workspace.repository.sources("HEAD")) if lab != deployment.lab]
    total = sum((_promised_elsewhere(workspace, lab, deployment.environment) for lab in others), _promise(deployment))
    if words := excess(total, capacity):
        raise UnavailableError(
            f"{deployment.lab} does not fit what {deployment.environment} may promise; nothing was done",
            details="\n".join(words),
            resolution="make the machines smaller, stop another lab, or raise 'capacity:' in platform.yaml",
        )


def require_pool_space(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError when a pool has less free space than the reserve: a full pool stops everyone."""
    reserve = deployment.platform.capacity.reserve
    pool = deployment.platform.storage["local"]
    space = lxd.get("storage-pools", pool, "resources")["space"]
    free = space["total"] - space["used"]
    if free < reserve:
        raise UnavailableError(
            f"the pool {pool} has {free / 2**30:.1f} GiB free, less than the reserve of {format_size(reserve)}",
            resolution="destroy a lab that has ended, enlarge the pool, or lower 'capacity: {reserve: …}'",
        )


def _promised_elsewhere(workspace: Workspace, lab: str, environment: str) -> Promise:
    try:
        return _promise(load_deployment(workspace, lab, environment))
    except PracticumError:
        return Promise()


def _promise(deployment: Deployment) -> Promise:
    if deployment.operation.life == "destroyed" or deployment.operation.power == "stopped":
        return Promise()
    return promised(deployment.shared, (seat for name, seat in deployment.seats.items() if name != PILOT))
