"""Machine types as virtual machines: the same packages and files, and what it takes to boot from a disk of their own.

Definitions and release pins name the image of a type by its key: `webserver` for containers, `webserver/vm` for VMs.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from generator.catalogue.model import Image, MachineType

SUFFIX = "/vm"
# The kernel and its modules alone take half a GiB; what students install comes on top.
LEAST_DISK = 3 * 2**30


def image_key(type_name: str, kind: str) -> str:
    """Return the key of a type's image for a machine of `kind` (container or vm)."""
    return type_name + SUFFIX if kind == "vm" else type_name


def find_type(catalogue: Mapping[str, MachineType], key: str) -> MachineType | None:
    """Return the type whose image `key` names, with that image; None when the catalogue has no such type."""
    found = catalogue.get(key.removesuffix(SUFFIX))
    return as_virtual_machine(found) if found and key.endswith(SUFFIX) else found


def as_virtual_machine(type: MachineType) -> MachineType:
    """Return a type with the image that its virtual machines are made from."""
    return replace(type, image=bootable(type.image))


def bootable(image: Image) -> Image:
    """Return an image with kernel, boot loader and the service that starts LXD's agent."""
    added = _additions()
    packages = tuple(package for package in added["packages"] if package not in image.packages)
    return replace(
        image,
        packages=image.packages + packages,
        files=MappingProxyType({**image.files, **added["files"]}),
        scripts=image.scripts + tuple(added["scripts"]),
        vm=True,
    )


@cache
def _additions() -> Mapping[str, Any]:
    text = (files("generator.catalogue") / "virtual_machine.yaml").read_text("utf-8")
    return MappingProxyType(yaml.safe_load(text))
