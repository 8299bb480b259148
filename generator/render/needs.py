"""What a lab asks for that this version of Practicum cannot do yet: said before any effect, never ignored."""

from collections.abc import Iterator
from dataclasses import dataclass

from generator.catalogue.virtual_machine import LEAST_DISK
from generator.render.networks import PODS, SERVICES
from generator.spec.model import Lab, Machine
from generator.spec.platform import Platform
from generator.spec.units import format_size


@dataclass(frozen=True)
class Need:
    """A key of the spec and what is missing for it."""

    key: str
    missing: str


def needs(lab: Lab, platform: Platform) -> list[Need]:
    """Return what is missing for a lab on a platform."""
    found = [need for machine in lab.machines for need in _of_machine(machine)]
    found += [
        Need(f"volumes.{volume.name}.storage", f"'{volume.storage}' is a folder of the host, and LXD is on another one")
        for volume in lab.volumes
        if platform.url and platform.storage[volume.storage].startswith("/")
    ]
    of_both = (of(lab, platform) for of in (_of_platform, _of_cluster, _of_virtual_machines))
    return [*found, *_of_lab(lab), *(need for listed in of_both for need in listed)]


def _of_machine(machine: Machine) -> Iterator[Need]:
    place = f"machines.{machine.name}"
    if machine.kind == "vm" and machine.disk < LEAST_DISK:
        yield Need(f"{place}.disk", f"a virtual machine has a kernel of its own: at least {format_size(LEAST_DISK)}")
    if not machine.type.image.built:
        yield Need(f"{place}.type", f"the image of the type '{machine.type.name}' is not built yet")


def _of_lab(lab: Lab) -> Iterator[Need]:
    if lab.kubernetes is not None and lab.kubernetes.cluster == "seat":
        missing = "a cluster for each student is not built yet; use 'lab', one for all of them"
        yield Need("kubernetes.cluster", missing)


def _of_platform(lab: Lab, platform: Platform) -> Iterator[Need]:
    place = f"environments/{platform.environment}/platform.yaml"
    if platform.delivery == "argocd" and lab.kubernetes is not None and platform.repository_url is None:
        yield Need(f"{place}: git.remote", "Argo CD needs a URL from which it can read the repository")


def _of_cluster(lab: Lab, platform: Platform) -> Iterator[Need]:
    """What a lab's own cluster needs of the platform."""
    if lab.own_cluster is None:
        return
    place = f"environments/{platform.environment}/platform.yaml"
    if platform.k3s is None:
        missing = "a lab's own cluster runs the k3s that the operator provides; or use 'cluster: existing:NAME'"
        yield Need(f"{place}: kubernetes.k3s", missing)
    for inner in (PODS, SERVICES):
        if platform.addresses.overlaps(inner):
            yield Need(f"{place}: addresses", f"{inner} is what pods and services have inside a lab's own cluster")


def _of_virtual_machines(lab: Lab, platform: Platform) -> Iterator[Need]:
    """Whether the host runs VMs is seen when the lab is provisioned; here stands what no host can do."""
    kinds = {machine.name: machine.kind for machine in lab.machines}
    if platform.vms == "kubevirt" and "vm" in kinds.values():
        place = f"environments/{platform.environment}/platform.yaml: vms"
        yield Need(place, "machines in KubeVirt are not deployed yet; use 'lxd'")
    for volume in lab.volumes:
        if len({kinds[name] for name in volume.machines}) > 1:
            # LXD shifts the owners of files for containers, and a virtual machine sees them unshifted.
            missing = "containers and virtual machines cannot share a volume; list machines of one kind"
            yield Need(f"volumes.{volume.name}.machines", missing)
