"""Find and remove what belongs to no lab that is alive, and what killed runs left in those that are."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from generator.generate import find_labs
from generator.seats.names import Scope, image_marker
from generator.spec.platform import ENVIRONMENTS, Platform
from practicum.errors import TryAgainError, UnavailableError
from practicum.events import Event
from practicum.lxd import leftovers
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import holder, lease
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.operate import KEPT
from practicum.stages.workspace import Workspace, platforms_of

STAGE = "orphans"


def orphans(workspace: Workspace) -> list[Marked]:
    """Return what this installation has on LXD and nobody needs, as origin's main has it now.

    What a run is working on just now is not in it. Raises PracticumError when this checkout is not origin's main.
    """
    workspace.repository.require_published()
    return sorted({*lost(workspace), *_left(workspace, spare_held=True)})


def lost(workspace: Workspace) -> list[Marked]:
    """Return what belongs to no lab that is alive."""
    labs = find_labs(workspace.repository.sources("HEAD"))
    alive = {(env, lab) for lab in labs for env in ENVIRONMENTS if _alive(workspace, lab, env) is not None}
    labs_alive = {lab for _, lab in alive}
    found: set[Marked] = set()
    kept: set[str] = set()
    for lxd, platform in _servers(workspace):
        found |= set(inventory(lxd, platform.installation))
        kept |= {project["name"] for project in lxd.get("projects", recursion=1) if KEPT in project["config"]}
    listed = (thing for thing in found if _is_lost(thing, alive, labs_alive))
    return sorted(thing for thing in listed if not _is_kept(thing, kept))


def remove_orphans(workspace: Workspace, listed: Sequence[Marked]) -> list[Marked]:
    """Remove what `orphans` found; what is needed meanwhile, or worked on, stays. Return what went.

    Raises PracticumError when this checkout is not origin's main, which says what is needed by now.
    """
    workspace.repository.require_published()
    gone = remove_lost(workspace, sorted(set(lost(workspace)) & set(listed)))
    for lab in sorted({thing.scope[1] for thing in listed} - {thing.scope[1] for thing in gone}):
        try:
            with ExitStack() as leases:
                for lxd, platform in _servers(workspace):
                    for project in _projects(lxd, platform, lab):
                        leases.enter_context(lease(lxd, project))
                gone += remove_lost(workspace, sorted(set(_left(workspace)) & _of_lab(listed, lab)))
        except TryAgainError as error:
            workspace.emit(Event(STAGE, "skipped", f"{lab}: {error.message}"))
    return gone


def _of_lab(listed: Sequence[Marked], lab: str) -> set[Marked]:
    return {thing for thing in listed if thing.scope[1] == lab}


def remove_lost(workspace: Workspace, listed: Sequence[Marked], stage: str = STAGE) -> list[Marked]:
    """Remove objects that are still there, wherever they stand; return which."""

    def tell(thing: Marked) -> None:
        workspace.emit(Event(stage, "done", f"{thing.kind} {thing.name}", thing.marker.rsplit("/", 1)[-1]))

    gone = []
    for lxd, platform in _servers(workspace):
        # Environments may have an LXD each: every object is removed where it stands.
        there = {project["name"] for project in lxd.get("projects", recursion=1)}
        present = set(inventory(lxd, platform.installation))
        mine = [one for one in listed if one in present or (one.kind == "snapshot" and one.place in there)]
        remove(lxd, mine, tell)
        gone += mine
    return gone


def _left(workspace: Workspace, *, spare_held: bool = False) -> Iterator[Marked]:
    """Yield what killed runs left in labs that are alive; with `spare_held` not of labs that a run works on."""
    for lab in find_labs(workspace.repository.sources("HEAD")):
        for environment in ENVIRONMENTS:
            deployment = _alive(workspace, lab, environment)
            if deployment is not None:
                lxd = workspace.lxd(deployment.platform)
                if not (spare_held and _is_held(lxd, deployment)):
                    yield from _of_deployment(lxd, deployment)


def _of_deployment(lxd: Lxd, deployment: Deployment) -> Iterator[Marked]:
    scope = deployment.scope
    volumes = {volume["name"] for seat in deployment.seats.values() for volume in seat["volumes"]}
    there = {project["name"] for project in lxd.get("projects", recursion=1)}
    if scope.project in there:
        yield from leftovers.of_seats(lxd, scope.project, scope.marker(), volumes)
    if scope.golden_project in there:
        yield from leftovers.of_golden(lxd, scope.golden_project, scope.marker("golden"))
    if deployment.environment == "dev" and scope.checkpoints.project in there:
        yield from leftovers.of_checkpoints(lxd, scope.checkpoints.project, scope.checkpoints.marker())


def _is_held(lxd: Lxd, deployment: Deployment) -> bool:
    found = lxd.find("projects", deployment.scope.project)
    return found is not None and holder(found["config"]) is not None


def _projects(lxd: Lxd, platform: Platform, lab: str) -> Iterator[str]:
    course, _, name = lab.partition("/")
    for environment in ENVIRONMENTS:
        project = Scope(platform.installation, environment, course, name).project
        if lxd.find("projects", project) is not None:
            yield project


def _servers(workspace: Workspace) -> list[tuple[Lxd, Platform]]:
    platforms = platforms_of(workspace.repository.sources("HEAD"))
    by_place = {(one.socket or one.url, one.installation): one for one in platforms.values()}
    return [(workspace.lxd(platform), platform) for platform in by_place.values()]


def _is_kept(thing: Marked, kept: set[str]) -> bool:
    project = thing.name if thing.kind == "project" else thing.place.split("/")[0]
    return thing.kind in ("project", "volume") and project in kept


def _is_lost(thing: Marked, alive: set[tuple[str, str]], labs_alive: set[str]) -> bool:
    if thing.marker == image_marker(thing.installation):
        return not labs_alive
    environment, lab = thing.scope
    return lab not in labs_alive if environment == "-" else (environment, lab) not in alive


def _alive(workspace: Workspace, lab: str, environment: str) -> Deployment | None:
    try:
        deployment = load_deployment(workspace, lab, environment)
    except UnavailableError:
        return None
    return deployment if deployment.operation.life == "active" else None
