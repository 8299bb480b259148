"""The one-line start of a Kubernetes cluster: a lab's own, with machines to work from, deployed in dev."""

from collections.abc import Sequence
from dataclasses import dataclass

from generator.edit.editor import read
from generator.edit.lab import set_value
from generator.render.tree import spec_path
from practicum.errors import UnavailableError, UsageError
from practicum.stages.create import HEAD, SCRATCH, Wish, added, deploy, refusals, require_sizes, require_types
from practicum.stages.provision import Provisioned
from practicum.stages.workspace import Workspace, platform_of

KUBERNETES = "kubernetes"


@dataclass(frozen=True)
class ClusterWish:
    """What somebody asked for: sizes of a node as specs write them, None for the default; types of machines beside."""

    nodes: int | None = None
    cpu: int | None = None
    memory: str | None = None
    disk: str | None = None
    machines: Sequence[str] = ()


def create_cluster(workspace: Workspace, wish: ClusterWish, lab: str = SCRATCH) -> Provisioned:
    """Give a lab a cluster of its own, commit, generate, and deploy it in dev.

    Raises UsageError when the lab has `kubernetes` already, InputError for an unknown type and for a spec that has
    errors or cannot be edited, UnavailableError without k3s; then the spec is as it was.
    """
    _require_k3s(workspace)
    require_types(workspace, *wish.machines)
    require_sizes(wish.memory, wish.disk)
    spec = spec_path(lab)
    path = workspace.repository.root / spec
    text = path.read_bytes() if path.exists() else HEAD
    sizes = {"count": wish.nodes, "cpu": wish.cpu, "memory": wish.memory, "disk": wish.disk}
    nodes = {key: value for key, value in sizes.items() if value is not None}
    with refusals(workspace, spec):
        if KUBERNETES in (read(text, spec).data or {}):
            raise UsageError(
                f"{lab} has 'kubernetes:' already",
                resolution=f"change it in {spec}, then practicum pipeline {lab}; or choose another lab with --lab",
            )
        text = set_value(text, (KUBERNETES,), {"cluster": "lab", **({"nodes": nodes} if nodes else {})}, spec)
        for type in wish.machines:
            _, text = added(text, Wish(type), spec)
    return deploy(workspace, lab, {spec: text})


def _require_k3s(workspace: Workspace) -> None:
    if platform_of(workspace.repository.sources(None), "dev").k3s is None:
        platform = workspace.repository.root / "environments/dev/platform.yaml"
        raise UnavailableError(
            "there is no k3s to make a cluster from; nothing was done",
            resolution=f"name its binary under kubernetes.k3s in {platform}",
            docs="docs/how-to/own-cluster.md",
        )
