"""Values that are put in at delivery stand in Secrets only."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest
from generator.render.references import REFERENCE

__all__ = ["holds_references", "secrets"]


def holds_references(manifest: Manifest) -> bool:
    """Say whether an object has values that are put in at delivery."""
    return any(isinstance(node.value, str) and REFERENCE.search(node.value) for node in manifest.node.walk())


def secrets(manifest: Manifest) -> Iterator[Diagnostic]:
    """A reference stands under `stringData` of a Secret, where only those look who may."""
    good = set()
    if (manifest.group, manifest.kind) == ("", "Secret"):
        good = {id(node) for node in manifest.node.fields("stringData").values()}
    for node in manifest.node.walk():
        if isinstance(node.value, str) and REFERENCE.search(node.value) and id(node) not in good:
            yield node.problem("PRA141", f"{manifest.title} would show a secret to everybody who may see the object")
