"""Move a lab to another member of an LXD cluster: with both environments, its checkpoints and golden machines."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from generator.seats.capacity import Promise
from generator.spec.platform import ENVIRONMENTS
from generator.spec.units import format_size, shown
from practicum.errors import InputError, UnavailableError
from practicum.events import Event
from practicum.lxd import bulk
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import Member, members
from practicum.lxd.lock import lease
from practicum.lxd.moving import move_project, used_space
from practicum.lxd.projects import change_config
from practicum.probes.model import ProbeResult
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.pipeline import seats_failed
from practicum.stages.placement import MEMBER, MOVING, lab_promise, too_large
from practicum.stages.provision import provision
from practicum.stages.smoke import smoke
from practicum.stages.workspace import Workspace, require_lab

STAGE = "move"


@dataclass(frozen=True)
class Moved:
    """Which environments of a lab moved, and which probes failed there afterwards."""

    environments: tuple[str, ...]
    failed: tuple[tuple[str, ProbeResult], ...]


def move(workspace: Workspace, lab: str, member: str) -> Moved:
    """Stop a lab's machines, move all that it has on LXD to a member, start what should run, and probe it.

    While a lab moves, `placed` lets no other verb work on it; the same command ends what a killed run began. Raises,
    before any effect, what speaks against it.
    """
    workspace.repository.synchronise()
    sources = workspace.repository.sources("HEAD")
    require_lab(sources, lab)
    found = list(_deployments(workspace, lab))
    if not found:
        raise UnavailableError(f"nothing of {lab} is on LXD; nothing was done")
    lxd = workspace.lxd(found[0].platform)
    _require_target(lxd, members(lxd), member, found)
    _move(workspace, lxd, member, found)
    return _settle(workspace, found)


def _settle(workspace: Workspace, found: list[Deployment]) -> Moved:
    """Provision what moved: machines that should run are started and probed."""
    failed: list[tuple[str, ProbeResult]] = []
    for one in found:
        done = provision(workspace, one.lab, one.environment)
        if done.failed:
            raise seats_failed(done)
        if one.operation.power == "running":
            results = smoke(workspace, one.lab, one.environment)
            failed += [(one.environment, result) for result in results if not result.ok]
    return Moved(tuple(one.environment for one in found), tuple(failed))


def _move(workspace: Workspace, lxd: Lxd, member: str, found: list[Deployment]) -> None:
    projects = [project for one in found for project in (one.scope.project, one.scope.golden_project)]
    projects = [name for name in (*projects, found[0].scope.checkpoints.project) if lxd.find("projects", name)]
    with ExitStack() as leases:
        for one in found:
            leases.enter_context(lease(lxd, one.scope.project))
        for one in found:
            _record(lxd, one.scope.project, {MOVING: member})
        for project in projects:
            bulk.stop_all(lxd, project, lambda name: workspace.emit(Event(STAGE, "done", "stopped", name)))
            move_project(lxd, project, member, lambda what: workspace.emit(Event(STAGE, "done", what)))
        for one in found:
            _record(lxd, one.scope.project, {MOVING: "", MEMBER: member})


def _deployments(workspace: Workspace, lab: str) -> Iterator[Deployment]:
    """Yield the environments of a lab that are on LXD; one LXD has them all when it is a cluster's."""
    servers = {}
    for environment in ENVIRONMENTS:
        try:
            deployment = load_deployment(workspace, lab, environment)
        except UnavailableError:
            continue
        lxd = workspace.lxd(deployment.platform)
        if deployment.operation.life == "active" and lxd.find("projects", deployment.scope.project) is not None:
            servers[lxd.address] = lxd
            yield deployment
    if len(servers) > 1:
        raise UnavailableError(f"{lab} is on two LXD servers; nothing was done", details=", ".join(sorted(servers)))


def _require_target(lxd: Lxd, there: dict[str, Member], name: str, found: list[Deployment]) -> None:
    """Raise what speaks against a member: unknown, down, or too small, with the numbers."""
    if name not in there:
        known = f"members are: {', '.join(sorted(there))}" if there else "this LXD is in no cluster"
        raise InputError(f"there is no member {name}", resolution=known, exit_code=2)
    down = [one for one in there.values() if one.trouble]
    if down:
        raise UnavailableError(
            f"member {down[0].name} of the cluster is down; nothing was done",
            details=down[0].trouble,
            resolution=f"bring {down[0].name} back, or take it out of the cluster when it is lost",
        )
    # What a killed run has moved already is promised there, and counts once.
    begun = any(_config(lxd, one).get(key) == name for one in found for key in (MEMBER, MOVING))
    promise = sum(map(lab_promise, found), Promise(memory=0 if begun else there[name].promised))
    words = [*too_large(there[name], promise, found[0].platform), *_pools_too_small(lxd, name, found)]
    if words:
        raise UnavailableError(
            f"member {name} is too small for {found[0].lab}; nothing was done",
            details="\n".join(words),
            resolution="name another member, or move or stop other labs there",
        )


def _pools_too_small(lxd: Lxd, member: str, found: list[Deployment]) -> Iterator[str]:
    needed: Counter[str] = Counter()
    for one in found:
        needed.update(used_space(lxd, one.scope.project, member))
    reserve = found[0].platform.capacity.reserve
    for pool, size in needed.items():
        space = lxd.get("storage-pools", pool, "resources", target=member)["space"]
        free = space["total"] - space["used"]
        if free - size < reserve:
            yield f"pool {pool}: {shown(size)} to move, {shown(free)} free, {format_size(reserve)} of them a reserve"


def _config(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    return dict(lxd.get("projects", deployment.scope.project)["config"])


def _record(lxd: Lxd, project: str, keys: dict[str, str]) -> None:
    found, etag = lxd.get_with_etag("projects", project)
    change_config(lxd, project, found["config"], keys, etag)
