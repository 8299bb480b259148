"""The patches of a kustomization: read, matched with the objects that they change, and applied."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.files import Files
from generator.kubernetes_base.json_patch import apply_operations
from generator.kubernetes_base.kustomization import Kustomization
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.merge import BadPatch, merged
from generator.kubernetes_base.node import Node, Place
from generator.kubernetes_base.texts import ReadTexts, read_file, read_inline
from generator.spec.document import Path
from generator.spec.words import did_you_mean, nearest

__all__ = ["Patch", "apply_patches", "read_patches"]

_PLAIN = re.compile(r"\^?(?:[A-Za-z0-9.*_|-]|\.\*)*\$?")
_EXAMPLE = "For example target: {kind: Deployment, name: app}."


@dataclass(frozen=True)
class Patch:
    """One patch. `target` is what the kustomization says about whom it changes; `place` is where it is named."""

    node: Node
    target: Mapping[str, Any] | None
    path: Path
    origin: Kustomization

    @property
    def by_operations(self) -> bool:
        """Say whether it is a JSON patch; else it is merged."""
        return isinstance(self.node.value, tuple)


def read_patches(files: Files, origin: Kustomization) -> tuple[list[Patch], list[Diagnostic]]:
    """Return the patches of a kustomization in the order in which they are applied, with what is wrong in them."""
    patches: list[Patch] = []
    problems: list[Diagnostic] = []
    for path, name in origin.items("patchesStrategicMerge"):
        read = _inline(origin, name, path) if "\n" in name else _file(files, origin, name, path)
        problems += read.problems
        patches += [Patch(node, None, path, origin) for node in read.nodes]
    for key in ("patches", "patchesJson6902"):
        for path, entry in origin.items(key):
            found = list(_entry(files, origin, entry, path))
            patches += [item for item in found if isinstance(item, Patch)]
            problems += [item for item in found if isinstance(item, Diagnostic)]
    judged = [(patch, _misshaped(patch)) for patch in patches]
    problems += [problem for _patch, problem in judged if problem]
    return [patch for patch, problem in judged if not problem], problems


def _entry(files: Files, origin: Kustomization, entry: Mapping[str, Any], path: Path) -> Iterator[Patch | Diagnostic]:
    named = [key for key in ("path", "patch") if key in entry]
    if len(named) != 1:
        words = "both `path` and `patch`" if named else "neither `path` nor `patch`"
        yield origin.problem("PRA106", f"this patch has {words}", path, hint="A patch is a file or a text.")
    elif entry[named[0]] is not None and ("target" not in entry or entry["target"] is not None):
        where = (*path, named[0])
        read = (
            _file(files, origin, entry["path"], where) if named == ["path"] else _inline(origin, entry["patch"], where)
        )
        yield from read.problems
        if not read.nodes and not read.problems:
            yield origin.problem("PRA106", "this patch is empty", where)
        for node in read.nodes:
            yield Patch(node, entry.get("target"), path, origin)


def _file(files: Files, origin: Kustomization, name: str, path: Path) -> ReadTexts:
    place = files.find_file(origin, name, path)
    if isinstance(place, Diagnostic):
        return ReadTexts((), (place,))
    return read_file(files.sources.read(place), place, files.values)


def _inline(origin: Kustomization, text: str, path: Path) -> ReadTexts:
    file, document = origin.document.file, origin.document
    return read_inline(text, Place(file, path, document.key(path), document.value(path)), origin.source)


def _misshaped(patch: Patch) -> Diagnostic | None:
    """Return what keeps a patch from being applied to anything."""
    if patch.by_operations:
        odd: Node | None = next((item for item in patch.node.value if not isinstance(item.value, dict)), None)
        if odd is not None:
            return odd.problem(
                "PRA106", "an operation is a group of keys", hint="For example {op: remove, path: /spec/replicas}."
            )
        if not patch.target:
            message = "a JSON patch does not say what it changes, so it needs `target`"
            return patch.origin.problem("PRA106", message, patch.path, hint=_EXAMPLE)
        return None
    if not isinstance(patch.node.value, dict):
        return patch.node.problem("PRA106", "a patch is a part of an object, or a list of operations")
    if patch.target or all((patch.node.text("kind"), patch.node.text("metadata", "name"))):
        return None
    message = "this patch says neither by `target` nor by kind and metadata.name what it changes"
    return patch.node.problem("PRA106", message, on_key=True, hint=_EXAMPLE)


def apply_patches(objects: Sequence[Manifest], patches: Sequence[Patch]) -> tuple[list[Manifest], list[Diagnostic]]:
    """Return the objects after all patches; one that fails is told and left out."""
    current, problems = list(objects), []
    for patch in patches:
        try:
            current = _applied(current, patch)
        except BadPatch as error:
            problems.append(error.diagnostic)
    return current, problems


def _applied(objects: list[Manifest], patch: Patch) -> list[Manifest]:
    chosen = [_chosen(manifest, patch) for manifest in objects]
    if not any(chosen):
        raise BadPatch(_nobody(objects, patch))
    changed: list[Manifest] = []
    for manifest, hit in zip(objects, chosen, strict=True):
        node: Node | None = manifest.node
        if hit:
            by = apply_operations if patch.by_operations else _merged
            node = by(manifest.node, patch.node)
        if node is not None:
            changed.append(Manifest(node))
    return changed


def _merged(base: Node, patch: Node) -> Node | None:
    """Merge a patch; what an object is called stays, as in Kustomize."""
    node = merged(base, patch)
    if node is None:
        return None
    for path in (("apiVersion",), ("kind",), ("metadata", "name")):
        node = node.with_field(path, base.find(*path) or base)
    return node


def _chosen(manifest: Manifest, patch: Patch) -> bool:
    target = patch.target
    if not target:
        node = patch.node
        group = node.text("apiVersion").rpartition("/")[0] if node.text("apiVersion") else manifest.group
        return manifest.identity == (group, node.text("kind"), node.text("metadata", "name"))
    version = manifest.api_version.rpartition("/")[2]
    parts = {"group": manifest.group, "version": version, "kind": manifest.kind, "name": manifest.name}
    if not all(_fits(part, target.get(key) or "", patch, key) for key, part in parts.items()):
        return False
    kept = {"labelSelector": "labels", "annotationSelector": "annotations"}
    return all(_selected(manifest, target[key], field, patch, key) for key, field in kept.items() if target.get(key))


def _fits(text: str, pattern: str, patch: Patch, key: str) -> bool:
    """Compare a name with the pattern of a target; regular expressions without end are not run."""
    if not _PLAIN.fullmatch(pattern):
        message = f"'{pattern}' is more than a name with `.*`"
        path, hint = (*patch.path, "target", key), "Write the name itself, or `.*` for any text."
        raise BadPatch(patch.origin.problem("PRA106", message, path, hint=hint))
    choices = pattern.removeprefix("^").removesuffix("$").split("|")
    return not pattern or any(fnmatchcase(text, choice.replace(".*", "*")) for choice in choices)


def _selected(manifest: Manifest, selector: str, field: str, patch: Patch, key: str) -> bool:
    have = manifest.node.fields("metadata", field)
    for part in selector.split(","):
        match = re.fullmatch(r"\s*([A-Za-z0-9./_-]+)\s*(?:(==?|!=)\s*([A-Za-z0-9._-]*)\s*)?", part)
        if match is None:
            message, path = f"'{part.strip()}' is no selector that is read here", (*patch.path, "target", key)
            raise BadPatch(patch.origin.problem("PRA106", message, path, hint="Write for example app=web."))
        value = have[match[1]].value if match[1] in have else None
        if (match[2] is None and value is None) or (match[2] and (value == match[3]) == (match[2] == "!=")):
            return False
    return True


def _nobody(objects: Sequence[Manifest], patch: Patch) -> Diagnostic:
    """Return the diagnostic of a patch that changes nothing, at what it is looking for."""
    if patch.target:
        wanted, kind = patch.target.get("name") or "", patch.target.get("kind") or ""
    else:
        wanted, kind = patch.node.text("metadata", "name"), patch.node.text("kind")
    alike = [manifest.name for manifest in objects if kind in ("", manifest.kind)]
    meant = did_you_mean(nearest(wanted, alike)) if wanted else ""
    hint = f"The base has {', '.join(sorted({manifest.title for manifest in objects})[:8]) or 'no objects'}."
    message = (
        f"no object of the base is {kind or 'one'} '{wanted}'{meant}"
        if wanted
        else f"no object of the base is {kind or 'meant by this target'}"
    )
    if patch.target:
        key = "name" if wanted else "kind" if kind else ""
        return patch.origin.problem("PRA105", message, (*patch.path, "target", *([key] if key else [])), hint=hint)
    return (patch.node.find("metadata", "name") or patch.node).problem("PRA105", message, hint=hint)
