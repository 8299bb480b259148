"""Remove a lab from an environment and prove that nothing is left; find what belongs to no lab."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator.generate import find_labs
from generator.seats.names import image_marker
from generator.spec.platform import ENVIRONMENTS
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.projects import change_config
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.operate import KEPT, record
from practicum.stages.workspace import Workspace, platform_of, platforms_of

STAGE = "destroy"


@dataclass(frozen=True)
class Destruction:
    """What a destruction removed, and what it kept and why."""

    removed: tuple[Marked, ...]
    kept: tuple[str, ...]


def doomed(workspace: Workspace, lab: str, environments: Sequence[str], *, keep_volumes: bool = False) -> list[Marked]:
    """Return what a destruction would remove from the named environments, checkpoints aside."""
    return [
        thing
        for deployment in _deployments(workspace, lab, environments)
        for thing in _of(workspace.lxd(deployment.platform), deployment, keep_volumes)
    ]


def destroy(workspace: Workspace, lab: str, environments: Sequence[str], *, keep_volumes: bool = False) -> Destruction:
    """Destroy a lab: the intent is committed first, so that no later run makes it again; ends with an inventory."""
    removed: list[Marked] = []
    workspace.repository.synchronise()
    if keep_volumes:
        _mark_kept(workspace, lab, environments)
    for deployment in _deployments(workspace, lab, environments):
        operation = replace(deployment.operation, life="destroyed")
        record(workspace, lab, deployment.environment, operation, f"Destroy {lab} in {deployment.environment}")
        removed += _destroy_environment(workspace, deployment, keep_volumes)
    removed += _remove_unpinned(workspace, lab)
    left = doomed(workspace, lab, environments, keep_volumes=keep_volumes)
    if left:
        listed = ", ".join(f"{thing.kind} {thing.name}" for thing in left)
        raise PracticumError(f"{len(left)} objects of {lab} are still there", details=listed)
    kept = ("volumes, as you asked",) if keep_volumes else ()
    return Destruction(tuple(removed), (*kept, "the spec, the definitions and the history in git"))


def orphans(workspace: Workspace) -> list[Marked]:
    """Return what this installation has on LXD that belongs to no lab that is alive, as origin's main has it now."""
    workspace.repository.synchronise()
    sources = workspace.repository.sources("HEAD")
    alive = {(env, lab) for lab in find_labs(sources) for env in ENVIRONMENTS if _is_alive(workspace, lab, env)}
    labs_alive = {lab for _, lab in alive}
    found: set[Marked] = set()
    kept: set[str] = set()
    for environment in ENVIRONMENTS:
        platform = platform_of(sources, environment)
        found |= set(inventory(workspace.lxd(platform), platform.installation))
        kept |= _kept_projects(workspace.lxd(platform))
    lost = (thing for thing in found if _is_orphan(thing, alive, labs_alive))
    return sorted(thing for thing in lost if not _is_kept(thing, kept))


def remove_orphans(workspace: Workspace, listed: Sequence[Marked]) -> None:
    """Remove what `orphans` found."""
    platforms = platforms_of(workspace.repository.sources("HEAD"))
    # Environments may have an LXD each: every object is removed where it stands.
    for socket in sorted({platform.socket or "" for platform in platforms.values()}):
        lxd = Lxd(socket)
        present = {thing for platform in platforms.values() for thing in inventory(lxd, platform.installation)}
        remove(lxd, [thing for thing in listed if thing in present], lambda thing: _tell(workspace, thing))


def _deployments(workspace: Workspace, lab: str, environments: Sequence[str]) -> list[Deployment]:
    found = []
    for environment in environments:
        try:
            found.append(load_deployment(workspace, lab, environment))
        except UnavailableError:
            workspace.emit(Event(STAGE, "skipped", f"{lab} was never in {environment}"))
    return found


def _of(lxd: Lxd, deployment: Deployment, keep_volumes: bool) -> list[Marked]:
    wanted = (deployment.environment, deployment.lab)
    found = [thing for thing in inventory(lxd, deployment.scope.installation) if thing.scope == wanted]
    spared = ("volume", "project") if keep_volumes else ()
    return [thing for thing in found if thing.kind not in spared]


def _destroy_environment(workspace: Workspace, deployment: Deployment, keep_volumes: bool) -> list[Marked]:
    lxd = workspace.lxd(deployment.platform)
    listed = _of(lxd, deployment, keep_volumes)
    if lxd.find("projects", deployment.scope.project) is None:
        remove(lxd, listed, lambda thing: _tell(workspace, thing))
        return listed
    with lease(lxd, deployment.scope.project):
        remove(lxd, listed, lambda thing: _tell(workspace, thing))
    return listed


def _remove_unpinned(workspace: Workspace, lab: str) -> list[Marked]:
    """Remove a lab's checkpoints when no environment is alive, and recipe images when no lab is."""
    listed = [thing for thing in orphans(workspace) if thing.scope[1] in (lab, "-/-")]
    remove_orphans(workspace, listed)
    return listed


def _mark_kept(workspace: Workspace, lab: str, environments: Sequence[str]) -> None:
    """Mark projects whose volumes somebody asked to keep, so that nobody takes them for orphans."""
    for deployment in _deployments(workspace, lab, environments):
        lxd = workspace.lxd(deployment.platform)
        if lxd.find("projects", deployment.scope.project) is not None:
            found, etag = lxd.get_with_etag("projects", deployment.scope.project)
            change_config(lxd, deployment.scope.project, found["config"], {KEPT: "volumes"}, etag)


def _kept_projects(lxd: Lxd) -> set[str]:
    return {project["name"] for project in lxd.get("projects", recursion=1) if KEPT in project["config"]}


def _is_kept(thing: Marked, kept: set[str]) -> bool:
    project = thing.name if thing.kind == "project" else thing.place.split("/")[0]
    return thing.kind in ("project", "volume") and project in kept


def _is_orphan(thing: Marked, alive: set[tuple[str, str]], labs_alive: set[str]) -> bool:
    if thing.marker == image_marker(thing.installation):
        return not labs_alive
    environment, lab = thing.scope
    return lab not in labs_alive if environment == "-" else (environment, lab) not in alive


def _is_alive(workspace: Workspace, lab: str, environment: str) -> bool:
    try:
        return load_deployment(workspace, lab, environment).operation.life == "active"
    except UnavailableError:
        return False


def _tell(workspace: Workspace, thing: Marked) -> None:
    workspace.emit(Event(STAGE, "done", f"{thing.kind} {thing.name}", thing.marker.rsplit("/", 1)[-1]))
