"""One seat's copy of a lab as it shall be on a cluster, also while the lab is stopped."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from generator.render.kubernetes.overlays import AT_REST

__all__ = ["Copy", "at_rest", "left_to_autoscalers"]

Document = dict[str, Any]


@dataclass(frozen=True)
class Copy:
    """The namespace of a seat and all objects in it, the namespace itself first.

    `secrets` are those whose values are in no commit: whatever else applies the rest, Practicum puts them in.
    """

    seat: str
    namespace: str
    objects: tuple[Document, ...]
    secrets: tuple[Document, ...] = ()

    @property
    def everything(self) -> tuple[Document, ...]:
        """All objects, in no order."""
        return (*self.objects, *self.secrets)


def at_rest(copy: Copy) -> Copy:
    """Return a copy of a stopped lab: everything stays but pods, and none can be started."""
    return replace(copy, objects=tuple(_at_rest(copy.objects)))


def _at_rest(objects: Sequence[Document]) -> Iterator[Document]:
    for document in objects:
        if document["kind"] == "ResourceQuota":
            yield _with(document, ("spec", "hard", "pods"), "0")
        elif document["kind"] in AT_REST:
            yield _with(document, *AT_REST[document["kind"]])
        elif document["kind"] != "Pod":
            yield document


def _with(document: Document, path: Sequence[str], value: Any) -> Document:
    changed = deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return changed


def left_to_autoscalers(objects: Sequence[Document]) -> Iterator[Document]:
    """Yield objects without a number of pods that an autoscaler decides on: each delivery would set it back.

    Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Migrating Deployments and StatefulSets".
    """
    targets = [one["spec"]["scaleTargetRef"] for one in objects if one["kind"] == "HorizontalPodAutoscaler"]
    scaled = {(target["kind"], target["name"]) for target in targets}
    for document in objects:
        # A leaving student's copy has none: that is no autoscaler's to decide.
        if (document["kind"], document["metadata"]["name"]) in scaled and document["spec"].get("replicas", 0):
            spec: Mapping[str, Any] = {key: value for key, value in document["spec"].items() if key != "replicas"}
            yield {**document, "spec": spec}
        else:
            yield document
