"""Where a lab lives in an LXD cluster: on one member, chosen once, because bridges do not reach from member to member.

The choice stands in `user.practicum.member` of the lab's LXD projects. It holds as long as the cluster has that member;
both environments of a lab share it, so that seats are copy-on-write clones of checkpoints.
"""

from collections.abc import Mapping
from typing import Any

from generator.seats.capacity import Promise, excess, promised
from generator.seats.names import PILOT
from generator.spec.platform import ENVIRONMENTS, Capacity, Platform
from practicum.errors import TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import Member, members
from practicum.lxd.projects import change_config
from practicum.stages.deployment import Deployment

MEMBER = "user.practicum.member"
# On a project: the member that a lab is being moved to.
MOVING = "user.practicum.moving"


def placed(lxd: Lxd, deployment: Deployment) -> Lxd:
    """Return the LXD with what is created placed on the lab's member; the same LXD when it is in no cluster.

    No effects: `keep_place` records the choice. Raises UnavailableError when the member is down, when no member is
    up, and, with the numbers, when the lab is larger than every member.
    """
    found = members(lxd)
    if not found:
        return lxd
    _refuse_moving(lxd, deployment)
    recorded = _recorded(lxd, deployment)
    if recorded in found:
        _require_up(found[recorded], deployment)
        return lxd.on(recorded)
    return lxd.on(_choose(found, deployment))


def keep_place(lxd: Lxd, project: str) -> None:
    """Record where a lab lives; the lease is held. Raises TryAgainError when another run chose differently."""
    if not lxd.member:
        return
    found, etag = lxd.get_with_etag("projects", project)
    recorded = found["config"].get(MEMBER, "")
    if recorded == lxd.member:
        return
    if recorded in members(lxd):
        raise TryAgainError("another run chose a place for this lab", resolution="run the same command again")
    change_config(lxd, project, found["config"], {MEMBER: lxd.member}, etag)


def lab_promise(deployment: Deployment) -> Promise:
    """Return what the seats of a lab in an environment are promised."""
    seats: list[Mapping[str, Any]] = [seat for seat in deployment.documents if seat["seat"] != PILOT]
    return promised(deployment.shared, seats)


def too_large(member: Member, promise: Promise, platform: Platform) -> list[str]:
    """Return in words what a member is too small for."""
    return excess(promise, Capacity(member.cpu, member.memory, None, platform.capacity.overcommit))


def _refuse_moving(lxd: Lxd, deployment: Deployment) -> None:
    project = lxd.find("projects", deployment.scope.project)
    target = (project or {"config": {}})["config"].get(MOVING)
    if target:
        raise UnavailableError(
            f"{deployment.lab} is being moved to {target}, and is not whole on any member; nothing was done",
            resolution=f"practicum move {deployment.lab} --to {target} ends what was begun",
        )


def _recorded(lxd: Lxd, deployment: Deployment) -> str:
    """Return the member that is recorded for the lab, in its own environment before the other one."""
    scope = deployment.scope
    others = [name for name in ENVIRONMENTS if name != deployment.environment]
    for environment in (deployment.environment, *others):
        project = lxd.find("projects", type(scope)(scope.installation, environment, scope.course, scope.lab).project)
        if project and MEMBER in project["config"]:
            return str(project["config"][MEMBER])
    return ""


def _require_up(member: Member, deployment: Deployment) -> None:
    if member.trouble:
        raise UnavailableError(
            f"{deployment.lab} lives on the cluster's member {member.name}, which is down; nothing was done",
            details=member.trouble,
            resolution=f"bring {member.name} back. When it is lost for good: 'lxc cluster remove --force "
            f"{member.name}', then run the same command again: the lab is made on another member, and student files "
            "come from your backup",
        )


def _choose(found: Mapping[str, Member], deployment: Deployment) -> str:
    """Return the member with the most memory that is not promised, among those that the lab fits on."""
    up = [member for member in found.values() if not member.trouble]
    if not up:
        raise UnavailableError("no member of the LXD cluster is up", details=_shown(found))
    promise, overcommit = lab_promise(deployment), deployment.platform.capacity.overcommit
    short = {one.name: too_large(one, promise, deployment.platform) for one in up}
    fitting = [one for one in up if not short[one.name]]
    if not fitting:
        raise UnavailableError(
            f"{deployment.lab} is larger than every member of the LXD cluster; nothing was done",
            details="\n".join(f"{name}: {'; '.join(words)}" for name, words in sorted(short.items())),
            resolution="make it smaller or split it. One lab over several members needs OVN networks, which Practicum "
            "does not support",
        )
    return min(fitting, key=lambda one: (one.promised - one.memory * overcommit, one.name)).name


def _shown(found: Mapping[str, Member]) -> str:
    return "\n".join(f"{one.name}: {one.trouble or 'online'}" for one in found.values())
