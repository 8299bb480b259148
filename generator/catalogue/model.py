"""A machine type of the catalogue, with what its image is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Artefact:
    """A file that the operator provides: where it is on this host, and its SHA-256 in hexadecimal digits."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Image:
    """How a type's image is built. `packages` are Debian packages; `scripts` run as root in the image, in order.

    `built` is False for types that are described but whose image Practicum cannot build; `vm` says that the image is a
    disk that boots, not a folder of files. `artefacts` are put in, executable, at the paths they are named by.
    """

    suite: str
    packages: tuple[str, ...]
    files: Mapping[str, str]
    scripts: tuple[str, ...]
    built: bool = True
    vm: bool = False
    artefacts: Mapping[str, Artefact] = field(default_factory=lambda: MappingProxyType({}))


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
