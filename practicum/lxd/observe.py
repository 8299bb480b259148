"""What is there: the objects of one lab in one environment, read from LXD."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.errors import LxdNotFound
from practicum.parallel import in_parallel

Document = dict[str, Any]
GOLDEN_SNAPSHOT = "golden"
SEEDED = "user.practicum.seeded"
# The occasion for which a volume was started anew last.
CLEARED = "user.practicum.cleared"
# What a volume is called until it takes its place, and the mark of one that only has to be renamed.
INCOMING = "-incoming"
WHOLE = "user.practicum.whole"


@dataclass(frozen=True)
class Observed:
    """The state of one lab's objects, each by its name. Volumes are by (pool, name)."""

    project: Document | None = None
    acls: Mapping[str, Document] = field(default_factory=dict)
    networks: Mapping[str, Document] = field(default_factory=dict)
    profiles: Mapping[str, Document] = field(default_factory=dict)
    volumes: Mapping[tuple[str, str], Document] = field(default_factory=dict)
    instances: Mapping[str, Document] = field(default_factory=dict)


def observe(lxd: Lxd, desired: Desired) -> Observed:
    """Read what exists of a lab."""
    project = lxd.find("projects", desired.project_name)
    acls = present(lxd, "network-acls", desired.acl_names)
    networks = present(lxd, "networks", desired.network_names)
    if project is None:
        return Observed(acls=acls, networks=networks)
    return Observed(
        project=project,
        acls=acls,
        networks=networks,
        profiles=_by_name(lxd.get("profiles", project=desired.project_name, recursion=1)),
        volumes=_volumes(lxd, desired),
        instances=_by_name(lxd.get("instances", project=desired.project_name, recursion=1)),
    )


def custom_volumes(lxd: Lxd, pool: str, project: str) -> list[Document]:
    """Return a project's custom volumes in a pool; LXD lists their snapshots among them, as VOLUME/SNAPSHOT."""
    found = lxd.get("storage-pools", pool, "volumes", "custom", project=project, recursion=1)
    return [volume for volume in found if "/" not in volume["name"]]


def volumes_wherever(lxd: Lxd, pools: Iterable[str], project: str) -> Iterator[tuple[str, Document]]:
    """Yield a project's custom volumes with their pools. A pool that somebody takes away meanwhile has none."""
    for pool in pools:
        with suppress(LxdNotFound):
            yield from ((pool, volume) for volume in custom_volumes(lxd, pool, project))


def tail(url: str) -> str:
    """Return the last part of an API address, without query."""
    return url.rsplit("/", 1)[-1].split("?")[0]


def present(lxd: Lxd, kind: str, names: Collection[str]) -> dict[str, Document]:
    """Return those of the named networks or ACLs that exist.

    LXD looks through all machines for the users of each one that it tells of: only what is needed is asked for, side by
    side. A list with recursion costs as much for every network of the host.
    """
    there = sorted(set(names).intersection(map(tail, lxd.get(kind))))
    found = zip(there, in_parallel(lambda name: lxd.find(kind, name), there), strict=True)
    # A network that a killed run only announced to the members of a cluster is not made yet.
    return {name: one for name, one in found if one is not None and one.get("status") != "Pending"}


def _volumes(lxd: Lxd, desired: Desired) -> dict[tuple[str, str], Document]:
    pools = sorted({volume.pool for seat in desired.seats for volume in seat.volumes})
    return {
        (pool, volume["name"]): volume for pool in pools for volume in custom_volumes(lxd, pool, desired.project_name)
    }


def _by_name(documents: Iterable[Document]) -> dict[str, Document]:
    return {document["name"]: document for document in documents}
