"""What a lab asks for that this version of Practicum cannot do yet: said before any effect, never ignored."""

from collections.abc import Iterator
from dataclasses import dataclass

from generator.spec.model import AllowedHost, Lab, Machine
from generator.spec.platform import Platform


@dataclass(frozen=True)
class Need:
    """A key of the spec and what is missing for it."""

    key: str
    missing: str


def needs(lab: Lab, platform: Platform) -> list[Need]:
    """Return what is missing for a lab on a platform."""
    found = [need for machine in lab.machines for need in _of_machine(machine)]
    found += [
        Need(
            f"volumes.{volume.name}.storage", f"the storage '{volume.storage}' is no LXD pool; others are not built yet"
        )
        for volume in lab.volumes
        if platform.storage.get(volume.storage, "/").startswith("/")
    ]
    return [*found, *_of_lab(lab), *_of_platform(platform)]


def _of_machine(machine: Machine) -> Iterator[Need]:
    place = f"machines.{machine.name}"
    if machine.kind == "vm":
        yield Need(f"{place}.kind", "virtual machines are not built yet; use 'container'")
    if machine.forward:
        yield Need(f"{place}.forward", "routers between networks are not built yet")
    if not machine.type.image.built:
        yield Need(f"{place}.type", f"the image of the type '{machine.type.name}' is not built yet")


def _of_lab(lab: Lab) -> Iterator[Need]:
    if lab.kubernetes is not None:
        yield Need("kubernetes", "Kubernetes clusters are not built yet")
    if lab.solution:
        yield Need("solution", "reference solutions are not run yet")
    if lab.schedule.ready_by or lab.schedule.due or lab.schedule.ends:
        yield Need("schedule", "schedules are not acted on yet")
    if not isinstance(lab.internet, str) and any(_by_name(entry) for entry in lab.internet):
        yield Need("network.internet", "hosts by name are not built yet; give a cidr")


def _of_platform(platform: Platform) -> Iterator[Need]:
    place = f"environments/{platform.environment}/platform.yaml"
    if "backup" in platform.settings:
        yield Need(f"{place}: backup", "backups are not made yet")
    if platform.settings.get("delivery") == "argocd":
        yield Need(f"{place}: delivery", "Argo CD is not built yet")
    if platform.url:
        yield Need(f"{place}: lxd.url", "LXD over the network is not built yet")


def _by_name(entry: AllowedHost) -> bool:
    return entry.cidr is None
