"""What definitions may say to LXD: the words that the generator writes, and no others.

Definitions are files in git. Whoever can push them must not become root on the host by a privileged container or a
disk of the host, so everything is checked against these lists before it reaches LXD.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from generator.catalogue.node_image import NODE
from practicum.errors import InputError
from practicum.lxd.folders import WORK, place

Document = Mapping[str, Any]
PROJECT_KEYS = {"features.images", "features.networks", "features.profiles", "features.storage.volumes"}
PROFILE_KEYS = {"limits.cpu", "limits.memory", "limits.processes", "security.secureboot"}
# Nodes of a Kubernetes cluster run containers themselves.
NODE_KEYS = {"security.nesting"}
NETWORK_KEYS = {"ipv4.address", "ipv4.nat", "ipv6.address", "raw.dnsmasq", "security.acls"}
RESOLVERS = {"", "no-resolv"}
NIC_KEYS = {"type", "name", "network", "ipv4.address"}
DISK_KEYS = {"type", "pool", "source", "path"}
ROOT_KEYS = {"type", "pool", "path", "size"}
OURS = "user.practicum"


def require_known(shared: Document, seats: Sequence[Document], folders: Collection[str] = ()) -> None:
    """Raise InputError, naming them, when definitions say more to LXD than the generator ever writes.

    `folders` are those of the host that the platform file offers as storage: what it says, no definition says.
    """
    problems = [*_shared(shared), *(problem for seat in seats for problem in _seat(seat, shared, folders))]
    if problems:
        raise InputError(
            "the committed definitions say what no generator wrote; nothing was done",
            details="\n".join(problems[:10]),
            resolution="somebody edited generated files: run practicum generate and commit, or look at git log",
        )


def _shared(shared: Document) -> Iterator[str]:
    yield from _keys("project", shared["project"]["config"], PROJECT_KEYS)
    for profile in shared["profiles"]:
        known = PROFILE_KEYS | (NODE_KEYS if profile["name"] == NODE else set())
        yield from _keys(f"profile {profile['name']}", profile["config"], known)
        for name, device in profile["devices"].items():
            if name != "root" or device["path"] != "/" or set(device) - ROOT_KEYS:
                yield f"profile {profile['name']}: device {name}"
    for entry in shared["instances"]:
        yield from _instance(entry, shared, ())


def _seat(seat: Document, shared: Document, folders: Collection[str]) -> Iterator[str]:
    for network in seat["networks"]:
        yield from _keys(f"network {network['name']}", network["config"], NETWORK_KEYS)
        if network["type"] != "bridge" or network["config"].get("raw.dnsmasq", "") not in RESOLVERS:
            yield f"network {network['name']}: type or raw.dnsmasq"
    for volume in seat["volumes"]:
        yield from _keys(f"volume {volume['name']}", volume["config"], {"size"})
        strange = volume["pool"].startswith("/") and volume["pool"] not in folders
        if strange or "/" in volume["name"] or ".." in (volume["name"], *shared["marker"].split("/")):
            yield f"volume {volume['name']}: pool"
    marker = f"{shared['marker'].removesuffix('-')}{seat['seat']}"
    on_host = {_on_host(volume, marker) for volume in seat["volumes"] if volume["pool"] in folders}
    for entry in seat["instances"]:
        yield from _instance(entry, shared, on_host)


def _on_host(volume: Document, marker: str) -> str:
    return str(place(volume["pool"], marker, volume["name"]) / WORK)


def _instance(entry: Document, shared: Document, on_host: Collection[str]) -> Iterator[str]:
    yield from _keys(f"instance {entry['name']}", entry["config"], set())
    if not set(entry["profiles"]) <= {profile["name"] for profile in shared["profiles"]}:
        yield f"instance {entry['name']}: profiles"
    for name, device in entry["devices"].items():
        if not _is_known_device(device, on_host):
            yield f"instance {entry['name']}: device {name}"


def _is_known_device(device: Document, on_host: Collection[str]) -> bool:
    if device.get("type") == "nic":
        return set(device) <= NIC_KEYS
    # A disk without a pool is a folder of the host: only those of this seat's own volumes.
    known = bool(device.get("pool")) or device.get("source") in on_host
    return device.get("type") == "disk" and set(device) <= DISK_KEYS and known


def _keys(where: str, config: Document, known: set[str]) -> Iterator[str]:
    for key in sorted(config):
        if key not in known and key != OURS and not key.startswith(f"{OURS}."):
            yield f"{where}: {key}"
