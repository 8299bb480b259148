"""The image of Kubernetes nodes: the catalogue's, with what the operator of an environment provides put in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from types import MappingProxyType

from generator.catalogue.model import Artefact, MachineType
from generator.catalogue.virtual_machine import find_type
from generator.spec.platform import Platform

NODE = "kubernetes-node"
_BINARY = "/usr/local/bin/k3s"
# What k3s imports from here when it starts (docs.k3s.io/installation/airgap).
_IMAGES = "/var/lib/rancher/k3s/agent/images"


def type_on(catalogue: Mapping[str, MachineType], key: str, platform: Platform) -> MachineType | None:
    """Return the type whose image `key` names, as an environment makes it; None when the catalogue has no such type."""
    found = find_type(catalogue, key)
    if found is None or found.name != NODE or platform.k3s is None:
        return found
    artefacts = {_BINARY: platform.k3s, **{_place(one): one for one in platform.airgap_images}}
    return replace(found, image=replace(found.image, built=True, artefacts=MappingProxyType(artefacts)))


def _place(archive: Artefact) -> str:
    """Return where an archive goes. k3s tells archives by their suffixes, and two may have one name."""
    name = PurePosixPath(archive.path).name
    return f"{_IMAGES}/{archive.sha256[:8]}-{name}"
