"""What definitions may say to LXD: the words that the generator writes, and no others.

Definitions are files in git. Whoever can push them must not become root on the host by a privileged container or a
disk of the host, so everything is checked against these lists before it reaches LXD.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from practicum.errors import InputError

Document = Mapping[str, Any]
PROJECT_KEYS = {"features.images", "features.networks", "features.profiles", "features.storage.volumes"}
PROFILE_KEYS = {"limits.cpu", "limits.memory", "limits.processes"}
NETWORK_KEYS = {"ipv4.address", "ipv4.nat", "ipv6.address", "raw.dnsmasq", "security.acls"}
RESOLVERS = {"", "no-resolv"}
NIC_KEYS = {"type", "name", "network", "ipv4.address"}
DISK_KEYS = {"type", "pool", "source", "path"}
ROOT_KEYS = {"type", "pool", "path", "size"}
OURS = "user.practicum"


def require_known(shared: Document, seats: Sequence[Document]) -> None:
    """Raise InputError, naming them, when definitions say more to LXD than the generator ever writes."""
    problems = [*_shared(shared), *(problem for seat in seats for problem in _seat(seat, shared))]
    if problems:
        raise InputError(
            "the committed definitions say what no generator wrote; nothing was done",
            details="\n".join(problems[:10]),
            resolution="somebody edited generated files: run practicum generate and commit, or look at git log",
        )


def _shared(shared: Document) -> Iterator[str]:
    yield from _keys("project", shared["project"]["config"], PROJECT_KEYS)
    for profile in shared["profiles"]:
        yield from _keys(f"profile {profile['name']}", profile["config"], PROFILE_KEYS)
        for name, device in profile["devices"].items():
            if name != "root" or device["path"] != "/" or set(device) - ROOT_KEYS:
                yield f"profile {profile['name']}: device {name}"
    for entry in shared["instances"]:
        yield from _instance(entry, shared)


def _seat(seat: Document, shared: Document) -> Iterator[str]:
    for network in seat["networks"]:
        yield from _keys(f"network {network['name']}", network["config"], NETWORK_KEYS)
        if network["type"] != "bridge" or network["config"].get("raw.dnsmasq", "") not in RESOLVERS:
            yield f"network {network['name']}: type or raw.dnsmasq"
    for volume in seat["volumes"]:
        yield from _keys(f"volume {volume['name']}", volume["config"], {"size"})
    for entry in seat["instances"]:
        yield from _instance(entry, shared)


def _instance(entry: Document, shared: Document) -> Iterator[str]:
    yield from _keys(f"instance {entry['name']}", entry["config"], set())
    if not set(entry["profiles"]) <= {profile["name"] for profile in shared["profiles"]}:
        yield f"instance {entry['name']}: profiles"
    for name, device in entry["devices"].items():
        if not _is_known_device(device):
            yield f"instance {entry['name']}: device {name}"


def _is_known_device(device: Document) -> bool:
    if device.get("type") == "nic":
        return set(device) <= NIC_KEYS
    # A disk without a pool would be a folder of the host.
    return device.get("type") == "disk" and set(device) <= DISK_KEYS and bool(device.get("pool"))


def _keys(where: str, config: Document, known: set[str]) -> Iterator[str]:
    for key in sorted(config):
        if key not in known and key != OURS and not key.startswith(f"{OURS}."):
            yield f"{where}: {key}"
