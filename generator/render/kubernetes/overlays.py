"""Overlays, one a seat, and the shards that are applied as a whole: what makes the base a student's own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.rules.secrets import holds_references
from generator.render.definitions import Target
from generator.render.kubernetes.restricted import json_patch, operation, target_of
from generator.render.kubernetes.walls import MARKER, WALLS, labels
from generator.render.machine_config import seat_places
from generator.seats.names import is_student, student_number

__all__ = ["SHARD_SIZE", "Own", "members", "overlay", "overlay_folder", "own_of", "secrets_of", "shard", "shard_of"]

Document = dict[str, Any]
SHARD_SIZE = 50
SEAT_LABEL = "practicum/seat"
_KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
# Kustomize leaves such objects out of what it prints, and still knows their names.
_LEFT_OUT = ("metadata", "annotations", "config.kubernetes.io/local-config")
# What keeps the pods of a kind from running, for students who are leaving.
AT_REST: Mapping[str, tuple[tuple[str, ...], Any]] = {
    "Deployment": (("spec", "replicas"), 0),
    "StatefulSet": (("spec", "replicas"), 0),
    "ReplicaSet": (("spec", "replicas"), 0),
    "ReplicationController": (("spec", "replicas"), 0),
    "Job": (("spec", "suspend"), True),
    "CronJob": (("spec", "suspend"), True),
    "DaemonSet": (("spec", "template", "spec", "nodeSelector"), {"practicum/none": "true"}),
}


def shard_of(seat: str, *, alone: bool) -> str:
    """Return the shard of a seat: by its number, for ever; staff, and seats with a cluster each, are alone."""
    return seat if alone or not is_student(seat) else f"{(student_number(seat) - 1) // SHARD_SIZE:02d}"


def members(seats: Iterable[str], *, alone: bool) -> dict[str, list[str]]:
    """Return the seats of each shard."""
    found: dict[str, list[str]] = {}
    for seat in seats:
        found.setdefault(shard_of(seat, alone=alone), []).append(seat)
    return found


def overlay_folder(seat: str) -> str:
    """Return the folder of a seat's overlay below `kubernetes`."""
    return f"{'students' if is_student(seat) else 'staff'}/{seat}"


def shard(target: Target, seats: Sequence[str]) -> Document:
    """Return a shard's kustomization. Labels stand here, once for all its students, and never in selectors."""
    pairs = [{"pairs": labels(target), "includeSelectors": False, "includeTemplates": True}]
    return {**_KUSTOMIZATION, "resources": [f"../../{overlay_folder(seat)}" for seat in seats], "labels": pairs}


@dataclass(frozen=True)
class Own:
    """What differs from seat to seat. `places` are the addresses of machines, by machine and network."""

    seat: str
    namespace: str
    marker: str
    places: Mapping[str, Mapping[str, str]]

    def texts(self) -> list[str]:
        """Return all of it in a fixed order."""
        addresses = [address for networks in self.places.values() for address in networks.values()]
        return [self.seat, self.namespace, self.marker, *addresses]


def own_of(target: Target, seat: str) -> Own:
    """Return a seat's own values."""
    places = seat_places(target.lab, target.addresses, seat)
    return Own(seat, target.scope.namespace(seat), target.scope.marker(seat), places)


def overlay(
    target: Target, own: Own, resources: Sequence[str], objects: Sequence[Manifest], *, leaving: bool
) -> Document:
    """Return a seat's kustomization: the resources in the seat's namespace, with what is the seat's own.

    `objects` are the professor's.
    """
    marker = operation(("metadata", "annotations", MARKER), own.marker)
    patches = [json_patch({"kind": "Namespace"}, [operation(("metadata", "labels", SEAT_LABEL), own.seat), marker])]
    machines = _machine_rules(target, own, objects)
    if machines:
        patches.append(json_patch({"kind": "NetworkPolicy", "name": WALLS}, machines))
    patches += [json_patch(target_of(manifest), [_left_out(manifest)]) for manifest in _unwritten(objects)]
    patches += _at_rest(objects) if leaving else []
    return {**_KUSTOMIZATION, "namespace": own.namespace, "resources": [*resources], "patches": patches}


def secrets_of(target: Target, seat: str, objects: Sequence[Manifest]) -> list[Document]:
    """Return the Secrets of a seat whose values are put in at delivery: as references, as everywhere in git."""
    return [_secret(target, seat, manifest) for manifest in _unwritten(objects)]


def _unwritten(objects: Sequence[Manifest]) -> list[Manifest]:
    return [manifest for manifest in objects if holds_references(manifest)]


def _secret(target: Target, seat: str, manifest: Manifest) -> Document:
    document: Document = manifest.node.plain()
    metadata = {**document["metadata"], "namespace": target.scope.namespace(seat)}
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels(target)}
    return {**document, "metadata": metadata}


def _left_out(manifest: Manifest) -> Document:
    if manifest.node.find("metadata", "annotations") is None:
        return operation(_LEFT_OUT[:-1], {_LEFT_OUT[-1]: "true"})
    return operation(_LEFT_OUT, "true")


def _machine_rules(target: Target, own: Own, objects: Sequence[Manifest]) -> list[Document]:
    """Return the ways between pods and machines of one seat: there on ports of machine types, back on those of pods."""
    ways = [
        operation(("spec", "egress", "-"), {"to": _blocks(own.places[machine.name].values()), "ports": _tcp(ports)})
        for machine in target.lab.machines
        if (ports := machine.type.ports)
    ]
    everybody = [address for networks in own.places.values() for address in networks.values()]
    declared = _declared(objects)
    if everybody and declared:
        ways.append(operation(("spec", "ingress", "-"), {"from": _blocks(everybody), "ports": declared}))
    return ways


def _blocks(addresses: Iterable[str]) -> list[Document]:
    return [{"ipBlock": {"cidr": f"{address}/32"}} for address in addresses]


def _tcp(ports: Iterable[int]) -> list[Document]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _declared(objects: Sequence[Manifest]) -> list[Document]:
    """Return the ports that containers of the base name."""
    ports = {
        (node.text("protocol") or "TCP", number.value)
        for manifest in objects
        for container in manifest.containers()
        for node in container.items("ports")
        if (number := node.find("containerPort")) is not None
    }
    return [{"protocol": protocol, "port": number} for protocol, number in sorted(ports)]


def _at_rest(objects: Sequence[Manifest]) -> list[Document]:
    """Return what stops a leaving student's pods, the student's own too: the quota has no room for new ones."""
    quota = json_patch({"kind": "ResourceQuota", "name": WALLS}, [operation(("spec", "hard", "pods"), "0")])
    stopped = [
        json_patch(target_of(manifest), [operation(*AT_REST[manifest.kind])])
        for manifest in objects
        if manifest.kind in AT_REST
    ]
    bare = [json_patch(target_of(manifest), [_left_out(manifest)]) for manifest in objects if manifest.kind == "Pod"]
    return [quota, *stopped, *bare]
