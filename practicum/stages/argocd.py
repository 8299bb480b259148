"""Deliver copies by Argo CD: it applies the shards at one exact commit; Practicum starts it, waits and explains."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from generator.render.kubernetes.overlays import overlay_folder, shard_of
from generator.render.kubernetes.walls import LABEL
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.kubernetes.applications import API, KIND, Sync
from practicum.kubernetes.apply import Applied, apply_copies
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.objects import Ref
from practicum.kubernetes.registration import forget_cluster, register_cluster
from practicum.kubernetes.shards import shard_members
from practicum.kubernetes.sync import Shard, due_shards, sync_shards
from practicum.kubernetes.wait import DEADLINE_SECONDS, not_ready
from practicum.stages.deployment import Deployment
from practicum.stages.own_cluster import own_access
from practicum.stages.rollout import STAGE, Rollout, cluster_of, find_cluster
from practicum.stages.workspace import Workspace

Document = dict[str, Any]
# What an Application is made from and where it deploys; Argo CD may write the rest of `spec` in another form.
_PLACE = ("project", "source", "destination")


@dataclass(frozen=True)
class _Delivery:
    """What a delivery by Argo CD works with: its cluster, and the committed Applications by shard."""

    argocd: Cluster
    namespace: str
    apps: Mapping[str, Document]
    root: str


def deliver_by_argocd(
    workspace: Workspace, deployment: Deployment, rollout: Rollout, *, overwrite: bool
) -> list[Applied]:
    """Put namespaces and Secrets in, sync the shards that changed at the deployment's commit, and wait for them.

    A shard with something that a hand changed is left alone, unless `overwrite`: Argo CD would take it back.
    """
    members = shard_members(deployment.kubernetes)
    seats = {copy.seat for copy in rollout.copies}
    kept = {} if overwrite else rollout.by_hand
    shards = {name for name, listed in members.items() if seats & set(listed) and not set(kept) & set(listed)}
    delivery = _delivery(workspace, deployment, members)
    _publish(workspace, deployment)
    if deployment.cluster is not None and (access := own_access(workspace, deployment)):
        (project,) = {app["spec"]["project"] for app in delivery.apps.values()}
        register_cluster(delivery.argocd, delivery.namespace, deployment.scope.project, project, access)
    applied = apply_copies(rollout.cluster, rollout.observed, rollout.copies, overwrite=overwrite, only_own=True)
    _require_applications(workspace, deployment, delivery, shards)
    found = {app["metadata"]["name"]: app for app in _listed(delivery)}
    wanted = [_shard(deployment, rollout, delivery, name, members[name]) for name in sorted(shards)]
    # Argo CD may not have seen yet that a namespace went.
    emptied = [shard for shard in wanted if set(rollout.new) & set(members[shard.name])]
    due = [shard for shard in wanted if shard in (*emptied, *due_shards(found, wanted))]
    for shard in wanted:
        if shard not in due:
            workspace.emit(Event(STAGE, "skipped", f"shard {shard.name} is as it was"))
    results = _sync(workspace, deployment, delivery, due)
    of_seat = {seat: results[name] for name in results for seat in members[name]}
    return [_outcome(workspace, rollout, one, of_seat.get(one.seat), kept.get(one.seat, ())) for one in applied]


def _delivery(workspace: Workspace, deployment: Deployment, members: Mapping[str, Sequence[str]]) -> _Delivery:
    """Return what Argo CD was told in git. Raises InputError when a shard has no committed Application."""
    platform = deployment.platform
    folder = f"argocd/apps/{deployment.environment}"
    listed = [yaml.safe_load(data) for data in workspace.repository.committed(folder, deployment.commit).values()]
    own = {
        app["metadata"]["labels"]["practicum/shard"]: app
        for app in listed
        if app["metadata"]["labels"].get("practicum/scope") == deployment.scope.project
    }
    if missing := sorted(set(members) - set(own)):
        raise InputError(
            f"no Application is committed for shards {', '.join(missing)} of {deployment.lab}; nothing was done",
            resolution=f"practicum generate {deployment.lab}, then git commit; or practicum pipeline {deployment.lab}",
        )
    argocd = _argocd(workspace, deployment)
    assert argocd is not None  # noqa: S101 - for the type checker: the lab's cluster was just ready
    return _Delivery(argocd, platform.argocd_namespace, own, f"practicum-{deployment.environment}")


def remove_applications(workspace: Workspace, deployment: Deployment) -> None:
    """Remove a lab's Applications from Argo CD; what they deployed stays, for that goes with its namespaces."""
    if deployment.cluster_name is None or deployment.platform.delivery != "argocd":
        return
    argocd, label = _argocd(workspace, deployment), f"{LABEL}={deployment.scope.project}"
    if argocd is None:
        return
    namespace = deployment.platform.argocd_namespace
    for app in argocd.listed(API, KIND, namespace=namespace, label=label):
        argocd.delete(Ref.of(app))
        workspace.emit(Event("destroy", "done", f"application {app['metadata']['name']}"))
    if deployment.cluster is not None:
        forget_cluster(argocd, namespace, deployment.scope.project)


def _argocd(workspace: Workspace, deployment: Deployment) -> Cluster | None:
    """Return the cluster that Argo CD is on; None when that is the lab's own, and it does not run."""
    name = deployment.platform.argocd_cluster
    return cluster_of(workspace, deployment) if name is None else find_cluster(workspace, deployment, name)


def _publish(workspace: Workspace, deployment: Deployment) -> None:
    """Let Argo CD see the commit: on main for dev, on the branch of the lab that only this moves for prod."""
    workspace.repository.require_published()
    if deployment.environment == "prod":
        workspace.repository.advance(f"deployed/prod/{deployment.lab}", deployment.commit)


def _listed(delivery: _Delivery) -> list[Document]:
    return delivery.argocd.listed(API, KIND, namespace=delivery.namespace)


def _require_applications(
    workspace: Workspace, deployment: Deployment, delivery: _Delivery, shards: Collection[str]
) -> None:
    """Have the root make the Applications that Argo CD lacks, or has otherwise than git."""
    found = {app["metadata"]["name"]: app["spec"] for app in _listed(delivery)}
    wanted = {delivery.apps[name]["metadata"]["name"]: delivery.apps[name]["spec"] for name in shards}
    if all(name in found and all(found[name].get(key) == spec[key] for key in _PLACE) for name, spec in wanted.items()):
        return
    if delivery.root not in found:
        raise UnavailableError(
            f"Argo CD on cluster '{delivery.argocd.name}' has no Application {delivery.root}, which makes the others",
            resolution=f"an administrator of Argo CD applies argocd/root-{deployment.environment}.yaml and "
            "argocd/projects/ once",
            docs="docs/how-to/argocd.md",
        )
    workspace.emit(Event(STAGE, "started", f"Applications of {deployment.environment}"))
    root = Shard("root", delivery.root, deployment.commit, is_root=True)
    told = _sync_at_commit(delivery, [root], deployment.commit, lambda *_: None)["root"]
    if told.state != "done":
        raise PracticumError(f"Argo CD could not make the Applications of {deployment.lab}", details=told.why)


def _shard(
    deployment: Deployment,
    rollout: Rollout,
    delivery: _Delivery,
    name: str,
    seats: Sequence[str],
) -> Shard:
    """Return a shard with the digest of everything that Kustomize reads for it."""
    folders = ("base", f"shards/{name}", *map(overlay_folder, seats))
    files = {
        path: data
        for path, data in deployment.kubernetes.items()
        if path.startswith(tuple(f"{folder}/" for folder in folders)) and not path.endswith("/secrets.yaml")
    }
    text = "\n".join(f"{hashlib.sha256(data).hexdigest()} {path}" for path, data in sorted(files.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = tuple(rollout.extra[seat] for seat in rollout.extra if shard_of(seat, alone=False) == name)
    return Shard(name, delivery.apps[name]["metadata"]["name"], digest, kept)


def _sync(workspace: Workspace, deployment: Deployment, delivery: _Delivery, due: Sequence[Shard]) -> dict[str, Sync]:
    count = len(due)
    if not due:
        return {}
    text = f"{count} shards at {workspace.repository.short(deployment.commit)}"
    workspace.emit(Event(STAGE, "started", text, total=count))

    def ended(shard: Shard, sync: Sync) -> None:
        good = sync.state == "done"
        text = f"shard {shard.name}{'' if good else f': {sync.why}'}"
        workspace.emit(Event(STAGE, "done" if good else "failed", text))

    return _sync_at_commit(delivery, due, deployment.commit, ended)


def _sync_at_commit(
    delivery: _Delivery, shards: Sequence[Shard], commit: str, ended: Callable[[Shard, Sync], None]
) -> dict[str, Sync]:
    return sync_shards(delivery.argocd, delivery.namespace, shards, commit, DEADLINE_SECONDS, ended)


def _outcome(
    workspace: Workspace, rollout: Rollout, applied: Applied, sync: Sync | None, by_hand: Sequence[str]
) -> Applied:
    """Return what became of a seat. In a shard that failed, a seat whose own objects are well had its release."""
    for words in by_hand:
        workspace.emit(Event(STAGE, "warning", f"changed by hand, its shard is left as it is: {words}", applied.seat))
    applied = replace(applied, kept=(*applied.kept, *by_hand))
    if sync is None or applied.error:
        return applied
    if sync.state == "done":
        return replace(applied, changed=applied.changed + 1)
    (copy,) = [one for one in rollout.copies if one.seat == applied.seat]
    why = not_ready(rollout.cluster, rollout.project, copy)
    if sync.state != "failed" and not why:
        return applied
    error = PracticumError("Argo CD could not bring it here:", details="\n".join([sync.why, *([why] if why else [])]))
    return replace(applied, error=error, doing=f"namespace {copy.namespace}")
