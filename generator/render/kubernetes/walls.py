"""The walls of a student's namespace: objects that the generator owns and no base can weaken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from math import floor
from typing import Any

import yaml

from generator.kubernetes_base.manifest import DEFAULT_ACCOUNT, OWN_PREFIX, Manifest
from generator.kubernetes_base.quantity import parse_quantity
from generator.render.definitions import Target
from generator.seats.names import SHARED
from generator.spec.model import Kubernetes

__all__ = ["ACCOUNT", "LABEL", "LEVEL", "MARKER", "WALLS", "labels", "walls"]

Document = dict[str, Any]
LEVEL = "restricted"
WALLS = f"{OWN_PREFIX}walls"
ACCOUNT = f"{OWN_PREFIX}student"
LABEL = "practicum/scope"
MARKER = "practicum/marker"
_RBAC = "rbac.authorization.k8s.io"
_MEBIBYTE = 2**20
# What leaves git must not take a student's work along: Argo CD asks before it removes a namespace.
_ASK_FIRST = {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}


@lru_cache
def _data() -> Mapping[str, Any]:
    text = (resources.files("generator.render.kubernetes") / "walls.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def labels(target: Target) -> dict[str, str]:
    """Return what all objects of a lab in an environment carry; what is pruned is found by this."""
    return {LABEL: target.scope.project}


def walls(target: Target, kubernetes: Kubernetes, base: Sequence[Manifest]) -> list[Document]:
    """Return the objects of every student's namespace; `base` are the professor's, which count too."""
    return [
        _namespace(target),
        _quota(kubernetes.quota, base),
        _limits(kubernetes.quota, base),
        _policy(),
        _account(DEFAULT_ACCOUNT),
        _account(ACCOUNT),
        _object(f"{_RBAC}/v1", "Role", ACCOUNT, rules=_data()["role"]),
        _object(
            f"{_RBAC}/v1",
            "RoleBinding",
            ACCOUNT,
            roleRef={"apiGroup": _RBAC, "kind": "Role", "name": ACCOUNT},
            subjects=[{"kind": "ServiceAccount", "name": ACCOUNT}],
        ),
    ]


def _object(api_version: str, kind: str, name: str, **content: Any) -> Document:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **content}


def _namespace(target: Target) -> Document:
    """Return the namespace. Its name is a stand-in: each overlay gives it the student's."""
    version = f"v{target.platform.kubernetes_version}"
    modes = {f"pod-security.kubernetes.io/{mode}": LEVEL for mode in ("enforce", "audit", "warn")}
    pinned = {
        key: value for mode, level in modes.items() for key, value in ((mode, level), (f"{mode}-version", version))
    }
    document = _object("v1", "Namespace", WALLS)
    names = {"practicum/course": target.lab.course, "practicum/lab": target.lab.name}
    document["metadata"] |= {
        "labels": {**pinned, **names},
        "annotations": {**_ASK_FIRST, MARKER: target.scope.marker(SHARED)},
    }
    return document


def _quota(quota: Mapping[str, Any], base: Sequence[Manifest]) -> Document:
    """Return the quota. It counts what pods ask for; how far they may go beyond is the limit range's."""
    data, brought = _data(), Counter(_count_key(manifest) for manifest in base)
    counts = {key: number + brought[key] for key, number in data["counts"].items()}
    amounts = {
        "requests.cpu": _cpu(quota["cpu"]),
        "requests.memory": _bytes(quota["memory"]),
        "requests.storage": _bytes(quota["storage"]),
        "pods": quota["pods"],
    }
    hard = {key: str(value) for key, value in {**amounts, **counts, **data["nothing_of_nodes"]}.items()}
    return _object("v1", "ResourceQuota", WALLS, spec={"hard": hard})


def _count_key(manifest: Manifest) -> str:
    """Return how a quota counts a kind (kubernetes.io/docs/concepts/policy/resource-quotas)."""
    plural = f"{manifest.kind.lower()}{'es' if manifest.kind.endswith('s') else 's'}"
    return f"count/{plural}.{manifest.group}".rstrip(".")


def _limits(quota: Mapping[str, Any], base: Sequence[Manifest]) -> Document:
    """Return what a container gets that says nothing, and the most: the quota refuses pods that ask for nothing."""
    whole = {"cpu": _cpu(quota["cpu"]), "memory": _bytes(quota["memory"])}
    share = {
        "cpu": f"{max(1, floor(quota['cpu'] * 1000 / quota['pods']))}m",
        "memory": f"{max(1, quota['memory'] // quota['pods'] // _MEBIBYTE)}Mi",
    }
    most = {name: _largest(base, name, amount) for name, amount in whole.items()}
    container = {"type": "Container", "max": most, "default": whole, "defaultRequest": share}
    claim = {"type": "PersistentVolumeClaim", "max": {"storage": _bytes(quota["storage"])}}
    return _object("v1", "LimitRange", WALLS, spec={"limits": [container, claim]})


def _largest(base: Sequence[Manifest], name: str, amount: str) -> str:
    """Return the most that a container may use: the whole quota, or what a container of the base may use beyond."""
    limits = [
        node for manifest in base for one in manifest.containers() if (node := one.find("resources", "limits", name))
    ]
    return max([amount, *(str(node.value) for node in limits)], key=parse_quantity)


def _policy() -> Document:
    """Return the one policy: it holds for all pods both ways, so what it does not name is denied."""
    own: Document = {"podSelector": {}}
    names = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [own]}],
        "egress": [{"to": [own]}, {"to": [names], "ports": dns}],
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", WALLS, spec=spec)


def _account(name: str) -> Document:
    return _object("v1", "ServiceAccount", name, automountServiceAccountToken=False)


def _cpu(cores: float) -> str:
    return f"{round(cores * 1000)}m"


def _bytes(size: int) -> str:
    return f"{size // _MEBIBYTE}Mi" if size % _MEBIBYTE == 0 else str(size)
