"""Create and change ACLs, profiles, networks and volumes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generator.seats.names import previous
from practicum.errors import UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import create_everywhere
from practicum.lxd.desired import Desired, Volume
from practicum.lxd.errors import LxdConflict, LxdError
from practicum.lxd.observe import CLEARED, SEEDED, WHOLE
from practicum.lxd.plan import set_by_hand
from practicum.lxd.projects import require_ours
from practicum.lxd.volumes import Place, adopt, begin_incoming, rename, set_keys

Document = Mapping[str, Any]
NO_MARKS: Mapping[str, str] = {}


def create_acl(lxd: Lxd, acl: Document) -> None:
    """Create an ACL; one that a killed run left LXD making is made to match."""
    try:
        lxd.post("network-acls", body=dict(acl))
    except LxdConflict:
        update_acl(lxd, acl)


def update_acl(lxd: Lxd, acl: Document) -> None:
    """Replace an ACL's rules; LXD re-applies them to every network that uses it."""
    require_ours(lxd.get("network-acls", acl["name"]), acl["config"]["user.practicum"])
    lxd.put("network-acls", acl["name"], body={key: value for key, value in acl.items() if key != "name"})


def create_profile(lxd: Lxd, desired: Desired, profile: Document) -> None:
    """Create a profile in the lab's project; one that a killed run left LXD making is made to match."""
    try:
        lxd.post("profiles", body=dict(profile), project=desired.project_name)
    except LxdConflict:
        update_profile(lxd, desired, profile)


def update_profile(lxd: Lxd, desired: Desired, profile: Document) -> None:
    """Replace a profile; LXD changes the running machines that use it. It must be ours."""
    found = lxd.get("profiles", profile["name"], project=desired.project_name)
    require_ours(found, profile["config"]["user.practicum"])
    body = {key: value for key, value in profile.items() if key != "name"}
    lxd.put("profiles", profile["name"], body=body, project=desired.project_name)


def create_network(lxd: Lxd, network: Document) -> None:
    """Create a bridge; one that a killed run left LXD making is made to match.

    Addresses are always explicit: LXD would otherwise probe the networks around it.
    """
    if not {"ipv4.address", "ipv6.address"} <= set(network["config"]):
        raise ValueError(f"network {network['name']} has no explicit addresses")
    try:
        create_everywhere(lxd, network)
    except LxdConflict:
        update_network(lxd, network)
    except LxdError as error:
        if "in use" not in error.details.lower():
            raise
        raise UnavailableError(
            f"the address {network['config']['ipv4.address']} is already used on this host",
            details=error.details,
            resolution="set another range under 'addresses:' in the environment's platform.yaml",
        ) from error


def update_network(lxd: Lxd, network: Document) -> None:
    """Bring a bridge's settings back; it must be ours. LXD 5.0.2 forgets a description that a PATCH does not repeat."""
    found = lxd.get("networks", network["name"])
    require_ours(found, network["config"]["user.practicum"])
    surplus = dict.fromkeys(set_by_hand(network["config"], found["config"]), "")
    body = {"config": {**surplus, **network["config"]}, "description": network["description"]}
    lxd.patch("networks", network["name"], body=body)


def create_volume(lxd: Lxd, desired: Desired, volume: Volume, marks: Mapping[str, str] = NO_MARKS) -> None:
    """Create a custom volume: as a copy-on-write copy of the checkpoint's, or empty. `marks` are more keys for it."""
    if volume.origin:
        config = {**volume.config, SEEDED: volume.origin, **marks}
        copy_volume(
            lxd, volume.pool, (volume.origin_project, volume.origin), (desired.project_name, volume.name), config
        )
    else:
        body = {"name": volume.name, "type": "custom", "config": {**volume.config, **marks}}
        lxd.post("storage-pools", volume.pool, "volumes", "custom", body=body, project=desired.project_name)


def clear_volume(lxd: Lxd, desired: Desired, volume: Volume) -> None:
    """Start a volume anew as the checkpoint's; the one before it stays as `prev-V`, in place of an older such one.

    The new one is made first, whole and marked, so that no run after a failure takes it for the student's or leaves the
    seat without one.
    """
    place = Place(desired.project_name, volume.pool, volume.name)
    incoming = begin_incoming(lxd, place)
    create_volume(lxd, desired, replace(volume, name=incoming.name), {CLEARED: desired.replacement.clear})
    set_keys(lxd, incoming, {WHOLE: "true"})
    if lxd.find(*place.path, project=place.project) is not None:
        lxd.delete(*place.named(previous(volume.name)).path, project=place.project)
        rename(lxd, place, previous(volume.name))
    adopt(lxd, place)


def adopt_volume(lxd: Lxd, desired: Desired, volume: Volume) -> None:
    """End an import or a restoration that was killed between its renames: what came in becomes the volume."""
    adopt(lxd, Place(desired.project_name, volume.pool, volume.name))


def copy_volume(
    lxd: Lxd, pool: str, origin: tuple[str, str], target: tuple[str, str], config: Mapping[str, str]
) -> None:
    """Copy a custom volume, copy-on-write, between projects: `origin` and `target` are project and name.

    A copy with a config of its own forgets how its owners were shifted (seen on LXD 5.0.2), and they would be shifted
    once more at the first attachment; so those keys are carried over.
    """
    found = lxd.get("storage-pools", pool, "volumes", "custom", origin[1], project=origin[0])["config"]
    shifted = {key: value for key, value in found.items() if key.startswith("volatile.idmap.")}
    source = {"type": "copy", "name": origin[1], "pool": pool, "project": origin[0], "volume_only": True}
    body = {"name": target[1], "type": "custom", "config": {**shifted, **config}, "source": source}
    lxd.post("storage-pools", pool, "volumes", "custom", body=body, project=target[0])


def update_volume(lxd: Lxd, desired: Desired, volume: Volume) -> None:
    """Change a volume's size or marker; its content is never touched."""
    path = ("storage-pools", volume.pool, "volumes", "custom", volume.name)
    lxd.patch(*path, body={"config": dict(volume.config)}, project=desired.project_name)
