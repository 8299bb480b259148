"""What is refused before any effect, with the reason and the way out."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from generator.catalogue.node_image import type_on
from generator.catalogue.recipe import recipe_digest
from generator.seats.capacity import excess, is_bounded
from generator.spec.platform import UNSET_INSTALLATION
from generator.spec.units import format_size, shown
from practicum.errors import InputError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import interface_states
from practicum.lxd.desired import Desired
from practicum.lxd.observe import Observed, tail
from practicum.lxd.projects import foreign
from practicum.lxd.vm_support import inoperable, runs_virtual_machines
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.pools import find_pool
from practicum.stages.promised import Promises, promised_to
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
    """Raise UnavailableError for what this version or this installation cannot do, and for a lab that was destroyed."""
    needs = deployment.shared["needs"]
    if needs and all(need["key"].startswith("environments/") for need in needs):
        raise UnavailableError(
            f"{deployment.lab} needs what this installation does not have; nothing was done",
            details="\n".join(f"{need['key']}: {need['missing']}" for need in needs),
            resolution="the operator adds it to the platform file; or take what needs it out of the spec",
        )
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


def require_checkpoint(deployment: Deployment, servers: Iterable[Lxd], instances: Iterable[Mapping[str, Any]]) -> None:
    """Raise UnavailableError when the checkpoint that seats are made from is on none of these LXD servers any more."""
    wanted = {entry["source"]["checkpoint"] for entry in instances if "checkpoint" in entry["source"]}
    release = deployment.release
    if wanted and release and not any(has_checkpoint(lxd, release) for lxd in servers):
        raise UnavailableError(
            f"checkpoint {release['checkpoint']} of {deployment.lab} is gone from LXD; nothing was done",
            details="a checkpoint goes when a lab was destroyed in every environment",
            resolution=f"practicum pipeline {deployment.lab} takes a new one of your copy and delivers it",
        )


def has_checkpoint(lxd: Lxd, release: Mapping[str, Any]) -> bool:
    """Say whether every image of a release's checkpoint is on LXD; images go before volumes."""
    present = {tail(address) for address in lxd.get("images")}
    return set(release["images"].values()) <= present


def listing_of(lxd: Lxd, release: Mapping[str, Any]) -> list[str]:
    """Return the image with the lists of a checkpoint's files; none when LXD has none: a checkpoint needs it not."""
    listing = release.get("listing")
    return [listing] if listing and lxd.find("images", listing) is not None else []


def require_vm_support(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError with LXD's own reason when a lab has virtual machines and LXD cannot run any."""
    entries = [entry for seat in deployment.seats.values() for entry in seat["instances"]]
    machines = {entry["config"]["user.practicum.machine"] for entry in entries if entry["type"] == "virtual-machine"}
    if machines and not runs_virtual_machines(lxd):
        raise UnavailableError(
            f"this LXD cannot run the virtual machines of {deployment.lab} ({', '.join(sorted(machines))}); "
            "nothing was done",
            details="\n".join(f"LXD says: {reason}" for reason in inoperable(lxd)),
            resolution="'practicum doctor' says what the host lacks; or leave 'kind: vm' out of the spec",
        )


def require_pools(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError when a storage pool that the definitions name is not there."""
    for pool in _pools_of(deployment):
        if lxd.find("storage-pools", pool) is None and pool.startswith("/"):
            raise UnavailableError(
                f"the folder {pool} that 'storage:' names is not on this host; nothing was done",
                resolution=f"mount it at {pool}, on every host; 'practicum doctor' looks for it",
            )
        if lxd.find("storage-pools", pool) is None:
            raise UnavailableError(
                f"LXD has no storage pool '{pool}'; nothing was done",
                resolution=f"practicum setup --pool {pool}, or name another under 'storage:' in platform.yaml",
            )


def _pools_of(deployment: Deployment) -> list[str]:
    volumes = [volume for seat in deployment.seats.values() for volume in seat["volumes"]]
    roots = [profile["devices"]["root"] for profile in deployment.shared["profiles"]]
    return sorted({str(entry["pool"]) for entry in (*volumes, *roots)})


def require_pool_space(lxd: Lxd, deployment: Deployment) -> None:
    """Raise UnavailableError when a pool that a lab uses has less free space than the reserve."""
    reserve = deployment.platform.capacity.reserve
    for name in _pools_of(deployment):
        pool = find_pool(lxd, name, reserve)
        if pool is not None and pool.free < reserve:
            raise UnavailableError(
                f"the pool {name} has {shown(pool.free)} free, less than the reserve of {format_size(reserve)}",
                resolution="'practicum disk' says what uses it and '--free' what may go; or enlarge the pool; or lower "
                "'capacity: {reserve: …}'",
            )


def require_free_addresses(lxd: Lxd, desired: Desired) -> None:
    """Raise UnavailableError when a network of somebody else overlaps one that this lab would make."""
    wanted = [area for seat in desired.seats for network in seat.networks if (area := _range(network))]
    ours = desired.marker.split("/", maxsplit=1)[0]
    # The state of an interface is told at once; of a network LXD looks through all machines for its users.
    for name in sorted(set(map(tail, lxd.get("networks"))) - desired.network_names):
        taken = next((one for one in _ranges_of(lxd, name) if any(one.overlaps(area) for area in wanted)), None)
        other = lxd.find("networks", name) if taken else None
        if other and other["managed"] and other["config"].get("user.practicum", "").split("/")[0] != ours:
            raise UnavailableError(
                f"the addresses of {desired.marker.split('/', 1)[1]} overlap the network '{name}' ({taken})",
                resolution="give this installation another range under 'addresses:' in both platform.yaml files",
            )


def _ranges_of(lxd: Lxd, network: str) -> list[IPv4Network]:
    addresses = [address for state in interface_states(lxd, network) for address in state.get("addresses") or []]
    ipv4 = [one for one in addresses if one["family"] == "inet"]
    return [IPv4Network(f"{one['address']}/{one['netmask']}", strict=False) for one in ipv4]


def refuse_foreign(desired: Desired, observed: Observed) -> None:
    """Raise UnavailableError, naming them, when somebody else's objects have names that this lab needs."""
    kinds: dict[str, Mapping[Any, Mapping[str, Any]]] = {
        "network ACL": observed.acls,
        "network": observed.networks,
        "profile": {name: one for name, one in observed.profiles.items() if name in desired.profile_names},
        "volume": {key: one for key, one in observed.volumes.items() if key[1] in desired.volume_names},
        "machine": {name: one for name, one in observed.instances.items() if name in desired.instance_names},
    }
    strange = [
        f"{kind} {one['name']}" for kind, found in kinds.items() for one in foreign(found.values(), desired.marker)
    ]
    if strange:
        raise UnavailableError(
            f"LXD has objects with names of {desired.marker.split('/', 1)[1]} that Practicum did not make",
            details="\n".join(strange),
            resolution="rename or remove them, after a look at whose they are; nothing was changed",
        )


def _range(network: Mapping[str, Any]) -> IPv4Network | None:
    text = network["config"].get("ipv4.address", "none")
    return IPv4Network(text, strict=False) if "/" in text else None


def _require_known_recipes(workspace: Workspace, deployment: Deployment) -> None:
    """Raise InputError when the committed image recipes are not those of this version's catalogue."""
    for name, digest in deployment.shared["images"].items():
        entry = type_on(workspace.catalogue, name, deployment.platform)
        if deployment.environment == "dev" and (entry is None or recipe_digest(entry.image) != digest):
            raise InputError(
                f"the definitions were generated by another version of Practicum: the type '{name}' has changed since",
                resolution=f"practicum generate {deployment.lab}, then commit; or practicum pipeline {deployment.lab}",
            )


def _require_capacity(workspace: Workspace, deployment: Deployment) -> None:
    """Raise UnavailableError when the labs of the environment, this one among them, do not fit the capacity."""
    capacity = deployment.platform.capacity
    if not is_bounded(capacity):
        return
    promises = Promises(workspace)
    promises.expect(deployment.lab, deployment.environment, promised_to(deployment))
    if words := excess(promises.together(deployment.environment), capacity):
        raise UnavailableError(
            f"{deployment.lab} does not fit what {deployment.environment} may promise; nothing was done",
            details="\n".join(words),
            resolution="make the machines smaller, stop another lab, or raise 'capacity:' in platform.yaml",
        )
