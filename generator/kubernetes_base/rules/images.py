"""Images have a tag, so that every student gets the same, and come from where the operator allows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.node import Node
from generator.kubernetes_base.transform import image_parts

__all__ = ["ImageList", "allowed", "image_list", "tagged"]

_IMAGE = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?/)?[a-z0-9][a-z0-9._/-]{0,254}"
    r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@[a-z0-9]{1,20}:[a-f0-9]{32,128})?"
)
_DEFAULT_REGISTRY = "docker.io"


@dataclass(frozen=True)
class ImageList:
    """Where an environment's images come from: its registry, and images that nodes have already."""

    file: str
    registry: str
    preloaded: frozenset[str]

    def holds(self, image: str) -> bool:
        """Say whether pods may use an image."""
        inside = bool(self.registry) and full_name(image).startswith(f"{self.registry}/")
        return inside or full_name(image) in self.preloaded


def image_list(file: str, settings: Mapping[str, Any]) -> ImageList | None:
    """Return the list of a platform file's `images`; None when it does not limit them."""
    registry, preloaded = (settings.get("registry") or "").rstrip("/"), settings.get("preloaded") or ()
    return ImageList(file, registry, frozenset(map(full_name, preloaded))) if registry or preloaded else None


def full_name(image: str) -> str:
    """Return an image with the registry and project that a short name means: `nginx:1.27` is `docker.io/library/…`."""
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        short = rest if first == _DEFAULT_REGISTRY else ""
        return f"{_DEFAULT_REGISTRY}/library/{rest}" if short and "/" not in short else image
    return f"{_DEFAULT_REGISTRY}/{image}" if slash else f"{_DEFAULT_REGISTRY}/library/{image}"


def _images(manifest: Manifest) -> Iterator[tuple[str, Node]]:
    for container in manifest.containers():
        node = container.find("image")
        if node is not None and isinstance(node.value, str):
            yield node.value, node


def tagged(manifest: Manifest) -> Iterator[Diagnostic]:
    """An image has a tag or digest, and the tag is not `latest`."""
    for image, node in _images(manifest):
        name, tag, digest = image_parts(image)
        if not _IMAGE.fullmatch(image):
            yield node.problem("PRA132", f"'{image[:80]}' is not the name of an image", hint="For example nginx:1.27.")
        elif not tag and not digest:
            yield node.problem("PRA132", f"the image '{image}' has no tag")
        elif tag == "latest" and not digest:
            yield node.problem("PRA132", f"the image '{name}' with the tag 'latest' is another one every week")


def allowed(manifest: Manifest, lists: list[ImageList]) -> Iterator[Diagnostic]:
    """An image is on the list of every environment that has one."""
    for image, node in _images(manifest):
        for known in lists:
            if _IMAGE.fullmatch(image) and not known.holds(image):
                hint = f"{known.file} allows {_words(known)}; ask the operator to add the image."
                yield node.problem("PRA133", f"the image '{image}' is not on the list of {known.file}", hint=hint)
                break


def _words(known: ImageList) -> str:
    names = sorted(name.removeprefix(f"{_DEFAULT_REGISTRY}/").removeprefix("library/") for name in known.preloaded)
    registry = [f"everything of {known.registry}/"] if known.registry else []
    return ", ".join([*registry, *names[:8], *(["…"] if len(names) > 8 else [])])
