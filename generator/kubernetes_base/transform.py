"""What a kustomization changes in all objects: images, numbers of pods, prefixes and suffixes of names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.kustomization import Kustomization
from generator.kubernetes_base.manifest import CONTAINERS, Manifest, facts
from generator.kubernetes_base.node import Node, Place
from generator.spec.document import Path
from generator.spec.words import did_you_mean, nearest

__all__ = ["image_parts", "transformed"]


def image_parts(image: str) -> tuple[str, str, str]:
    """Return name, tag and digest of an image; the last two are empty when absent."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return f"{head}{slash}{base}", tag, digest


def transformed(objects: Sequence[Manifest], origin: Kustomization) -> tuple[list[Manifest], list[Diagnostic]]:
    """Return the objects with images, replicas and names as the kustomization wants them."""
    changed, problems = list(objects), []
    for path, entry in origin.items("images"):
        if entry.get("name"):
            changed, hits = _with_image(changed, origin, entry, path)
            problems += [] if hits else [_unused(origin, objects, entry["name"], path)]
    for path, entry in origin.items("replicas"):
        if entry.get("name") and entry.get("count") is not None:
            changed, problem = _with_count(changed, origin, entry, path)
            problems += problem
    return [_renamed(manifest, origin) for manifest in changed], problems


def _images(manifest: Manifest) -> Iterator[tuple[Path, Node]]:
    """Yield every image of an object with its path."""
    for key in CONTAINERS:
        for index, container in enumerate(manifest.pod.items(key) if manifest.pod else ()):
            image = container.find("image")
            if image is not None and isinstance(image.value, str):
                yield (*(manifest.pod_path or ()), key, index, "image"), image


def _with_image(
    objects: Iterable[Manifest], origin: Kustomization, entry: Mapping[str, Any], path: Path
) -> tuple[list[Manifest], int]:
    changed, hits = [], 0
    for manifest in objects:
        node = manifest.node
        for where, image in _images(manifest):
            name, tag, digest = image_parts(image.value)
            if name == entry["name"]:
                hits += 1
                node = node.with_field(where, _image(image, tag, digest, origin, entry, path))
        changed.append(Manifest(node))
    return changed, hits


def _image(image: Node, tag: str, digest: str, origin: Kustomization, entry: Mapping[str, Any], path: Path) -> Node:
    name = entry.get("newName") or entry["name"]
    if entry.get("newTag") or entry.get("digest"):
        tag, digest = entry.get("newTag") or "", entry.get("digest") or ""
    tag += (entry.get("tagSuffix") or "") if tag else ""
    text = name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    key = next((key for key in ("newTag", "digest", "newName") if entry.get(key)), None)
    place = _place(origin, (*path, key)) if key else image.place
    return Node(text, place)


def _place(origin: Kustomization, path: Path) -> Place:
    document = origin.document
    return Place(document.file, path, document.key(path), document.value(path))


def _unused(origin: Kustomization, objects: Sequence[Manifest], name: str, path: Path) -> Diagnostic:
    known = {image_parts(image.value)[0] for manifest in objects for _path, image in _images(manifest)}
    message = f"no container of the base has the image '{name}'{did_you_mean(nearest(name, known))}"
    hint = "Write the name as the manifests do, without its tag."
    return origin.problem("PRA105", message, (*path, "name"), hint=hint)


def _with_count(
    objects: list[Manifest], origin: Kustomization, entry: Mapping[str, Any], path: Path
) -> tuple[list[Manifest], list[Diagnostic]]:
    kinds = [kind for kind, key in facts("kinds")["counts"].items() if key == "replicas"]
    names = [manifest.name for manifest in objects if manifest.kind in kinds]
    if entry["name"] not in names:
        message = f"no object with replicas is called '{entry['name']}'{did_you_mean(nearest(entry['name'], names))}"
        hint = "replicas change Deployments, StatefulSets and ReplicaSets."
        return objects, [origin.problem("PRA105", message, (*path, "name"), hint=hint)]
    count = Node(entry["count"], _place(origin, (*path, "count")))
    hit = [manifest.kind in kinds and manifest.name == entry["name"] for manifest in objects]
    changed = [manifest.node.with_field(("spec", "replicas"), count) for manifest in objects]
    return [Manifest(new) if yes else old for yes, new, old in zip(hit, changed, objects, strict=True)], []


def _renamed(manifest: Manifest, origin: Kustomization) -> Manifest:
    name = f"{origin.data.get('namePrefix') or ''}{manifest.name}{origin.data.get('nameSuffix') or ''}"
    old = manifest.node.find("metadata", "name")
    if old is None or name == manifest.name:
        return manifest
    return Manifest(manifest.node.with_field(("metadata", "name"), Node(name, old.place)))
