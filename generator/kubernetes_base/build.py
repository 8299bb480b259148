"""Builds a base the way `kustomize build` does: folders, generators, components and patches, as objects with places.

References to names that a prefix, suffix or content hash changes are not rewritten: rules look at one object at a time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.files import Files
from generator.kubernetes_base.generators import Generated, generated
from generator.kubernetes_base.kustomization import Kustomization, file_in, load_kustomization
from generator.kubernetes_base.manifest import Manifest, facts
from generator.kubernetes_base.node import Node
from generator.kubernetes_base.patches import apply_patches, read_patches
from generator.kubernetes_base.texts import read_file
from generator.kubernetes_base.transform import transformed
from generator.spec.document import Path
from generator.spec.sources import Sources
from generator.spec.words import shown

__all__ = ["Base", "build_base"]

_MOST_FOLDERS = 100
_MOST_OBJECTS = 1000
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_RIGHTS_NAME = re.compile(r"[^/%\s]{1,253}")


@dataclass(frozen=True)
class Base:
    """What a base comes to. `objects` are to be judged even when there are problems, as far as they could be read."""

    objects: tuple[Manifest, ...]
    problems: tuple[Diagnostic, ...]
    folders: tuple[str, ...]


def build_base(sources: Sources, course: str, folder: str, values: Mapping[str, Any]) -> Base:
    """Build the base in `folder`, which has a kustomization. `course` is `labs/COURSE`; nothing outside it is read.

    `values` are what templates see of a stand-in student.
    """
    building = _Building(Files(sources, course, values))
    objects = building.folder(folder, [])
    return Base(tuple(objects), tuple(building.problems), tuple(building.read))


@dataclass(frozen=True)
class _Inclusion:
    """The entry of a kustomization that names a folder: under `components`, or under `resources`."""

    origin: Kustomization
    path: Path
    component: bool


@dataclass
class _Building:
    files: Files
    problems: list[Diagnostic] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    count: int = 0

    def folder(self, folder: str, objects: list[Manifest], by: "_Inclusion | None" = None) -> list[Manifest]:
        """Return the given objects and those of a folder, after everything that its kustomization does."""
        self.read.append(folder)
        origin, problems = load_kustomization(self.files.sources, folder)
        self.problems += problems
        if origin is None or self.of_other_kind(origin, by):
            return objects
        self.open.append(folder)
        for key in ("resources", "bases"):
            for path, name in origin.items(key):
                objects = self.joined(objects, self.resource(origin, name, path, only_folders=key == "bases"))
        objects = self.with_generated(objects, origin)
        for path, name in origin.items("components"):
            objects = self.component(origin, name, path, objects)
        patches, wrong = read_patches(self.files, origin)
        objects, failed = apply_patches(objects, patches)
        objects, unused = transformed(objects, origin)
        found = [*wrong, *failed, *unused]
        # Where objects are missing already, what they would have been changed by is not wrong for that.
        lost = any(problem.severity == "error" for problem in self.problems)
        self.problems += [problem for problem in found if not (lost and problem.code == "PRA105")]
        self.replacements(origin)
        self.open.pop()
        return objects

    def resource(self, origin: Kustomization, name: str, path: Path, *, only_folders: bool) -> list[Manifest]:
        place = self.files.find(origin, name, path, folder=only_folders)
        if isinstance(place, Diagnostic):
            self.problems.append(place)
            return []
        if self.files.sources.status(place) == "folder":
            by = _Inclusion(origin, path, component=False)
            return self.folder(place, [], by) if self.may_open(place, by) else []
        read = read_file(self.files.sources.read(place), place, self.files.values)
        self.problems += read.problems
        if not read.nodes and not read.problems:
            self.problems.append(Diagnostic("PRA006", "this file is empty", place, hint=_EMPTY))
        found = [manifest for node in read.nodes for manifest in self.manifests(node)]
        return found if self.may_hold(origin, found, path) else []

    def component(self, origin: Kustomization, name: str, path: Path, objects: list[Manifest]) -> list[Manifest]:
        place = self.files.find(origin, name, path, folder=True)
        if isinstance(place, Diagnostic):
            self.problems.append(place)
            return objects
        by = _Inclusion(origin, path, component=True)
        return self.folder(place, objects, by) if self.may_open(place, by) else objects

    def of_other_kind(self, origin: Kustomization, by: "_Inclusion | None") -> bool:
        """Tell a component among resources, or the other way round."""
        if origin.component == (by is not None and by.component):
            return False
        wanted = "Component" if by and by.component else "Kustomization"
        message, hint = f"'{origin.folder}' is not of kind {wanted}", _KINDS_OF_FOLDERS
        place, path = (by.origin, by.path) if by else (origin, ("kind",))
        self.problems.append(place.problem("PRA114", message, path, hint=hint))
        return True

    def may_open(self, folder: str, by: "_Inclusion") -> bool:
        """Say whether a folder can be included; tell why not."""
        message, code = "", "PRA108"
        if folder in self.open:
            message = f"'{folder}' includes itself: {' → '.join([*self.open[self.open.index(folder) :], folder])}"
        elif len(self.read) >= _MOST_FOLDERS:
            message = f"more than {_MOST_FOLDERS} folders are included"
        elif file_in(self.files.sources, folder) is None:
            message, code = f"the folder '{folder}' has no kustomization.yaml", "PRA114"
        if message:
            self.problems.append(by.origin.problem(code, message, by.path))
        return not message

    def may_hold(self, origin: Kustomization, found: list[Manifest], path: Path) -> bool:
        self.count += len(found)
        if self.count > _MOST_OBJECTS:
            message = f"the base has more than {_MOST_OBJECTS} objects"
            self.problems.append(origin.problem("PRA108", message, path))
        return self.count <= _MOST_OBJECTS

    def manifests(self, node: Node) -> list[Manifest]:
        """Return the objects of a document, those inside a List too; tell what is none."""
        if node.text("kind").endswith("List") and "items" in node.fields():
            return [manifest for item in node.items("items") for manifest in self.manifests(item)]
        problem = _not_an_object(node)
        if problem:
            self.problems.append(problem)
        return [] if problem else [Manifest(node)]

    def joined(self, objects: list[Manifest], more: Iterable[Manifest]) -> list[Manifest]:
        """Return both lists as one; an object that is there already is told."""
        known, joined = {manifest.identity: manifest for manifest in objects}, list(objects)
        for manifest in more:
            first = known.setdefault(manifest.identity, manifest)
            if first is manifest:
                joined.append(manifest)
                continue
            other = (first.node.find("metadata", "name") or first.node).place
            message = f"there are two objects {manifest.title} (first in {other.file}, line {other.value.line})"
            name = manifest.node.find("metadata", "name") or manifest.node
            self.problems.append(name.problem("PRA104", message))
        return joined

    def with_generated(self, objects: list[Manifest], origin: Kustomization) -> list[Manifest]:
        for item in generated(self.files, origin):
            if isinstance(item, Diagnostic):
                self.problems.append(item)
            elif problem := _bad_name(item.manifest.node):
                self.problems.append(problem)
            elif item.behaviour == "create":
                objects = self.joined(objects, [item.manifest])
            else:
                self.problems += _missing_original(objects, item)
        return objects

    def replacements(self, origin: Kustomization) -> None:
        """Refuse replacements into fields that the rules judge: what they would write is not known before."""
        unreachable = facts("baseline")["unreachable"]
        for path, entry in origin.items("replacements"):
            if "path" in entry:
                hint = "Write the replacement itself here."
                self.problems.append(
                    origin.problem("PRA112", "replacements in other files are not read", path, hint=hint)
                )
            for text in _field_paths(entry):
                found = next((word for word in unreachable if word in re.split(r"[.\[\]=/]", text)), None)
                if found:
                    message = f"a replacement cannot write to '{found}'"
                    hint = "Write the value in the manifest, or with `patches`."
                    self.problems.append(origin.problem("PRA112", message, path, hint=hint))


_KINDS_OF_FOLDERS = "Kustomizations stand under `resources`, components (kind: Component) under `components`."
_EMPTY = "Write a manifest, or take the file out of the kustomization."


def _field_paths(entry: Mapping[str, Any]) -> list[str]:
    targets = entry.get("targets")
    paths = (
        [target.get("fieldPaths") for target in targets or () if isinstance(target, dict)]
        if isinstance(targets, list)
        else []
    )
    return [text for listed in paths if isinstance(listed, list) for text in listed if isinstance(text, str)]


def _not_an_object(node: Node) -> Diagnostic | None:
    if not isinstance(node.value, dict):
        return node.problem("PRA103", f"this is {shown(node.plain())}, not a Kubernetes object")
    if not node.value.get("apiVersion") and not node.value.get("kind"):
        return node.problem(
            "PRA103", "this is not a Kubernetes object: it has neither apiVersion nor kind", on_key=True
        )
    for key in (("apiVersion",), ("kind",), ("metadata", "name")):
        found = node.find(*key)
        if found is None:
            kind = node.text("kind")
            message = f"this {kind or 'object'} has no '{'.'.join(key)}'"
            return (node.find(*key[:-1]) or node).problem("PRA103", message, on_key=True)
        if not isinstance(found.value, str):
            return found.problem("PRA103", f"'{'.'.join(key)}' must be text, not {shown(found.plain())}")
    return _bad_name(node)


def _bad_name(node: Node) -> Diagnostic | None:
    name = node.fields("metadata")["name"]
    form = _RIGHTS_NAME if node.text("apiVersion").startswith("rbac.") else _NAME
    if form.fullmatch(name.value):
        return None
    message = f"{shown(name.value)} is not the name of an object"
    return name.problem("PRA103", message, hint="Lower-case letters, digits and hyphens, at most 253.")


def _missing_original(objects: list[Manifest], item: Generated) -> list[Diagnostic]:
    if any(manifest.identity == item.manifest.identity for manifest in objects):
        return []
    name = item.manifest.node.fields("metadata")["name"]
    message = f"there is no {item.manifest.title} to {item.behaviour}"
    return [name.problem("PRA105", message, hint="Without `behavior` a new one is made.")]
