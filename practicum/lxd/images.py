"""Images on an LXD server: found by recipe and installation, else imported from the cache, else built."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from requests_toolbelt import MultipartEncoder  # type: ignore[import-untyped]  # comes with pylxd

from generator.catalogue.model import MachineType
from generator.catalogue.recipe import recipe_digest
from practicum.errors import UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdError
from practicum.lxd.image_metadata import metadata_tarball
from practicum.lxd.rootfs import Report, build_rootfs, cached_rootfs
from practicum.lxd.vm_image import cached_disk

__all__ = ["build_rootfs", "ensure_image", "find_image", "image_properties", "import_image"]

PROJECT = "default"


def ensure_image(lxd: Lxd, type: MachineType, installation: str, mirror: str | None, report: Report) -> str:
    """Return the fingerprint of the installation's image of `type`, making the image when LXD has none.

    Raises UnavailableError for a type that Practicum cannot build, or when building needs what this host lacks.
    """
    properties = image_properties(type, installation)
    found = find_image(lxd, properties)
    if found:
        return found
    if not type.image.built:
        raise UnavailableError(
            f"Practicum cannot build an image of type '{type.name}' yet",
            resolution="use another type; 'practicum types' lists them and says which can be built",
        )
    report(f"preparing the image of type {_words(type)}")
    cached = cached_disk if type.image.vm else cached_rootfs
    system = cached(type.image, mirror, report)
    report("copying the image to LXD")
    return import_image(lxd, system, properties, vm=type.image.vm)


def image_properties(type: MachineType, installation: str) -> dict[str, str]:
    """Return the properties by which an installation's image of `type` is found again."""
    return {
        "description": f"Practicum {_words(type)}",
        "os": "Debian",
        "release": type.image.suite,
        "user.practicum": f"{installation}/-/-/-/-",
        "practicum.recipe": recipe_digest(type.image),
    }


def find_image(lxd: Lxd, properties: Mapping[str, str]) -> str | None:
    """Return the fingerprint of the image with this marker and recipe, if LXD has one."""
    keys = ("user.practicum", "practicum.recipe")
    images: list[dict[str, Any]] = lxd.get("images", project=PROJECT, recursion=1)
    wanted = [properties[key] for key in keys]
    matching = [image for image in images if [image["properties"].get(key) for key in keys] == wanted]
    return min((str(image["fingerprint"]) for image in matching), default=None)


def import_image(lxd: Lxd, rootfs: Path, properties: Mapping[str, str], *, vm: bool = False) -> str:
    """Give LXD a root file system, or the disk of a VM, with metadata made for it; return the fingerprint.

    LXD keeps nothing of an upload that breaks off, and the same content twice is one image. It tells the kinds of
    image apart by the name of the second part (lxd/images.go: getImgPostInfo).
    """
    metadata = metadata_tarball(properties, created=int(rootfs.stat().st_mtime), vm=vm)
    part = "rootfs.img" if vm else "rootfs"
    try:
        with rootfs.open("rb") as file:
            body = MultipartEncoder(
                {
                    "metadata": ("metadata.tar", metadata, "application/octet-stream"),
                    part: (rootfs.name, file, "application/octet-stream"),
                }
            )
            answer = lxd.upload("images", data=body, headers={"Content-Type": body.content_type}, project=PROJECT)
    except LxdConflict:
        return _imported_meanwhile(lxd, properties)
    return str(answer["fingerprint"])


def _imported_meanwhile(lxd: Lxd, properties: Mapping[str, str]) -> str:
    found = find_image(lxd, properties)
    if found is None:
        raise LxdError("LXD says that the image exists already, but lists none with these properties")
    return found


def _words(type: MachineType) -> str:
    return f"{type.name} (virtual machine)" if type.image.vm else type.name
