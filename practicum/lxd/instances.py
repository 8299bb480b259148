"""Create, change, fill and complete machines."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance, Volume
from practicum.lxd.errors import LxdError
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.observe import SEEDED
from practicum.lxd.plan import READY, set_by_hand
from practicum.lxd.power import start, stop
from practicum.lxd.steps import StepRunner, Touched

SEED_MOUNT = "/.practicum-seed"
# Owner and mode come from the directory that the volume will cover; `$3` is `content` or `owner`.
SEED_SCRIPT = """
set -e
[ -d "$1" ] || mkdir -p "$1"
[ "$3" = owner ] || cp -a "$1/." "$2/"
chown "$(stat -c %u:%g "$1")" "$2"
chmod "$(stat -c %a "$1")" "$2"
"""
GUEST_FILES = {
    "user.practicum.hosts": "/etc/hosts",
    "user.practicum.resolv": "/etc/resolv.conf",
    "user.practicum.interfaces": "/etc/network/interfaces",
}


def hardware_addresses(project: str, instance: Instance) -> dict[str, str]:
    """Return the config keys by which a machine's interfaces have the same MAC addresses in every system it gets.

    Neighbours remember them for up to a minute: a new system with new ones would be out of reach for as long. They
    begin as LXD's own do.
    """
    found = {}
    for name, device in instance.devices.items():
        if device["type"] == "nic":
            digest = hashlib.sha256(f"{project}/{instance.name}/{name}".encode()).hexdigest()
            found[f"volatile.{name}.hwaddr"] = f"00:16:3e:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"
    return found


def create(lxd: Lxd, desired: Desired, golden: GoldenMachines, instance: Instance) -> None:
    """Create a machine: cloned from a golden snapshot where there is one, else from its image."""
    body = {
        "name": instance.name,
        "type": instance.kind,
        "profiles": list(instance.profiles),
        "config": {**instance.config, **hardware_addresses(desired.project_name, instance)},
        "devices": {name: dict(device) for name, device in instance.devices.items()},
        "source": golden.source(instance),
    }
    lxd.post("instances", body=body, project=desired.project_name)


def update(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """Bring a machine's settings back in place; of what it has beyond them only records (volatile keys, marks) stay."""
    found, etag = lxd.get_with_etag("instances", instance.name, project=desired.project_name)
    surplus = set_by_hand(instance.config, found["config"])
    records = {key: value for key, value in found["config"].items() if key not in surplus}
    config = {**hardware_addresses(desired.project_name, instance), **records, **instance.config}
    body = _settings(found, config, instance.devices, instance.profiles)
    # The keys are written last: a kill before that repeats the whole, a stopped machine is started by the next run.
    changed = _refresh_guest(lxd, desired.project_name, instance, found)
    # A replacement that was killed leaves a machine that only waits, and is deaf to being asked to stop.
    waits = "raw.lxc" in surplus
    restart = (waits or "user.practicum.interfaces" in changed) and found["status"] == "Running"
    if restart:
        stop(lxd, desired.project_name, instance.name, force=waits)
        etag = ""
    lxd.put("instances", instance.name, body=body, project=desired.project_name, etag=etag)
    if restart:
        start(lxd, desired.project_name, instance.name)


def seed(lxd: Lxd, desired: Desired, instance: Instance, volume: Volume) -> None:
    """Fill a new volume from the directory of the image that it will cover, with owner and mode."""
    project = desired.project_name
    device = volume.disk(SEED_MOUNT)
    lxd.patch("instances", instance.name, body={"devices": {"seed": device}}, project=project)
    what = "content" if volume.copy_image else "owner"
    command = ["sh", "-c", SEED_SCRIPT, "sh", volume.mount, SEED_MOUNT, what]
    result = lxd.run(instance.name, command, project=project)
    if result.exit_code:
        raise LxdError(f"volume {volume.name} could not be filled from {volume.mount}", details=result.stderr)
    path = ("storage-pools", volume.pool, "volumes", "custom", volume.name)
    lxd.patch(*path, body={"config": {**volume.config, SEEDED: "image"}}, project=project)


def complete(lxd: Lxd, desired: Desired, steps: StepRunner, instance: Instance) -> None:
    """Do a machine's steps and set its ready mark, which is written last.

    The professor's own copy takes new files whatever was changed by hand; the class's machines as a delivery decides.
    """
    if not instance.steps or steps.run(instance, _touched(lxd, desired, instance)):
        mark(lxd, desired.project_name, instance.name, {READY: instance.digest})


def _touched(lxd: Lxd, desired: Desired, instance: Instance) -> Touched:
    """Say what becomes of delivered files that somebody changed; where a new system came, nothing waits."""
    if desired.replacement.overwrite or not instance.from_checkpoint:
        return "overwrite"
    config = lxd.get("instances", instance.name, project=desired.project_name)["config"]
    return "leave" if READY in config and not desired.replacement.systems.get(instance.name) else "keep"


def put_settings(
    lxd: Lxd, project: str, name: str, devices: Mapping[str, Mapping[str, str]], config: Mapping[str, str]
) -> None:
    """Give a machine exactly these devices, and these config keys beside those it has; an empty text removes one."""
    found, etag = lxd.get_with_etag("instances", name, project=project)
    body = _settings(found, {**found["config"], **config}, devices, found["profiles"])
    lxd.put("instances", name, body=body, project=project, etag=etag)


def _settings(
    found: Mapping[str, Any],
    config: Mapping[str, str],
    devices: Mapping[str, Mapping[str, str]],
    profiles: Sequence[str],
) -> dict[str, Any]:
    """Return what LXD wants to be sent whole when a machine's settings are replaced."""
    return {
        "architecture": found["architecture"],
        "config": {key: value for key, value in config.items() if value},
        "devices": {name: dict(device) for name, device in devices.items()},
        "profiles": list(profiles),
        "description": found["description"],
        "ephemeral": found["ephemeral"],
    }


def mark(lxd: Lxd, project: str, name: str, keys: Mapping[str, str]) -> None:
    """Write config keys of a machine."""
    lxd.patch("instances", name, body={"config": dict(keys)}, project=project)


def _refresh_guest(lxd: Lxd, project: str, instance: Instance, found: Mapping[str, Any]) -> list[str]:
    """Write the files of changed keys into the machine, where image templates act at creation only; return the keys."""
    changed = [key for key in GUEST_FILES if found["config"].get(key) != instance.config.get(key)]
    if found["type"] == "virtual-machine" and found["status"] != "Running":
        return changed  # its agent writes all of them at the next start
    for key in changed:
        headers = {"X-LXD-mode": "0644", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}
        data = instance.config[key].encode()
        lxd.upload(
            "instances", instance.name, "files", data=data, headers=headers, project=project, path=GUEST_FILES[key]
        )
    return changed
