"""Whether the nodes of a cluster work: Ready, and with DNS for pods."""

from collections.abc import Iterable, Mapping
from typing import Any

from practicum.kubernetes.client import Cluster
from practicum.kubernetes.explain import explain
from practicum.kubernetes.ready import health

__all__ = ["dns_problem", "missing_nodes"]

_SYSTEM = "kube-system"
# The label that DNS has in every cluster, whatever serves it.
_DNS = "k8s-app=kube-dns"


def missing_nodes(cluster: Cluster, wanted: Iterable[str]) -> list[str]:
    """Return which of the named nodes are not Ready. Raises TryAgainError while the API does not answer."""
    ready = {node["metadata"]["name"] for node in cluster.listed("v1", "Node") if _is_ready(node)}
    return [name for name in wanted if name not in ready]


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def dns_problem(cluster: Cluster) -> str:
    """Return in words why pods cannot look up names; empty when they can."""
    found = cluster.listed("apps/v1", "Deployment", namespace=_SYSTEM, label=_DNS)
    if not found:
        return f"nothing in {_SYSTEM} serves DNS"
    states = [health(deployment) for deployment in found]
    if any(state.state == "ready" for state in states):
        return ""
    return "; ".join([states[0].why, *explain(cluster, _SYSTEM)[:2]])
