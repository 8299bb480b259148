"""Remove a lab from an environment and prove that nothing is left."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from generator.render.tree import lab_folder
from generator.seats.names import is_student
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.projects import note
from practicum.stages.argocd import remove_applications
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.destruction import Journal
from practicum.stages.export import forget_outdated, unexported, work_of
from practicum.stages.operate import KEPT, record
from practicum.stages.orphans import lost, remove_lost
from practicum.stages.rollout import claims, namespaces, remove_copies
from practicum.stages.workspace import Workspace

STAGE = "destroy"
NO_JOURNAL = Journal(None)


@dataclass(frozen=True)
class Destruction:
    """What a destruction removed, what it kept and why, and which environments were destroyed before, since when."""

    removed: tuple[Marked, ...]
    kept: tuple[str, ...]
    already: tuple[str, ...] = ()


def doomed(workspace: Workspace, lab: str, environments: Sequence[str], *, keep_volumes: bool = False) -> list[Marked]:
    """Return what a destruction would remove from the named environments, checkpoints aside."""
    return [
        thing
        for deployment in _deployments(workspace, lab, environments)
        for thing in _of(workspace, deployment, keep_volumes)
    ]


def require_exported(workspace: Workspace, lab: str, environments: Sequence[str]) -> None:
    """Raise PracticumError when students' work may be newer than what was exported of it, or cannot be exported."""
    for deployment in _deployments(workspace, lab, environments):
        if found := claims(workspace, deployment):
            raise PracticumError(
                f"{len(found)} volumes of {lab} are on the cluster, and no export has them; nothing was done",
                details="\n".join(found),
                resolution="copy what matters (kubectl cp); then --without-export, and the rest is gone",
            )
        lxd = workspace.lxd(deployment.platform)
        works = [work for work in work_of(lxd, deployment) if is_student(work.seat)]
        reasons = unexported(lxd, works)
        if reasons:
            env = deployment.environment
            raise PracticumError(
                f"the work of students in {lab} is not exported: {sum(reasons.values())} of {len(works)} volumes; "
                "nothing was done",
                details="\n".join(f"{count} {why}" for why, count in reasons.items()),
                resolution=f"practicum stop {lab} --env {env}; practicum export {lab} --env {env}; then destroy. "
                "Or --keep-volumes; or --without-export, and the work is gone",
            )


def destroy(
    workspace: Workspace,
    lab: str,
    environments: Sequence[str],
    *,
    keep_volumes: bool = False,
    without_export: bool = False,
    journal: Journal = NO_JOURNAL,
) -> Destruction:
    """Destroy a lab: the intent is committed first, so that no later run makes it again; ends with an inventory.

    Raises PracticumError when students' work was not exported, unless `without_export`, or something is left.
    """
    removed: list[Marked] = []
    workspace.repository.synchronise()
    if keep_volumes:
        _refuse_claims(workspace, lab, environments)
    if not (keep_volumes or without_export):
        require_exported(workspace, lab, environments)
    before = _deployments(workspace, lab, environments)
    for deployment in before if journal.is_kept else ():
        listed = _of(workspace, deployment, keep_volumes)
        journal.begin(workspace, deployment, listed, keep_volumes=keep_volumes)
    if keep_volumes:
        _mark_kept(workspace, lab, environments)
    already = tuple(filter(None, [_since(workspace, deployment) for deployment in before]))
    for deployment in before:
        operation = replace(deployment.operation, life="destroyed")
        record(workspace, lab, deployment.environment, operation, f"Destroy {lab} in {deployment.environment}")
        removed += _destroy_environment(workspace, deployment, keep_volumes)
    removed += _remove_unpinned(workspace, lab, journal)
    left = doomed(workspace, lab, environments, keep_volumes=keep_volumes)
    if left:
        listed_left = ", ".join(f"{thing.kind} {thing.name}" for thing in left)
        raise PracticumError(f"{len(left)} objects of {lab} are still there", details=listed_left)
    kept = ("volumes, as you asked",) if keep_volumes else ()
    journal.end(workspace)
    return Destruction(tuple(removed), (*kept, "the spec, the definitions and the history in git"), already)


def _refuse_claims(workspace: Workspace, lab: str, environments: Sequence[str]) -> None:
    """Raise UnavailableError when volumes that shall be kept are in namespaces, which go with all that is in them."""
    found = [claim for one in _deployments(workspace, lab, environments) for claim in claims(workspace, one)]
    if found:
        raise UnavailableError(
            f"{len(found)} volumes of {lab} are on the cluster and go with their namespaces; nothing was done",
            details="\n".join(found),
            resolution=f"copy what matters (kubectl cp), or 'practicum stop {lab}' instead: it keeps everything",
        )


def _since(workspace: Workspace, deployment: Deployment) -> str:
    """Return since when a lab is destroyed, by whom; empty for one that is alive."""
    path = f"{lab_folder(deployment.environment, deployment.lab)}/operation.yaml"
    change = workspace.repository.last_change(path) if deployment.operation.life == "destroyed" else None
    return f"{deployment.environment} since {change.date}, by {change.author} ({change.sha})" if change else ""


def _deployments(workspace: Workspace, lab: str, environments: Sequence[str]) -> list[Deployment]:
    found = []
    for environment in environments:
        try:
            found.append(load_deployment(workspace, lab, environment))
        except UnavailableError:
            workspace.emit(Event(STAGE, "skipped", f"{lab} was never in {environment}"))
    return found


def _of(workspace: Workspace, deployment: Deployment, keep_volumes: bool) -> list[Marked]:
    return [*_on_lxd(workspace, deployment, keep_volumes), *_on_cluster(workspace, deployment)]


def _on_lxd(workspace: Workspace, deployment: Deployment, keep_volumes: bool) -> list[Marked]:
    lxd = workspace.lxd(deployment.platform)
    wanted = (deployment.environment, deployment.lab)
    spared = ("volume", "project") if keep_volumes else ()
    return [
        thing
        for thing in inventory(lxd, deployment.scope.installation, deployment.scope.prefix)
        if thing.scope == wanted and thing.kind not in spared
    ]


def _on_cluster(workspace: Workspace, deployment: Deployment) -> list[Marked]:
    if deployment.cluster is not None:
        return []  # a lab's own cluster goes with its nodes, and they are on LXD
    place = deployment.cluster_name or ""
    return sorted(Marked("namespace", place, *space) for space in namespaces(workspace, deployment).items())


def _destroy_environment(workspace: Workspace, deployment: Deployment, keep_volumes: bool) -> list[Marked]:
    lxd = workspace.lxd(deployment.platform)
    is_there = lxd.find("projects", deployment.scope.project) is not None
    with lease(lxd, deployment.scope.project) if is_there else nullcontext():
        on_lxd = _on_lxd(workspace, deployment, keep_volumes)
        on_cluster = _on_cluster(workspace, deployment)
        remove_applications(workspace, deployment)
        if on_cluster:
            remove_copies(workspace, deployment)
        for thing in on_cluster:
            _tell(workspace, thing)
        remove(lxd, on_lxd, lambda thing: _tell(workspace, thing))
    return [*on_lxd, *on_cluster]


def _remove_unpinned(workspace: Workspace, lab: str, journal: Journal) -> list[Marked]:
    """Remove a lab's checkpoints when no environment is alive, and recipe images when no lab is."""
    listed = [thing for thing in lost(workspace) if thing.scope[1] in (lab, "-/-")]
    journal.add(listed)
    remove_lost(workspace, listed, STAGE)
    return listed


def _mark_kept(workspace: Workspace, lab: str, environments: Sequence[str]) -> None:
    """Mark projects whose volumes somebody asked to keep, so that nobody takes them for orphans.

    An export that is older than the work counts for it no longer: only the machines tell so, and they go now.
    """
    for deployment in _deployments(workspace, lab, environments):
        lxd = workspace.lxd(deployment.platform)
        if lxd.find("projects", deployment.scope.project) is not None:
            forget_outdated(lxd, work_of(lxd, deployment))
            note(lxd, deployment.scope.project, {KEPT: "volumes"})


def _tell(workspace: Workspace, thing: Marked) -> None:
    workspace.emit(Event(STAGE, "done", f"{thing.kind} {thing.name}", thing.marker.rsplit("/", 1)[-1]))
