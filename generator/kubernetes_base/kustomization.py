"""One kustomization.yaml: found, held against its schema, and its keys judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import facts
from generator.spec.document import Document, Path
from generator.spec.load_document import load_document
from generator.spec.sources import Sources

__all__ = ["NAMES", "Kustomization", "file_in", "load_kustomization"]

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True)
class Kustomization:
    """A kustomization of `folder`. `data` has None in place of values whose problem is told already."""

    folder: str
    document: Document
    data: Mapping[str, Any]
    source: bytes

    @property
    def component(self) -> bool:
        """Say whether it is a part that changes the objects of whoever includes it."""
        return self.data.get("kind") == "Component"

    def items(self, *path: str | int) -> Iterator[tuple[Path, Any]]:
        """Yield the good entries of a list, each with its path."""
        value: Any = self.data
        for step in path:
            value = value.get(step) if isinstance(value, dict) else value[step]
        for index, item in enumerate(value or ()):
            if item is not None:
                yield (*path, index), item

    def problem(self, code: str, message: str, path: Path, *, on_key: bool = False, hint: str = "") -> Diagnostic:
        """Return a diagnostic at a place of the file."""
        return self.document.problem(code, message, path, on_key=on_key, hint=hint)


def file_in(sources: Sources, folder: str) -> str | None:
    """Return the path of a folder's kustomization; None when it has none."""
    return next((path for name in NAMES if sources.status(path := f"{folder}/{name}") == "file"), None)


def load_kustomization(sources: Sources, folder: str) -> tuple[Kustomization | None, tuple[Diagnostic, ...]]:
    """Read the kustomization of a folder that has one; None when nothing can be built from it."""
    file = file_in(sources, folder) or f"{folder}/{NAMES[0]}"
    source = sources.read(file)
    loaded = load_document(source, file, "kustomization")
    if loaded.document is None or loaded.schema is None or not isinstance(loaded.schema.data, dict):
        empty = all(problem.code == "PRA006" for problem in loaded.diagnostics)
        return None, (_empty(Document(file, None)),) if empty else loaded.diagnostics
    found = Kustomization(folder, loaded.document, loaded.schema.data, source)
    return found, (*loaded.diagnostics, *_several(sources, folder, file), *_keys(found))


def _several(sources: Sources, folder: str, file: str) -> Iterator[Diagnostic]:
    others = [f"{folder}/{name}" for name in NAMES if sources.status(f"{folder}/{name}") == "file"]
    for other in others[1:]:
        message = f"the folder has {file.rpartition('/')[2]} too, and Kustomize reads only one"
        yield Diagnostic("PRA114", message, other, hint="Join the two files.")


def _keys(found: Kustomization) -> Iterator[Diagnostic]:
    rules = facts("keys")
    for key in found.data:
        if key in rules["refused"]:
            rule = rules["refused"][key]
            yield found.problem(rule["code"], rule["message"], (key,), on_key=True, hint=rule["hint"])
        elif key in rules["deprecated"]:
            message, hint = f"'{key}' is an old form, which Kustomize will drop", rules["deprecated"][key]
            yield found.document.problem("PRA111", message, (key,), on_key=True, hint=hint, severity="warning")
    if not any(value for key, value in found.document.data.items() if key not in ("apiVersion", "kind", "metadata")):
        yield _empty(found.document)


def _empty(document: Document) -> Diagnostic:
    return document.problem("PRA107", "this kustomization names nothing to deploy", (), on_key=True)
