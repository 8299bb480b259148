"""The security baseline, held against every pod that an object makes. The rules themselves are data: baseline.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest, facts
from generator.kubernetes_base.node import Node

__all__ = ["baseline", "everywhere"]


def baseline(manifest: Manifest) -> Iterator[Diagnostic]:
    """No pod has more of its node than the level `restricted` allows."""
    if manifest.pod is None:
        return
    rules = facts("baseline")
    yield from _judged(manifest, manifest.pod, rules["pod"])
    for container in manifest.containers():
        yield from _judged(manifest, container, rules["container"])
    yield from _apparmor(manifest, rules["apparmor"])


def _judged(manifest: Manifest, node: Node, rules: Sequence[Mapping[str, Any]]) -> Iterator[Diagnostic]:
    for rule in rules:
        for found in _at(node, rule["path"]):
            if not _permitted(found.value, rule):
                whole = not {"allowed", "least"} & rule.keys()
                value = "…" if isinstance(found.value, dict | tuple) else found.value
                message = rule["message"].format(title=manifest.title, value=value)
                yield found.problem(rule["code"], message, on_key=whole)


def _permitted(value: Any, rule: Mapping[str, Any]) -> bool:
    """Compare with the type: in YAML, 0 is not false."""
    if "least" in rule:
        return type(value) is int and value >= rule["least"]
    return any(value == choice and type(value) is type(choice) for choice in rule.get("allowed", ()))


def _at(node: Node, path: Sequence[str]) -> Iterator[Node]:
    """Yield what stands at a path; `*` leads to every entry of a list or group. A value of null is none."""
    if not path:
        if node.value is not None:
            yield node
        return
    if path[0] == "*":
        below = node.value.values() if isinstance(node.value, dict) else node.value
        for child in below if isinstance(node.value, dict | tuple) else ():
            yield from _at(child, path[1:])
    elif isinstance(node.value, dict) and path[0] in node.value:
        yield from _at(node.value[path[0]], path[1:])


def _apparmor(manifest: Manifest, rule: Mapping[str, Any]) -> Iterator[Diagnostic]:
    annotations = manifest.pod_metadata.fields("annotations") if manifest.pod_metadata else {}
    for key, node in annotations.items():
        value = str(node.value)
        if key.startswith(rule["prefix"]) and not (
            value in rule["allowed"] or value.startswith(rule["allowed_prefix"])
        ):
            yield node.problem("PRA128", f"the AppArmor profile '{value}' takes a protection off")


def everywhere(manifest: Manifest) -> Iterator[Diagnostic]:
    """A DaemonSet has one pod on every node, whatever a student's quota is."""
    if (manifest.group, manifest.kind) == ("apps", "DaemonSet"):
        message = f"{manifest.title} starts a pod on every node, for every copy of the lab"
        node = manifest.node.fields()["kind"]
        yield node.problem("PRA131", message, severity="warning")
