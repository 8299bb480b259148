"""What the level `restricted` asks of pods and a base left unsaid, as JSON patches.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted. What a base says against it is refused
by `generator.kubernetes_base.rules.security`; what it does not say is filled in here, so that its pods start.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.kubernetes_base.manifest import CONTAINERS, Manifest
from generator.kubernetes_base.node import Node
from generator.render.yaml_text import dump

__all__ = ["completed", "json_patch", "operation", "target_of"]

Operation = dict[str, Any]
_POD: Mapping[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_CONTAINER: Mapping[str, Any] = {"allowPrivilegeEscalation": False}
_ALL = "ALL"


def completed(objects: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Return one patch of a kustomization for each object whose pods lack something."""
    found = ((manifest, list(_operations(manifest))) for manifest in objects)
    return [json_patch(target_of(manifest), operations) for manifest, operations in found if operations]


def json_patch(target: Mapping[str, str], operations: Sequence[Operation]) -> dict[str, Any]:
    """Return an entry of `patches`: never a strategic merge, which costs three times as much."""
    return {"target": dict(target), "patch": dump(list(operations))}


def operation(path: Sequence[str | int], value: Any) -> Operation:
    """Return the operation that puts a value at a path, whether or not there was one."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return {"op": "add", "path": "".join(f"/{step}" for step in steps), "value": value}


def target_of(manifest: Manifest) -> dict[str, str]:
    """Return the target that means exactly this object; Kustomize takes the name for a regular expression."""
    group = {"group": manifest.group} if manifest.group else {}
    return {**group, "kind": manifest.kind, "name": re.sub(r"\.", r"\\.", manifest.name)}


def _operations(manifest: Manifest) -> Iterator[Operation]:
    path, pod = manifest.pod_path, manifest.pod
    if path is None or pod is None:
        return
    yield from _missing(pod, (*path, "securityContext"), _POD)
    for key in CONTAINERS:
        for index, container in enumerate(pod.items(key)):
            place: tuple[str | int, ...] = (*path, key, index, "securityContext")
            yield from _missing(container, place, _CONTAINER)
            yield from _without_capabilities(container, place)


def _missing(owner: Node, place: Sequence[str | int], wanted: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield what a security context lacks."""
    context = owner.find("securityContext")
    if context is None:
        yield operation(place, dict(wanted))
        return
    for key, value in wanted.items():
        if context.find(key) is None:
            yield operation((*place, key), value)


def _without_capabilities(container: Node, place: Sequence[str | int]) -> Iterator[Operation]:
    capabilities = container.find("securityContext", "capabilities")
    if capabilities is None:
        yield operation((*place, "capabilities"), {"drop": [_ALL]})
    elif capabilities.find("drop") is None:
        yield operation((*place, "capabilities", "drop"), [_ALL])
    elif _ALL not in {node.value for node in capabilities.items("drop")}:
        yield operation((*place, "capabilities", "drop", "-"), _ALL)
