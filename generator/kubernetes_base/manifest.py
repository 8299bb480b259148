"""One Kubernetes object of a base, and what every rule asks of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from generator.kubernetes_base.node import Node

__all__ = ["CONTAINERS", "DEFAULT_ACCOUNT", "OWN_PREFIX", "Manifest", "facts"]

# Names of objects that the generator puts beside those of a base.
DEFAULT_ACCOUNT = "default"
OWN_PREFIX = "practicum-"
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@lru_cache
def facts(name: str) -> Mapping[str, Any]:
    """Return a data file of this room: `kinds`, `baseline`, `merging` or `keys`."""
    text = (resources.files("generator.kubernetes_base") / f"{name}.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


@dataclass(frozen=True)
class Manifest:
    """An object with apiVersion, kind and metadata.name."""

    node: Node

    @property
    def kind(self) -> str:
        """The kind, such as Deployment."""
        return self.node.text("kind")

    @property
    def api_version(self) -> str:
        """Group and version as written: `v1`, `apps/v1`."""
        return self.node.text("apiVersion")

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name in its namespace."""
        return self.node.text("metadata", "name")

    @property
    def title(self) -> str:
        """What messages call the object."""
        return f"{self.kind} '{self.name}'"

    @property
    def identity(self) -> tuple[str, str, str]:
        """Group, kind and name: two objects with the same are one and the same."""
        return self.group, self.kind, self.name

    @property
    def pod_path(self) -> tuple[str, ...] | None:
        """Where the kind keeps its pod; None for a kind without."""
        path = facts("kinds")["pods"].get(self.kind)
        return tuple(path) if path is not None else None

    @property
    def pod(self) -> Node | None:
        """What is asked of the pods that come from this object."""
        path = self.pod_path
        return None if path is None else self.node.find(*path)

    @property
    def pod_metadata(self) -> Node | None:
        """The labels and annotations of the pods."""
        path = self.pod_path
        return None if path is None else self.node.find(*path[:-1], "metadata")

    def containers(self) -> Iterator[Node]:
        """Yield the containers of the pods, those that run first and those for debugging too."""
        for key in CONTAINERS:
            yield from self.pod.items(key) if self.pod is not None else ()
