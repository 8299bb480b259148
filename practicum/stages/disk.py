"""What uses the space of the pools, and what of it may go: nothing that a release pins or that cannot be made again."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from generator.catalogue.node_image import type_on
from generator.catalogue.recipe import recipe_digest
from generator.catalogue.virtual_machine import bootable
from generator.generate import find_labs
from generator.seats.names import Scope
from generator.spec.platform import ENVIRONMENTS, Platform
from practicum.errors import TryAgainError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked, inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.usage import Use, is_builder, is_checkpoint, is_golden, is_recipe, recipe_of, usage
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.pools import Pool, pools
from practicum.stages.releases import images_of
from practicum.stages.retention import kept
from practicum.stages.workspace import Workspace, platforms_of

STAGE = "disk"
NOTHING_MORE: Mapping[str, int] = {}


@dataclass(frozen=True)
class Disk:
    """The pools of the environments, and what of ours is on them."""

    pools: tuple[Pool, ...]
    uses: tuple[Use, ...]

    def unattributed(self, pool: str) -> int:
        """Return the bytes in use on a pool that LXD counts for no object of ours: shared, of others, or unknown."""
        used = next(one.used for one in self.pools if one.name == pool)
        return max(0, used - sum(one.used or 0 for one in self.uses if one.pool == pool))


@dataclass(frozen=True)
class _Needed:
    """What must stay: fingerprints of images, volume copies by project, digests of recipes."""

    images: frozenset[str]
    volumes: frozenset[tuple[str, str]]
    recipes: frozenset[str]


def disk(workspace: Workspace, environment: str | None = None) -> Disk:
    """Return what uses space in an environment, or in both; checkpoints and images belong to all."""
    platforms = platforms_of(workspace.repository.sources("HEAD"))
    chosen = [platforms[name] for name in ENVIRONMENTS if environment in (None, name)]
    found_pools: dict[tuple[str, str], Pool] = {}
    uses: dict[tuple[str, Use], None] = {}
    for platform in chosen:
        lxd = workspace.lxd(platform)
        found_pools |= {(lxd.address, pool.name): pool for pool in pools(lxd, platform)}
        everything = inventory(lxd, platform.installation)
        things = [one for one in everything if environment is None or one.scope[0] in (environment, "-")]
        uses |= {(lxd.address, use): None for use in usage(lxd, things, platform.storage["local"])}
    return Disk(tuple(found_pools.values()), tuple(use for _, use in uses))


def freeable(workspace: Workspace, newest: Mapping[str, int] = NOTHING_MORE) -> list[Marked]:
    """Return what may go, as origin's main has it now: golden machines, unpinned checkpoints, old images, builders.

    `newest` says of labs how many of their newest checkpoints stay beside the pinned ones. Student volumes and machines
    of seats are never in it. Objects without our marker are not seen at all.
    """
    workspace.repository.synchronise()
    return _freeable(workspace, newest)


def free(workspace: Workspace, listed: Sequence[Marked]) -> list[Marked]:
    """Remove what `freeable` returned, lab by lab with its lease; what is needed meanwhile, or locked, stays."""
    removed: list[Marked] = []
    for lab in sorted({thing.scope[1] for thing in listed}):
        mine = [thing for thing in listed if thing.scope[1] == lab]
        try:
            removed += _free_lab(workspace, lab, mine)
        except TryAgainError as error:
            workspace.emit(Event(STAGE, "skipped", f"{lab}: {error.message}"))
    return removed


def _free_lab(workspace: Workspace, lab: str, listed: Sequence[Marked]) -> list[Marked]:
    removed = []
    with ExitStack() as leases:
        for lxd, platform in servers(workspace):
            for environment in ENVIRONMENTS:
                project = Scope(platform.installation, environment, *lab.split("/")).project
                if lab != "-/-" and lxd.find("projects", project) is not None:
                    leases.enter_context(lease(lxd, project))
        # Somebody may have promoted since the list was made, from another checkout.
        workspace.repository.synchronise()
        still = set(_freeable(workspace)) & set(listed)
        for lxd, platform in servers(workspace):
            present = [thing for thing in inventory(lxd, platform.installation) if thing in still]
            remove(lxd, present, lambda thing: workspace.emit(Event(STAGE, "done", f"{thing.kind} {thing.name}")))
            removed += present
    return removed


def _freeable(workspace: Workspace, newest: Mapping[str, int] = NOTHING_MORE) -> list[Marked]:
    needed = _needed(workspace, newest)
    found: set[Marked] = set()
    for lxd, platform in servers(workspace):
        things = inventory(lxd, platform.installation)
        images = [thing.name for thing in things if thing.kind == "image"]
        found |= {thing for thing in things if _may_go(lxd, thing, needed, images)}
    return sorted(found)


def _may_go(lxd: Lxd, thing: Marked, needed: _Needed, images: Sequence[str]) -> bool:
    if is_golden(thing):
        return thing.kind in ("instance", "profile") and _can_be_made_again(thing, images)
    if is_recipe(thing):
        return recipe_of(lxd, thing.name) not in needed.recipes
    if is_checkpoint(thing):
        if thing.kind == "image":
            return thing.name not in needed.images
        return (thing.place.split("/", 1)[0], thing.name) not in needed.volumes
    return is_builder(thing) and thing.scope[0] == "-"


def _can_be_made_again(golden: Marked, images: Sequence[str]) -> bool:
    """Say whether the image is there that a golden machine, MACHINE-FINGERPRINT, is made from."""
    start = golden.name.rsplit("-", 1)[-1]
    return any(fingerprint.startswith(start) for fingerprint in images)


def _needed(workspace: Workspace, newest: Mapping[str, int]) -> _Needed:
    labs = find_labs(workspace.repository.sources("HEAD"))
    deployments = [one for lab in labs for env in ENVIRONMENTS if (one := _load(workspace, lab, env)) is not None]
    pins = [one.pins for lab in labs for one in kept(workspace, lab, newest.get(lab, 0))]
    committed = {str(digest) for deployment in deployments for digest in deployment.shared["images"].values()}
    return _Needed(
        frozenset(one for pin in pins for one in images_of(pin)),
        frozenset((str(pin["volume_project"]), str(one)) for pin in pins for one in pin["volumes"].values()),
        frozenset(committed | _recipes(workspace)),
    )


def _recipes(workspace: Workspace) -> set[str]:
    platforms = platforms_of(workspace.repository.sources("HEAD")).values()
    made = (type_on(workspace.catalogue, name, platform) for name in workspace.catalogue for platform in platforms)
    return {recipe_digest(image) for type in made if type for image in (type.image, bootable(type.image))}


def _load(workspace: Workspace, lab: str, environment: str) -> Deployment | None:
    """Return a lab's definitions, None where it never was. What cannot be read stops everything: it may pin."""
    tree = workspace.repository.committed(f"environments/{environment}/{lab}")
    return load_deployment(workspace, lab, environment) if any("/lxd/" in path for path in tree) else None


def servers(workspace: Workspace) -> list[tuple[Lxd, Platform]]:
    """Return each LXD once, with a platform that names it."""
    platforms = platforms_of(workspace.repository.sources("HEAD"))
    by_place = {(one.socket or one.url, one.installation): one for one in platforms.values()}
    return [(workspace.lxd(platform), platform) for platform in by_place.values()]
