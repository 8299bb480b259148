"""The nodes of a lab's own Kubernetes cluster: the reserved seat `cluster`, k3s on machines of LXD."""

import hashlib
from dataclasses import replace
from math import ceil
from typing import Any

from generator.catalogue.node_image import NODE
from generator.render import machine_config, networks
from generator.render.definitions import FORMAT, Document, Target
from generator.render.references import reference
from generator.render.yaml_text import dump
from generator.seats.addresses import FIRST_HOST, LabAddresses
from generator.seats.names import CLUSTER, instance
from generator.spec.model import Kubernetes, Lab, Machine
from generator.spec.platform import Platform
from generator.spec.rules.kubernetes import PODS_OF_A_NODE

__all__ = ["SERVER", "cluster_document", "node_count"]

SERVER = "server"
# What the system of a node and k3s take of its memory.
_OVERHEAD = 512 * 2**20
# Not needed where nothing comes in from outside the lab.
_WITHOUT = ["metrics-server", "servicelb", "traefik"]
# A container must not change the host's limits of connections; with these kube-proxy leaves them alone.
_PROXY = ["conntrack-max-per-core=0", "conntrack-tcp-timeout-established=0s", "conntrack-tcp-timeout-close-wait=0s"]
_CONFIG = "/etc/practicum/k3s.yaml"
_ROLE = "/etc/practicum/node.env"
_START = """\
#!/bin/sh
# of the configuration {digest}
systemctl -q enable k3s && systemctl --no-block restart k3s
"""


def node_count(kubernetes: Kubernetes, platform: Platform, copies: int) -> int:
    """Return how many nodes a lab's cluster has. `auto`: what the quotas of all copies need, overcommitted as machines.

    Pods are never overcommitted: no node takes more than kubelet's 110.
    """
    nodes, quota = kubernetes.nodes, kubernetes.quota
    if nodes["count"] != "auto":
        return int(nodes["count"])
    room = platform.capacity.overcommit
    memory = max(nodes["memory"] - _OVERHEAD, _OVERHEAD)
    shares: tuple[float, ...] = (
        quota["cpu"] / (nodes["cpu"] * room),
        quota["memory"] / (memory * room),
        quota["pods"] / PODS_OF_A_NODE,
    )
    return ceil(copies * max(shares))


def cluster_document(target: Target, kubernetes: Kubernetes, copies: int) -> Document:
    """Return cluster.yaml: the network, the access list and the nodes of a lab's own cluster, for so many copies."""
    names = [SERVER, *(f"agent{number}" for number in range(1, node_count(kubernetes, target.platform, copies)))]
    lab, addresses = _as_lab(target, kubernetes, names), _addresses(target, names)
    return {
        "format": FORMAT,
        "seat": CLUSTER,
        "power": "running",
        "addresses": machine_config.seat_addresses(lab, addresses, CLUSTER),
        "acls": [networks.cluster_acl(lab, target.scope, addresses)],
        "networks": networks.seat_networks(lab, target.scope, addresses, CLUSTER),
        "volumes": [],
        "instances": [_node(target, lab, addresses, machine) for machine in lab.machines],
    }


def _as_lab(target: Target, kubernetes: Kubernetes, names: list[str]) -> Lab:
    """Return the nodes as a lab of their own, for what renders any seat's machines."""
    nodes, type = kubernetes.nodes, target.catalogue[NODE]
    machines = [
        Machine(name, type, "container", ("nodes",), nodes["cpu"], nodes["memory"], nodes["disk"]) for name in names
    ]
    return replace(target.lab, machines=tuple(machines), networks=("nodes",), volumes=(), internet="none")


def _addresses(target: Target, names: list[str]) -> LabAddresses:
    return LabAddresses(target.addresses.blocks, {name: number for number, name in enumerate(names, FIRST_HOST)})


def _node(target: Target, lab: Lab, addresses: LabAddresses, machine: Machine) -> Document:
    return {
        "name": instance(CLUSTER, machine.name),
        "type": "container",
        "source": {"image": NODE},
        "profiles": [NODE],
        "config": machine_config.of_machine(lab, target.scope, addresses, CLUSTER, machine),
        "devices": machine_config.nics(lab, target.scope, addresses, CLUSTER, machine),
        "steps": _steps(target, lab, addresses, machine.name),
    }


def _steps(target: Target, lab: Lab, addresses: LabAddresses, name: str) -> list[Document]:
    """Return what makes a node of a machine: its role, its configuration, and a start with both.

    The server makes its certificates by itself; the token is a secret that both sides are told.
    """
    places = machine_config.seat_addresses(lab, addresses, CLUSTER)
    token = reference("secret", f"{target.platform.environment}-cluster-token")
    config: dict[str, Any] = {"token": token, "node-ip": places[name]}
    config |= {"flannel-iface": "eth0", "kube-proxy-arg": _PROXY}
    if name == SERVER:
        config |= {
            "cluster-cidr": str(networks.PODS),
            "service-cidr": str(networks.SERVICES),
            "flannel-backend": "host-gw",
            "disable": _WITHOUT,
            "disable-cloud-controller": True,
            "write-kubeconfig-mode": "0600",
        }
    else:
        config |= {"server": f"https://{places[SERVER]}:{networks.API_PORT}"}
    role, text = f"ROLE={'server' if name == SERVER else 'agent'}\n", dump(config)
    digest = hashlib.sha256((role + text).encode()).hexdigest()[:16]
    return [
        {"kind": "file", "to": _ROLE, "mode": "0644", "content": role},
        {"kind": "file", "to": _CONFIG, "mode": "0600", "content": text},
        {"kind": "setup", "name": "start Kubernetes", "content": _START.format(digest=digest)},
    ]
