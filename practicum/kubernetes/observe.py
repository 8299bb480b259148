"""What a lab has on a cluster: everything with its label, by kind and name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generator.kubernetes_base.manifest import facts
from generator.render.kubernetes.overlays import SEAT_LABEL
from generator.render.kubernetes.walls import LABEL, MARKER
from practicum.errors import TryAgainError, UnavailableError
from practicum.kubernetes.client import MANAGER, Cluster
from practicum.kubernetes.copies import Copy
from practicum.kubernetes.objects import Key, Ref
from practicum.parallel import in_parallel

__all__ = ["KINDS", "NAMESPACE", "Observed", "observe", "observe_namespaces", "refuse_others"]

Document = dict[str, Any]
NAMESPACE = ("v1", "Namespace")
_BY_KUBERNETES = "Kubernetes"
_AT_ONCE = 4


def _kinds() -> list[tuple[str, str]]:
    """Return the kinds that a seat may have: all that a base may hold, and the walls."""
    known = facts("kinds")
    made = {kind for kind, one in known["made"].items() if one["by"] == _BY_KUBERNETES}
    return [
        (f"{group}/{one['versions'][-1]}" if group else one["versions"][-1], kind)
        for group, one in known["groups"].items()
        for kind in one.get("namespaced", ())
        if kind not in made
    ]


KINDS = _kinds()


@dataclass(frozen=True)
class Observed:
    """The metadata of everything with a lab's label. `namespaces` are the seats' namespaces by seat."""

    objects: Mapping[Key, Document]

    @property
    def namespaces(self) -> dict[str, Document]:
        """The lab's namespaces by seat."""
        found = [document for key, document in self.objects.items() if key[1] == NAMESPACE[1]]
        return {one["metadata"]["labels"].get(SEAT_LABEL, ""): one for one in found}

    def became(self, after: Document) -> Literal["created", "changed", "unchanged"]:
        """Return what applying did to an object; what Kubernetes reports of its state meanwhile is no change."""
        ref = Ref.of(after)
        if ref.key not in self.objects:
            return "created"
        old, new = self.objects[ref.key]["metadata"], after["metadata"]
        if old["resourceVersion"] == new["resourceVersion"]:
            return "unchanged"
        same = old.get("generation") == new.get("generation") and _ours(old) == _ours(new)
        return "unchanged" if same else "changed"

    def shared(self, ref: Ref) -> bool:
        """Say whether somebody beside Practicum has set fields of an object, Kubernetes' reports of its state aside."""
        entries = self.objects[ref.key]["metadata"].get("managedFields", ()) if ref.key in self.objects else ()
        return any(entry["manager"] != MANAGER and not entry.get("subresource") for entry in entries)

    def removable(self, ref: Ref) -> bool:
        """Say whether an object was applied by Practicum and belongs to no other object: only that is pruned.

        Pods and their controllers carry the label too, as students' copies of objects do.
        """
        return self.applied(ref) and not self.objects[ref.key]["metadata"].get("ownerReferences")

    def applied(self, ref: Ref) -> bool:
        """Say whether an object is there and was applied by Practicum."""
        found = self.objects.get(ref.key)
        return found is not None and any(entry["operation"] == "Apply" for entry in _ours(found["metadata"]))


def _ours(metadata: Document) -> list[Document]:
    """Return what the server remembers of what Practicum applied, and when it last changed something."""
    return [entry for entry in metadata.get("managedFields", ()) if entry["manager"] == MANAGER]


def observe(cluster: Cluster, project: str) -> Observed:
    """Return what carries the label of a lab, whose LXD project has that name. One list a kind, whatever the class."""
    kinds = [NAMESPACE, *KINDS]
    found = in_parallel(lambda one: cluster.list_metadata(*one, label=f"{LABEL}={project}"), kinds, _AT_ONCE)
    return Observed({Ref.of(document).key: document for documents in found for document in documents})


def observe_namespaces(cluster: Cluster, project: str, marker: str) -> dict[str, str]:
    """Return the markers of a lab's namespaces by their names. `marker` is the lab's own, which ends with `-`."""
    found = cluster.list_metadata(*NAMESPACE, label=f"{LABEL}={project}")
    markers = {one["metadata"]["name"]: (one["metadata"].get("annotations") or {}).get(MARKER, "") for one in found}
    return {name: text for name, text in markers.items() if text.startswith(marker.removesuffix("-"))}


def refuse_others(cluster: Cluster, observed: Observed, copies: list[Copy]) -> None:
    """Raise UnavailableError for a namespace of our name that is somebody else's, TryAgainError for one that goes."""
    ours = {document["metadata"]["name"]: document for document in observed.namespaces.values()}
    missing = [copy for copy in copies if copy.namespace not in ours]
    found = in_parallel(lambda copy: cluster.find(Ref(*NAMESPACE, "", copy.namespace)), missing, _AT_ONCE)
    ours |= {document["metadata"]["name"]: document for document in found if document}
    for copy in copies:
        if copy.namespace in ours:
            _refuse_other(cluster, copy, ours[copy.namespace]["metadata"])


def _refuse_other(cluster: Cluster, copy: Copy, metadata: Document) -> None:
    wanted = copy.objects[0]["metadata"]["annotations"][MARKER]
    if (metadata.get("annotations") or {}).get(MARKER) != wanted:
        raise UnavailableError(
            f"cluster '{cluster.name}' has a namespace {copy.namespace} that Practicum did not make; nothing was done",
            resolution="remove it, after a look at whose it is",
        )
    if metadata.get("deletionTimestamp"):
        raise TryAgainError(
            f"namespace {copy.namespace} is still being removed from cluster '{cluster.name}'",
            resolution="run the same command again in a minute; what keeps it: "
            f"kubectl get namespace {copy.namespace} -o yaml",
        )
