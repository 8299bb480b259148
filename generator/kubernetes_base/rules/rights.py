"""Roles of a base give nothing that leads out of the copy, or to more rights than were given."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest, facts

__all__ = ["bindings", "roles"]

_GROUP = "rbac.authorization.k8s.io"


def roles(manifest: Manifest) -> Iterator[Diagnostic]:
    """A Role names what it is for, and nothing that amounts to everything."""
    if (manifest.group, manifest.kind) != (_GROUP, "Role"):
        return
    rights = facts("kinds")["rights"]
    for rule in manifest.node.items("rules"):
        changes = any(verb.value not in rights["reading"] for verb in rule.items("verbs"))
        resources = {**rights["resources"], **(rights["walls"] if changes else {})}
        tables = {"apiGroups": rights["groups"], "resources": resources, "verbs": rights["verbs"]}
        for key, table in tables.items():
            for node in rule.items(key):
                means = table.get(str(node.value))
                if means:
                    message = f"{manifest.title} gives '{node.value}' under `{key}`: {means}"
                    yield node.problem("PRA119", message)


def bindings(manifest: Manifest) -> Iterator[Diagnostic]:
    """A RoleBinding gives a Role of the base to service accounts of the base."""
    if (manifest.group, manifest.kind) != (_GROUP, "RoleBinding"):
        return
    allowed = facts("kinds")["rights"]["cluster_roles"]
    name = manifest.node.find("roleRef", "name")
    if manifest.node.text("roleRef", "kind") == "ClusterRole" and name is not None and name.value not in allowed:
        message = f"{manifest.title} gives the rights of the cluster's role '{name.value}'"
        hint = (
            f"Write a Role with what the program needs; of the cluster's roles only {', '.join(allowed)} may be given."
        )
        yield name.problem("PRA119", message, hint=hint)
    for subject in manifest.node.items("subjects"):
        kind = subject.find("kind")
        if kind is not None and kind.value != "ServiceAccount":
            message = f"{manifest.title} gives rights to a {kind.value}, not to a service account of the copy"
            yield kind.problem("PRA119", message)
