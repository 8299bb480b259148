"""Whether an object does what it is for, told from its status: rules a kind, as kubectl and Argo CD have them.

Sources: kubernetes.io/docs/concepts/workloads/controllers/deployment ("Deployment status"), sigs.k8s.io/cli-utils
(pkg/kstatus), argoproj/gitops-engine (pkg/health).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["WORKLOADS", "Health", "health"]

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Health:
    """`waiting` may still become ready; `failed` will not without somebody's help. `why` is for people."""

    state: Literal["ready", "waiting", "failed"]
    why: str = ""


_READY = Health("ready")


def health(document: Document) -> Health:
    """Return how an object is; one without a rule is ready as soon as it exists."""
    rule = _RULES.get(document["kind"])
    if rule is None:
        return _READY
    status = document.get("status") or {}
    seen = status.get("observedGeneration")
    if seen is not None and seen < document["metadata"].get("generation", 0):
        return Health("waiting", "its controller has not seen the change yet")
    return rule(document.get("spec") or {}, status)


def _condition(status: Document, name: str) -> Document:
    return next((one for one in status.get("conditions") or () if one["type"] == name), {})


def _counted(name: str, ready: int, wanted: int) -> Health:
    return _READY if ready >= wanted else Health("waiting", f"{ready} of {wanted} {name}")


def _deployment(spec: Document, status: Document) -> Health:
    progress, refused = _condition(status, "Progressing"), _condition(status, "ReplicaFailure")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Health("failed", progress.get("message", ""))
    if "observedGeneration" not in status:
        return Health("waiting", "its controller has not seen it yet")
    wanted = spec.get("replicas", 1)
    done = _counted("pods are of this version", status.get("updatedReplicas", 0), wanted)
    done = _counted("pods are available", status.get("availableReplicas", 0), wanted) if done == _READY else done
    if done != _READY and refused.get("status") == "True":
        return Health("waiting", refused.get("message", ""))
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return Health("waiting", f"{old} pods of the older version still run") if done == _READY and old > 0 else done


def _stateful_set(spec: Document, status: Document) -> Health:
    if "observedGeneration" not in status:
        return Health("waiting", "its controller has not seen it yet")
    if status.get("updateRevision") != status.get("currentRevision"):
        return Health("waiting", "pods of the older version still run")
    return _counted("pods are ready", status.get("readyReplicas", 0), spec.get("replicas", 1))


def _daemon_set(spec: Document, status: Document) -> Health:
    del spec
    if "observedGeneration" not in status:
        return Health("waiting", "its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    return _counted(
        "pods are available", min(status.get("numberAvailable", 0), status.get("updatedNumberScheduled", 0)), wanted
    )


def _replica_set(spec: Document, status: Document) -> Health:
    refused = _condition(status, "ReplicaFailure")
    done = _counted("pods are available", status.get("availableReplicas", 0), spec.get("replicas", 1))
    return Health("waiting", refused.get("message", "")) if done != _READY and refused.get("status") == "True" else done


def _job(spec: Document, status: Document) -> Health:
    failed = _condition(status, "Failed")
    if failed.get("status") == "True":
        return Health("failed", failed.get("message", ""))
    done = spec.get("suspend") or _condition(status, "Complete").get("status") == "True"
    return _READY if done else Health("waiting", "it has not ended yet")


def _pod(spec: Document, status: Document) -> Health:
    del spec
    if status.get("phase") == "Failed":
        return Health("failed", status.get("message", "it ended with an error"))
    done = status.get("phase") == "Succeeded" or _condition(status, "Ready").get("status") == "True"
    return _READY if done else Health("waiting", status.get("phase", "it has not begun yet"))


_RULES: Mapping[str, Callable[[Document, Document], Health]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "Job": _job,
    "Pod": _pod,
}
WORKLOADS = frozenset(_RULES)
