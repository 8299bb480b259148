"""Sync the shards that changed, all at the same exact commit, and wait for each with one deadline."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from practicum.kubernetes.applications import (
    API,
    KIND,
    Sync,
    application,
    begin,
    complaints,
    judge,
    judge_operation,
    refresh,
)
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.objects import Ref

__all__ = ["DELIVERED", "Shard", "due_shards", "sync_shards"]

Document = dict[str, Any]
# What an Application was last delivered, as the digest of the shard's files.
DELIVERED = "practicum/delivered"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


@dataclass(frozen=True)
class Shard:
    """A shard as one Application deploys it. `digest` is that of all files that it is built from.

    `kept` are namespaces that stay though git has them no more; while there are any, nothing of the shard is pruned.
    `is_root`: it deploys Applications, never removes one, and how these are is their own matter.
    """

    name: str
    app: str
    digest: str
    kept: tuple[str, ...] = ()
    is_root: bool = False


@dataclass
class _Running:
    """A shard whose sync is waited for; without an identity it has yet to be started."""

    shard: Shard
    ref: Ref
    identity: str = ""
    refreshed: bool = False
    last: Sync = field(default_factory=lambda: Sync("waiting", "it has not begun yet"))


def due_shards(apps: Mapping[str, Document], shards: Sequence[Shard]) -> list[Shard]:
    """Return the shards to sync: their files changed since the last success, or what is there is not as git has it."""
    return [shard for shard in shards if _is_due(apps.get(shard.app), shard)]


def _is_due(app: Document | None, shard: Shard) -> bool:
    if app is None or (app["metadata"].get("annotations") or {}).get(DELIVERED) != shard.digest:
        return True
    status = app.get("status") or {}
    found = ((status.get("sync") or {}).get("status"), (status.get("health") or {}).get("status"))
    return found != ("Synced", "Healthy")


def sync_shards(
    argocd: Cluster,
    namespace: str,
    shards: Sequence[Shard],
    revision: str,
    seconds: float,
    ended: Callable[[Shard, Sync], None],
) -> dict[str, Sync]:
    """Sync shards at a commit, and return by name how each ended; `waiting` is what the deadline found.

    A sync that another one displaced is started again. A shard that fails stops no other.
    """
    running = [_Running(shard, application(namespace, shard.app)) for shard in shards]
    results: dict[str, Sync] = {}
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while running:
        apps = {app["metadata"]["name"]: app for app in argocd.listed(API, KIND, namespace=namespace)}
        for one in running:
            one.last = _step(argocd, one, apps.get(one.shard.app), revision)
            if one.last.state in ("done", "failed", "degraded"):
                results[one.shard.name] = one.last
                _record(argocd, one)
                ended(one.shard, one.last)
        running = [one for one in running if one.shard.name not in results]
        if not running or time.monotonic() > deadline:
            break
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    for one in running:
        last = Sync(one.last.state, "; ".join([one.last.why, *complaints(apps.get(one.shard.app))]))
        results[one.shard.name] = last
        ended(one.shard, last)
    return results


def _step(argocd: Cluster, one: _Running, app: Document | None, revision: str) -> Sync:
    """Do what can be done for a shard now, and return how far it is."""
    if app is None:
        return Sync("waiting", f"Argo CD has no Application {one.shard.app}")
    if one.identity:
        found = _judge(one, app, revision)
        if found.state != "lost":
            return found
    if app.get("operation") is not None:
        return Sync("waiting", "another operation runs")
    if (app.get("status") or {}).get("conditions") and not one.refreshed:
        refresh(argocd, one.ref)
        one.refreshed = True
        return Sync("waiting", "Argo CD looks again at what it complained about")
    one.identity = uuid4().hex
    if not begin(argocd, app, revision, one.identity, prune=not (one.shard.kept or one.shard.is_root)):
        one.identity = ""
        return Sync("waiting", "another operation runs")
    return Sync("waiting", "it has not begun yet")


def _judge(one: _Running, app: Document, revision: str) -> Sync:
    if one.shard.is_root:
        return judge_operation(app, revision, one.identity)
    return judge(app, revision, one.identity, one.shard.kept)


def _record(argocd: Cluster, one: _Running) -> None:
    """Remember what was delivered; whoever is killed before this syncs once more."""
    if one.last.state == "done":
        argocd.merge(one.ref, {"metadata": {"annotations": {DELIVERED: one.shard.digest}}})
