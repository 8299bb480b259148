"""What Kubernetes would refuse at once: a workload without containers, or one that does not select its own pods."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import CONTAINERS, Manifest, facts
from generator.kubernetes_base.node import Node

__all__ = ["pods", "selectors"]


def pods(manifest: Manifest) -> Iterator[Diagnostic]:
    """A pod has containers, each with a name of its own and an image."""
    path = manifest.pod_path
    if path is None:
        return
    containers = manifest.node.find(*path, "containers")
    if containers is None or not isinstance(containers.value, tuple) or not containers.value:
        where = _deepest(manifest.node, (*path, "containers"))
        message = f"{manifest.title} has no containers at {'.'.join(path)}.containers"
        yield where.problem("PRA139", message, on_key=True)
        return
    names: set[str] = set()
    for key in CONTAINERS:
        for container in manifest.node.items(*path, key):
            yield from _container(manifest, container, names)


def _deepest(node: Node, path: tuple[str, ...]) -> Node:
    """Return the last node on a path that exists."""
    for step in path:
        found = node.find(step)
        if found is None:
            break
        node = found
    return node


def _container(manifest: Manifest, container: Node, names: set[str]) -> Iterator[Diagnostic]:
    name = container.text("name")
    for key in ("name", "image"):
        if not container.text(key):
            where = container.find(key) or container
            title = f"the container '{name}'" if name else "a container"
            yield where.problem("PRA139", f"{title} of {manifest.title} has no {key}", on_key=True)
    if name and name in names:
        yield container.fields()["name"].problem("PRA139", f"{manifest.title} has two containers '{name}'")
    names.add(name)


def selectors(manifest: Manifest) -> Iterator[Diagnostic]:
    """A workload selects the pods of its own template."""
    if manifest.group != "apps" or manifest.kind not in facts("kinds")["selecting"]:
        return
    wanted = manifest.node.fields("spec", "selector", "matchLabels")
    if not wanted and not manifest.node.items("spec", "selector", "matchExpressions"):
        where = _deepest(manifest.node, ("spec", "selector"))
        yield where.problem("PRA139", f"{manifest.title} has no spec.selector.matchLabels", on_key=True)
        return
    labels = manifest.pod_metadata.fields("labels") if manifest.pod_metadata else {}
    for key, node in wanted.items():
        if key not in labels or labels[key].value != node.value:
            message = f"{manifest.title} selects pods with {key}={node.value}, and its own have another label"
            yield node.problem("PRA139", message, hint="Write the same label under spec.template.metadata.labels.")
