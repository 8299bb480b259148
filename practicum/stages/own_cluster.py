"""A lab's own Kubernetes cluster, whose nodes are machines on LXD: how it is reached, and when it is ready."""

import time
from collections.abc import Sequence
from typing import Any

import yaml

from generator.render.networks import API_PORT
from generator.render.nodes import SERVER
from generator.seats.names import CLUSTER, instance
from practicum.errors import PracticumError, TryAgainError
from practicum.events import Event
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.nodes import dns_problem, missing_nodes
from practicum.lxd.errors import LxdError, LxdNotFound
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

__all__ = ["is_asleep", "own_access", "own_cluster", "ready_cluster"]

STAGE = "cluster"
# Where k3s writes the access of the administrator.
_KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
_SERVER = instance(CLUSTER, SERVER)
_DEADLINE_SECONDS, _DNS_SECONDS, _PAUSE_SECONDS = 300.0, 60.0, 0.5
# What went wrong, without what systemd says of it.
_LAST_WORDS = (
    "journalctl --unit k3s --no-pager --output cat | "
    "grep -vE '^(k3s.service:|Failed to start)' | grep -iE 'error|fatal|panic|fail' | tail -n 3"
)


def own_cluster(workspace: Workspace, deployment: Deployment) -> Cluster | None:
    """Return a lab's own cluster, with the rights of its administrator; None while its server does not run."""
    access = own_access(workspace, deployment)
    return None if access is None else Cluster(deployment.scope.project, access)


def own_access(workspace: Workspace, deployment: Deployment) -> dict[str, Any] | None:
    """Return the kubeconfig of the administrator of a lab's own cluster; None while its server does not run."""
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    found = lxd.find("instances", _SERVER, project=project)
    if deployment.cluster is None or found is None or found["status"] != "Running":
        return None
    try:
        written = lxd.download("instances", _SERVER, "files", project=project, path=_KUBECONFIG).content
    except LxdNotFound:
        return None
    access: dict[str, Any] | None = yaml.safe_load(written)
    if access:
        # k3s writes it for the node itself.
        access["clusters"][0]["cluster"]["server"] = f"https://{deployment.cluster['addresses'][SERVER]}:{API_PORT}"
    return access


def is_asleep(workspace: Workspace, deployment: Deployment) -> bool:
    """Say whether a lab has a cluster of its own on LXD that cannot be asked, for its server does not run."""
    lxd = workspace.lxd(deployment.platform)
    found = lxd.find("instances", _SERVER, project=deployment.scope.project) if deployment.cluster else None
    return found is not None and found["status"] != "Running"


def ready_cluster(workspace: Workspace, deployment: Deployment) -> Cluster:
    """Return a lab's own cluster when its API answers and all its nodes are Ready.

    Raises PracticumError, with what the nodes say, when that does not come. Names that pods cannot look up are told.
    """
    assert deployment.cluster is not None  # noqa: S101 - for the type checker
    wanted = list(deployment.cluster["addresses"])
    workspace.emit(Event(STAGE, "started", "waiting for the API server", CLUSTER))
    deadline = time.monotonic() + _DEADLINE_SECONDS
    told: Sequence[str] = wanted
    while time.monotonic() < deadline:
        cluster, missing = _look(workspace, deployment, wanted)
        if cluster and not missing:
            workspace.emit(Event(STAGE, "done", f"{len(wanted)} nodes are ready", CLUSTER))
            _tell_dns(workspace, cluster)
            return cluster
        if cluster and missing != told:
            workspace.emit(Event(STAGE, "started", f"waiting for {', '.join(missing)}", CLUSTER))
            told = missing
        time.sleep(_PAUSE_SECONDS)
    raise PracticumError(
        f"not ready after {_DEADLINE_SECONDS:.0f} s: {', '.join(told)}",
        details=_last_words(workspace, deployment, told),
        resolution=f"look inside: practicum shell {deployment.lab} {CLUSTER} {told[0]} --env {deployment.environment}; "
        "'practicum doctor' says what the host lacks",
    )


def _look(workspace: Workspace, deployment: Deployment, wanted: Sequence[str]) -> tuple[Cluster | None, list[str]]:
    """Return the cluster, when its API answers, and its nodes that are not ready yet."""
    try:
        cluster = own_cluster(workspace, deployment)
        return cluster, missing_nodes(cluster, wanted) if cluster else list(wanted)
    except (TryAgainError, LxdError):
        return None, list(wanted)


def _tell_dns(workspace: Workspace, cluster: Cluster) -> None:
    deadline = time.monotonic() + _DNS_SECONDS
    while (problem := dns_problem(cluster)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    if problem:
        workspace.emit(Event(STAGE, "warning", f"pods cannot look up names: {problem}", CLUSTER))


def _last_words(workspace: Workspace, deployment: Deployment, nodes: Sequence[str]) -> str:
    """Return what the first nodes that are not ready said last."""
    lxd, lines = workspace.lxd(deployment.platform), []
    for node in nodes[:2]:
        try:
            said = lxd.run(
                instance(CLUSTER, node), ["sh", "-c", _LAST_WORDS], project=deployment.scope.project, timeout=10
            )
            lines += [f"{node}: {line}" for line in said.stdout.splitlines()]
        except PracticumError as error:
            lines.append(f"{node}: {error.message}")
    return "\n".join(lines)
