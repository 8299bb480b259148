"""Objects of a cluster by their names, and the order in which they may come and go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Key", "Ref", "rank"]

# What others refer to, or are admitted by, comes first. Webhooks and quotas look at pods when they are made.
_FIRST = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding")
_SECOND = ("Secret", "ConfigMap", "PersistentVolumeClaim", "Service")
# Kind and place of an object whatever the version of its API: (group, kind, namespace, name).
Key = tuple[str, str, str, str]


@dataclass(frozen=True, order=True)
class Ref:
    """An object's name; `namespace` is empty for what belongs to the whole cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Ref":
        """Return the name of an object."""
        metadata = document["metadata"]
        return cls(document["apiVersion"], document["kind"], metadata.get("namespace", ""), metadata["name"])

    @property
    def key(self) -> Key:
        """The object, whatever the version of its API."""
        return (self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name)

    @property
    def words(self) -> str:
        """The object for people, who know the namespace."""
        return f"{self.kind} {self.name}"


def rank(kind: str) -> int:
    """Return when an object of a kind is applied: lower ones first."""
    order = (*_FIRST, *_SECOND)
    return order.index(kind) if kind in order else len(order)
