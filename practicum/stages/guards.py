"""What is refused before any effect, with the reason and the way out."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from generator.catalogue.recipe import recipe_digest
from generator.generate import find_labs
from generator.seats.capacity import Promise, excess, promised
from generator.seats.names import PILOT
from generator.spec.platform import UNSET_INSTALLATION
from generator.spec.units import format_size
from practicum.errors import InputError, PracticumError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.observe import tail
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.releases import verify_release
from practicum.stages.workspace import Workspace


def refuse_unfit(workspace: Workspace, deployment: Deployment) -> None:
    """Raise what speaks against provisioning a deployment, as far as git alone can tell."""
    refuse_unbuilt(deployment)
    if deployment.scope.installation == UNSET_INSTALLATION:
        raise InputError(
            "this repository has no platform files, so its machines could be taken for another repository's",
            resolution=f"practicum pipeline {deployment.lab} writes them, or commit environments/*/platform.yaml",
        )
    _require_known_recipes(workspace, deployment)
    _require_capacity(workspace, deployment)
    if deployment.environment == "prod":
        verify_release(workspace, deployment)


def refuse_unbuilt(deployment: Deployment) -> None:
    """Raise UnavailableError for what this version cannot do, and for a lab that was destroyed."""
    needs = deployment.shared["needs"]
    if needs:
        listed = "\n".join(f"{need['key']}: {need['missing']}" for need in needs)
        raise UnavailableError(
            f"{deployment.lab} asks for what this version of Practicum cannot do yet; nothing was done",
            details=listed,
            resolution="take these keys out of the spec, or wait for the version that has them",
        )
    if deployment.operation.life == "destroyed":
        raise UnavailableError(
            f"{deployment.lab} was destroyed in {deployment.environment}; nothing was done",
            resolution=f"practicum start {deployment.lab} --env {deployment.environment} makes it anew",
        )


def require_unchanged(workspace: Workspace, deployment: Deployment) -> None:
    """Raise TryAgainError when the intent changed while this run prepared itself; called with the lease held."""
    now = load_deployment(workspace, deployment.lab, deployment.environment)
    if now.digest != deployment.digest or now.operation != deployment.operation or now.release != deployment.release:
        raise TryAgainError(
            f"the definitions of {deployment.lab} changed while this run prepared itself; nothing was done",
            resolution="run the same command again",
        )


def require_checkpoint(deployment: Deployment, lxd: Lxd, instances: Iterable[Mapping[str, Any]]) -> None:
    """Raise UnavailableError when the checkpoint that seats are made from is not on LXD any more."""
    wanted = {entry["source"]["checkpoint"] for entry in instances if "checkpoint" in entry["source"]}
    if wanted and deployment.release and not has_checkpoint(lxd, deployment.release):
        raise UnavailableError(
            f"checkpoint {deployment.release['checkpoint']} of {deployment.lab} is gone from LXD; nothing was done",
            details="a checkpoint goes when a lab was destroyed in every environment",
            resolution=f"practicum pipeline {deployment.lab} takes a new one of your copy and delivers it",
        )


def has_checkpoint(lxd: Lxd, release: Mapping[str, Any]) -> bool:
    """Say whether every image of a release's checkpoint is on LXD; images go before volumes."""
    present = {tail(address) for address in lxd.get("images")}
    return set(release["images"].values()) <= present


def require_pools(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError when a storage pool that the definitions name is not there."""
    volumes = [volume for seat in deployment.seats.values() for volume in seat["volumes"]]
    roots = [profile["devices"]["root"] for profile in deployment.shared["profiles"]]
    for pool in sorted({str(entry["pool"]) for entry in (*volumes, *roots)}):
        if lxd.find("storage-pools", pool) is None:
            raise UnavailableError(
                f"LXD has no storage pool '{pool}'; nothing was done",
                resolution=f"practicum setup --pool {pool}, or name another under 'storage:' in platform.yaml",
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


def require_free_addresses(lxd: Lxd, desired: Desired) -> None:
    """Raise UnavailableError when a network of somebody else overlaps one that this lab would make."""
    wanted = [_range(network) for seat in desired.seats for network in seat.networks]
    ours = desired.marker.split("/", maxsplit=1)[0]
    for other in lxd.get("networks", recursion=1):
        foreign = other["config"].get("user.practicum", "").split("/")[0] != ours
        taken = _range(other) if other["managed"] and foreign else None
        if taken and any(area and area.overlaps(taken) for area in wanted):
            raise UnavailableError(
                f"the addresses of {desired.marker.split('/', 1)[1]} overlap the network '{other['name']}' ({taken})",
                resolution="give this installation another range under 'addresses:' in both platform.yaml files",
            )


def _range(network: Mapping[str, Any]) -> IPv4Network | None:
    text = network["config"].get("ipv4.address", "none")
    return IPv4Network(text, strict=False) if "/" in text else None


def _require_known_recipes(workspace: Workspace, deployment: Deployment) -> None:
    """Raise InputError when the committed image recipes are not those of this version's catalogue."""
    for name, digest in deployment.shared["images"].items():
        entry = workspace.catalogue.get(name)
        if deployment.environment == "dev" and (entry is None or recipe_digest(entry.image) != digest):
            raise InputError(
                f"the definitions were generated by another version of Practicum: the type '{name}' has changed since",
                resolution=f"practicum generate {deployment.lab}, then commit; or practicum pipeline {deployment.lab}",
            )


def _require_capacity(workspace: Workspace, deployment: Deployment) -> None:
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


def _promised_elsewhere(workspace: Workspace, lab: str, environment: str) -> Promise:
    try:
        return _promise(load_deployment(workspace, lab, environment))
    except PracticumError:
        return Promise()


def _promise(deployment: Deployment) -> Promise:
    if deployment.operation.life == "destroyed" or deployment.operation.power == "stopped":
        return Promise()
    return promised(deployment.shared, (seat for name, seat in deployment.seats.items() if name != PILOT))
