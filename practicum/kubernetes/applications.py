"""Argo CD's Applications: start a sync at an exact commit, and judge how far it is.

Argo CD has no other interface here: what `argocd app sync` does is a field of the object. Fields and phases:
argoproj/argo-cd, pkg/apis/application/v1alpha1/types.go. Each rule below was seen with Argo CD 3.6.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from practicum.kubernetes.client import Cluster
from practicum.kubernetes.errors import ClusterRefused
from practicum.kubernetes.objects import Ref

__all__ = ["API", "INFO", "KIND", "Sync", "application", "begin", "complaints", "judge", "judge_operation", "refresh"]

Document = dict[str, Any]
API, KIND = "argoproj.io/v1alpha1", "Application"
# Under this name an operation carries the id of the run that started it.
INFO = "practicum"
_REFRESH = "argocd.argoproj.io/refresh"
_RETRIES = {"limit": 2, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"}}
_UNPROCESSABLE = 422


@dataclass(frozen=True)
class Sync:
    """How far a sync is; `why` is for people.

    `lost`: somebody else's took its place, so it has to be started again. `degraded`: everything was applied, and
    something in it has given up.
    """

    state: Literal["waiting", "done", "failed", "degraded", "lost"]
    why: str = ""


def application(namespace: str, name: str) -> Ref:
    """Return the name of an Application."""
    return Ref(API, KIND, namespace, name)


def refresh(argocd: Cluster, ref: Ref) -> None:
    """Ask Argo CD to compare anew: a condition that was left over would fail the next operation."""
    argocd.merge(ref, {"metadata": {"annotations": {_REFRESH: "normal"}}})


def begin(argocd: Cluster, app: Document, revision: str, identity: str, *, prune: bool) -> bool:
    """Start a sync of an Application at a commit; False when another operation runs.

    A patch that does not test for this would take the place of the other silently.
    """
    options = (app["spec"].get("syncPolicy") or {}).get("syncOptions") or []
    operation = {
        "initiatedBy": {"username": INFO},
        "info": [{"name": INFO, "value": identity}],
        "retry": _RETRIES,
        "sync": {"revision": revision, "prune": prune, "syncOptions": options},
    }
    steps: list[Document] = [
        {"op": "test", "path": "/operation", "value": None},
        {"op": "add", "path": "/operation", "value": operation},
    ]
    try:
        argocd.patch(Ref.of(app), steps)
    except ClusterRefused as refused:
        if refused.status == _UNPROCESSABLE:
            return False
        raise
    return True


def complaints(app: Mapping[str, Any] | None) -> list[str]:
    """Return what Argo CD says is wrong with an Application itself, such as a cluster that it does not know."""
    conditions = ((app or {}).get("status") or {}).get("conditions") or ()
    return [f"{one.get('type')}: {one.get('message')}" for one in conditions]


def judge(app: Mapping[str, Any], revision: str, identity: str, kept: Collection[str] = ()) -> Sync:
    """Return how far the sync with this identity is: done only when all six conditions of a right wait hold.

    1 it is this operation that ended, 2 it succeeded, 3 at this commit, 4 what Argo CD compares is that commit too,
    5 it compared after the operation had ended, 6 and everything is healthy. Right after an operation 4 to 6 still
    speak of the time before it. `kept` namespaces, with what is in them, may differ: git has them no more.
    """
    operation = judge_operation(app, revision, identity)
    return _settled(app["status"], revision, kept) if operation.state == "done" else operation


def judge_operation(app: Mapping[str, Any], revision: str, identity: str) -> Sync:
    """Return how far the operation with this identity is, whatever became of what it applied: the first three only."""
    status = app.get("status") or {}
    state = status.get("operationState") or {}
    if app.get("operation") is not None:
        mine = _identity(app["operation"]) == identity
        return Sync("waiting", "it has not begun yet" if mine else "another operation runs")
    if _identity(state.get("operation") or {}) != identity:
        return Sync("lost", "another operation took its place")
    phase = state.get("phase")
    if phase in ("Failed", "Error"):
        return Sync("failed", "; ".join(_failures(state)) or phase)
    if phase != "Succeeded":
        return Sync("waiting", str(state.get("message") or phase or "it has not begun yet"))
    synced = (state.get("syncResult") or {}).get("revision")
    if synced != revision:
        return Sync("failed", f"it synced {synced}, not {revision}")
    return Sync("done")


def _settled(status: Mapping[str, Any], revision: str, kept: Collection[str]) -> Sync:
    """Judge what Argo CD says after a successful operation; all of it may be from before."""
    sync, health = status.get("sync") or {}, status.get("health") or {}
    # Times of one server in one form: their order is that of their texts.
    if str(status.get("reconciledAt") or "") < str(status["operationState"].get("finishedAt") or ""):
        return Sync("waiting", "it has not compared since")
    if sync.get("revision") != revision:
        return Sync("waiting", f"it compares with {sync.get('revision')}")
    different = _different(status, kept)
    if sync.get("status") != "Synced" and (different or not kept):
        return Sync("waiting", f"{sync.get('status')}: {', '.join(different) or 'something differs'}")
    if health.get("status") != "Healthy":
        stuck = ", ".join(_unhealthy(status))
        state: Literal["waiting", "degraded"] = "degraded" if health.get("status") == "Degraded" else "waiting"
        return Sync(state, f"{health.get('status')}{': ' if stuck else ''}{stuck}")
    return Sync("done")


def _identity(operation: Mapping[str, Any]) -> str:
    return next((str(one.get("value")) for one in operation.get("info") or () if one.get("name") == INFO), "")


def _failures(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a failed operation says, of single objects first: a forbidden kind is told there only."""
    for one in (state.get("syncResult") or {}).get("resources") or ():
        if one.get("status") == "SyncFailed" or one.get("hookPhase") in ("Failed", "Error"):
            yield f"{one.get('kind')} {one.get('namespace', '')}/{one.get('name')}: {one.get('message', '')}"
    if state.get("message"):
        yield str(state["message"])


def _resources(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return status.get("resources") or ()


def _different(status: Mapping[str, Any], kept: Collection[str]) -> list[str]:
    found = [one for one in _resources(status) if one.get("status") == "OutOfSync"]
    return [_named(one) for one in found if (one.get("namespace") or one.get("name")) not in kept][:3]


def _unhealthy(status: Mapping[str, Any]) -> list[str]:
    found = [one for one in _resources(status) if (one.get("health") or {}).get("status") not in (None, "Healthy")]
    return [f"{_named(one)} {one['health'].get('message', '')}".strip() for one in found][:3]


def _named(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('kind')} {resource.get('namespace', '')}/{resource.get('name')}"
