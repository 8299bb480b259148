"""A machine type of the catalogue, with what its image is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Image:
    """How a type's image is built. `packages` are Debian packages; `scripts` run as root in the image, in order.

    `built` is False for types that are described but whose image Practicum cannot build yet; `vm` says
    that the image is a disk that boots, not a folder of files.
    """

    suite: str
    packages: tuple[str, ...]
    files: Mapping[str, str]
    scripts: tuple[str, ...]
    built: bool = True
    vm: bool = False


@dataclass(frozen=True)
class MachineType:
    """A catalogue entry. `memory` and `disk` are bytes; `keep` are paths that a delivery carries over.

    `checks` are spec-shaped default checks without a machine name.
    """

    name: str
    title: str
    description: str
    cpu: int
    memory: int
    disk: int
    ports: tuple[int, ...]
    keep: tuple[str, ...]
    checks: tuple[Mapping[str, Any], ...]
    image: Image
    home: bool = True
    graphical: bool = False
    hidden: bool = False
