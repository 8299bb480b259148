"""What uses the space of the storage pools, as far as LXD can tell: machines, snapshots, volumes and images of ours."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generator.seats.names import SNAPSHOT, image_marker, previous, upcoming
from generator.spec.units import parse_size
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError
from practicum.lxd.inventory import MARKER, Marked
from practicum.parallel import in_parallel

Kind = Literal[
    "volumes", "systems", "previous systems", "snapshots", "checkpoints", "golden machines", "images", "builders"
]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Use:
    """One object. `used` and `most` are bytes: what it has for itself, None when LXD cannot say; what it may take."""

    kind: Kind
    pool: str
    environment: str
    lab: str
    name: str
    used: int | None
    most: int | None


def usage(lxd: Lxd, things: Iterable[Marked], image_pool: str) -> list[Use]:
    """Return what uses space among marked objects; images have their copy on `image_pool`.

    The numbers are LXD's: on btrfs and zfs what clones share is counted for none of them.
    """
    listed = list(things)
    projects = {thing.place: None for thing in listed if thing.kind == "instance"}
    found = [use for project in projects for use in _of_instances(lxd, project, listed)]
    volumes = [thing for thing in listed if thing.kind == "volume"]
    found += in_parallel(lambda thing: _of_volume(lxd, thing), volumes)
    sizes = {image["fingerprint"]: image["size"] for image in lxd.get("images", recursion=1)}
    images = [thing for thing in listed if thing.kind == "image"]
    return [*found, *(_of_image(thing, image_pool, sizes.get(thing.name)) for thing in images)]


def _of_instances(lxd: Lxd, project: str, listed: Iterable[Marked]) -> Iterator[Use]:
    mine = {thing.name: thing for thing in listed if thing.kind == "instance" and thing.place == project}
    for entry in lxd.get("instances", project=project, recursion=2):
        thing, root = mine.get(entry["name"]), _root(entry)
        if thing is None:
            continue
        used = ((entry.get("state") or {}).get("disk") or {}).get("root", {}).get("usage")
        most = parse_size(root["size"]) if "size" in root else None
        yield _use(_kind_of_instance(thing), root.get("pool", ""), thing, thing.name, used or None, most)
        for snapshot in entry.get("snapshots") or ():
            name = f"{thing.name}/{snapshot['name']}"
            yield _use("snapshots", root.get("pool", ""), thing, name, snapshot.get("size") or None, None)


def _root(entry: Document) -> Mapping[str, str]:
    devices: Mapping[str, Mapping[str, str]] = entry["expanded_devices"]
    return next((one for one in devices.values() if one["type"] == "disk" and one.get("path") == "/"), {})


def _kind_of_instance(thing: Marked) -> Kind:
    if is_golden(thing):
        return "golden machines"
    if thing.name.startswith(previous("")):
        return "previous systems"
    return "builders" if is_builder(thing) else "systems"


def is_golden(thing: Marked) -> bool:
    """Say whether an object is a golden machine or its profile."""
    return thing.marker.endswith("/golden")


def is_builder(thing: Marked) -> bool:
    """Say whether a machine is one that only a run needs: a checkpoint's copy, a system that is being prepared."""
    return thing.kind == "instance" and (thing.scope[0] == "-" or thing.name.startswith(upcoming("")))


def is_checkpoint(thing: Marked) -> bool:
    """Say whether an object is a checkpoint's image or volume copy."""
    return thing.kind in ("image", "volume") and thing.scope[0] == "-" and not is_recipe(thing)


def is_recipe(thing: Marked) -> bool:
    """Say whether an object is the image of a machine type."""
    return thing.kind == "image" and thing.marker == image_marker(thing.installation)


def _of_volume(lxd: Lxd, thing: Marked) -> Use:
    project, pool = thing.place.split("/", 1)
    path = ("storage-pools", pool, "volumes", "custom", thing.name)
    state = _or_nothing(lambda: lxd.get(*path, "state", project=project))
    found = _or_nothing(lambda: lxd.get(*path, project=project))
    used = ((state or {}).get("usage") or {}).get("used")
    size = found["config"].get("size") if found else None
    kind: Kind = "checkpoints" if is_checkpoint(thing) else "volumes"
    kind = "snapshots" if thing.name.startswith(SNAPSHOT) else kind
    return _use(kind, pool, thing, thing.name, used, parse_size(size) if size else None)


def _of_image(thing: Marked, pool: str, size: int | None) -> Use:
    return _use("images" if is_recipe(thing) else "checkpoints", pool, thing, thing.name, None, size)


def _or_nothing(read: Callable[[], Any]) -> Any | None:
    """Return None where a driver cannot say, or where the object has just gone."""
    try:
        return read()
    except LxdError:
        return None


def _use(kind: Kind, pool: str, thing: Marked, name: str, used: int | None, most: int | None) -> Use:
    environment, lab = thing.scope
    return Use(kind, pool, environment, lab, name, used, most)


def recipe_of(lxd: Lxd, fingerprint: str) -> str | None:
    """Return the digest of the recipe that an image of a machine type was made from, None when it is gone."""
    image = lxd.find("images", fingerprint)
    properties = image["properties"] if image and MARKER in image["properties"] else {}
    return properties.get("practicum.recipe")
