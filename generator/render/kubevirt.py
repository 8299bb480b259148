"""KubeVirt `VirtualMachine` objects: machines of kind vm where the platform file says `vms: kubevirt`.

One function without effects; overlays do not contain its result yet, and `needs` says so. Field names:
https://kubevirt.io/api-reference/ (kubevirt.io/v1, VirtualMachineSpec).
"""

from collections.abc import Mapping
from typing import Any

from generator.seats.addresses import LabAddresses
from generator.seats.names import Scope
from generator.spec.model import Lab, Machine

Document = dict[str, Any]
API = "kubevirt.io/v1"


def virtual_machine(
    lab: Lab, scope: Scope, addresses: LabAddresses, seat: str, machine: Machine, disk: str, *, running: bool = True
) -> Document:
    """Return the manifest of a seat's virtual machine.

    `disk` is the container image whose disk a new machine starts from (`docker://registry/name@sha256:…`); the machine
    keeps a copy of its own, so that work survives a restart. Each network of the lab is a NetworkAttachmentDefinition
    of its name in the namespace, and the order of the interfaces is that of `connect`, so the first one is eth0.
    """
    labels = {"practicum/course": lab.course, "practicum/lab": lab.name, "practicum/seat": seat}
    return {
        "apiVersion": API,
        "kind": "VirtualMachine",
        "metadata": {
            "name": machine.name,
            "labels": {**labels, "practicum/machine": machine.name},
            "annotations": {"practicum/marker": scope.marker(seat)},
        },
        "spec": {
            "runStrategy": "Always" if running else "Halted",
            "dataVolumeTemplates": [_disk(machine, disk)],
            "template": {
                "metadata": {"labels": labels, "annotations": _places(lab, addresses, seat, machine)},
                "spec": _guest(machine),
            },
        },
    }


def _disk(machine: Machine, disk: str) -> Document:
    return {
        "metadata": {"name": _disk_name(machine)},
        "spec": {
            "source": {"registry": {"url": disk}},
            "storage": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": _bytes(machine.disk)}}},
        },
    }


def _guest(machine: Machine) -> Document:
    return {
        "hostname": machine.name,
        "domain": {
            "cpu": {"cores": machine.cpu},
            "memory": {"guest": _bytes(machine.memory)},
            # Our images' boot loader is not signed.
            "firmware": {"bootloader": {"efi": {"secureBoot": False}}},
            "features": {"acpi": {}},
            "devices": {
                "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                "interfaces": [{"name": name, "bridge": {}} for name in machine.connect],
                "rng": {},
            },
        },
        "networks": [{"name": name, "multus": {"networkName": name}} for name in machine.connect],
        "volumes": [{"name": "root", "dataVolume": {"name": _disk_name(machine)}}],
    }


def _places(lab: Lab, addresses: LabAddresses, seat: str, machine: Machine) -> Mapping[str, str]:
    """Return which address belongs to which interface, for whatever assigns them."""
    networks = addresses.networks(seat, lab.networks)
    found = {
        name: f"{addresses.address(networks[name], machine.name)}/{networks[name].prefixlen}"
        for name in machine.connect
    }
    return {f"practicum/address-{name}": address for name, address in found.items()}


def _disk_name(machine: Machine) -> str:
    return f"{machine.name}-root"


def _bytes(size: int) -> str:
    """Return a size in the words of Kubernetes: MiB are `Mi` there."""
    return f"{size // 2**20}Mi"
