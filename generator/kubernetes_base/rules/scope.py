"""Objects stay in the copy's own namespace, and are of kinds that Practicum knows to stay there."""

from collections.abc import Iterator
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import DEFAULT_ACCOUNT, OWN_PREFIX, Manifest, facts
from generator.kubernetes_base.node import Node
from generator.spec.words import did_you_mean, nearest

__all__ = ["kinds", "names", "namespaces"]


def kinds(manifest: Manifest) -> Iterator[Diagnostic]:
    """The kind is known, lives in a namespace, and is not one that somebody else makes."""
    groups, made_elsewhere = facts("kinds")["groups"], facts("kinds")["made"]
    node = manifest.node.fields()["kind"]
    group = groups.get(manifest.group)
    if manifest.kind in (group or {}).get("cluster", ()):
        yield node.problem("PRA116", f"{manifest.title} concerns the whole cluster, not one copy of the lab")
    elif group is None or manifest.kind not in group.get("namespaced", ()):
        yield _unknown(manifest, groups)
    elif manifest.api_version.rpartition("/")[2] not in group["versions"]:
        yield _old(manifest, group)
    elif manifest.kind in made_elsewhere:
        entry = made_elsewhere[manifest.kind]
        message = f"{manifest.title}: objects of this kind are made by {entry['by']} itself"
        yield node.problem("PRA120", message, hint=entry["hint"])


def _unknown(manifest: Manifest, groups: dict[str, Any]) -> Diagnostic:
    homes = {kind: name for name, group in groups.items() for kind in _kinds(group)}
    if manifest.kind in homes:
        right = _api_version(homes[manifest.kind], groups)
        message = f"there is no {manifest.kind} in {manifest.api_version}; it is in {right}"
        return manifest.node.fields()["apiVersion"].problem("PRA117", message, hint=f"Write apiVersion: {right}.")
    near = nearest(manifest.kind, _kinds(groups[manifest.group]) if manifest.group in groups else homes)
    message = f"the kind {manifest.kind} of {manifest.api_version} is not known{did_you_mean(near)}"
    made_elsewhere = facts("kinds")["made"]
    usable = sorted(
        name or "v1" for name, group in groups.items() if {*group.get("namespaced", ())} - {*made_elsewhere}
    )
    hint = f"A base may use kinds of these API groups only: {', '.join(usable)}."
    return manifest.node.fields()["kind"].problem("PRA117", message, hint=hint)


def _kinds(group: dict[str, Any]) -> list[str]:
    return [*group.get("namespaced", ()), *group.get("cluster", ())]


def _api_version(name: str, groups: dict[str, Any]) -> str:
    version = groups[name]["versions"][-1]
    return f"{name}/{version}" if name else str(version)


def _old(manifest: Manifest, group: dict[str, Any]) -> Diagnostic:
    right = "/".join(part for part in (manifest.group, group["versions"][-1]) if part)
    message = f"Kubernetes does not serve {manifest.kind} in {manifest.api_version}"
    return manifest.node.fields()["apiVersion"].problem("PRA117", message, hint=f"Write apiVersion: {right}.")


def namespaces(manifest: Manifest) -> Iterator[Diagnostic]:
    """No object names a namespace, nor do the subjects that get rights."""
    named = [manifest.node.find("metadata", "namespace")]
    named += [subject.find("namespace") for subject in manifest.node.items("subjects")]
    for node in named:
        if node is not None:
            yield _foreign(manifest, node)


def _foreign(manifest: Manifest, node: Node) -> Diagnostic:
    message = f"{manifest.title} names the namespace '{node.value}'; every copy of the lab has its own"
    return node.problem("PRA118", message, hint="Take the key out.")


def names(manifest: Manifest) -> Iterator[Diagnostic]:
    """No object has a name that one of Practicum's own has."""
    own = manifest.kind == "ServiceAccount" and manifest.name == DEFAULT_ACCOUNT
    if own or manifest.name.startswith(OWN_PREFIX):
        node = manifest.node.fields("metadata")["name"]
        yield node.problem("PRA120", f"{manifest.title}: Practicum itself makes objects of this name", hint=_OWN_NAME)


_OWN_NAME = (
    f"Choose another name; those that begin with {OWN_PREFIX}, and the service account {DEFAULT_ACCOUNT}, are taken."
)
