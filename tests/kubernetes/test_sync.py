"""Starting and waiting for syncs, with every race that was seen, on a real API server; the test plays Argo CD."""

import threading
from contextlib import contextmanager

import pytest
from api_server import until
from argo_life import APPLICATIONS, now

from practicum.kubernetes.applications import API, KIND, application, begin
from practicum.kubernetes.sync import DELIVERED, Shard, due_shards, sync_shards

REVISION, OTHER = "a" * 40, "b" * 40
MERGE = "application/merge-patch+json"
SHARD = Shard("00", "shop-00", "digest")


@pytest.fixture
def argocd(applications, cluster):
    """Return Argo CD's cluster with the Application of a shard on it."""
    metadata = {"name": "shop-00", "namespace": "argocd", "annotations": {"mine": "yes"}}
    options = {"syncOptions": ["ApplyOutOfSyncOnly=true"]}
    spec = {"source": {"targetRevision": "refs/heads/main"}, "syncPolicy": options}
    document = {"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": spec}
    applications.send("POST", APPLICATIONS, document)
    yield cluster
    applications.send("DELETE", f"{APPLICATIONS}/shop-00")


def app(stand_in):
    return stand_in.send("GET", f"{APPLICATIONS}/shop-00")


def change(stand_in, **document):
    return stand_in.send("PATCH", f"{APPLICATIONS}/shop-00", document, MERGE)


def finish(stand_in, *, revision=REVISION, phase="Succeeded", **status):
    """End the running operation as Argo CD does."""
    operation = until(lambda: app(stand_in).get("operation"), "an operation was started")
    state = {"operation": operation, "phase": phase, "finishedAt": now(), "syncResult": {"revision": revision}}
    change(
        stand_in, operation=None, status={"operationState": {**state, "message": status.pop("message", None)}, **status}
    )
    return operation


def compared(stand_in, *, revision=REVISION, sync="Synced", health="Healthy"):
    status = {"sync": {"status": sync, "revision": revision}, "health": {"status": health}, "reconciledAt": now()}
    change(stand_in, status=status)


@contextmanager
def syncing(argocd, shard=SHARD, seconds=20.0):
    """Sync in another thread; the list has the result when the block has ended."""
    told = []
    results = []
    arguments = (argocd, "argocd", [shard], REVISION, seconds, lambda _, sync: told.append(sync.state))
    thread = threading.Thread(target=lambda: results.append(sync_shards(*arguments)), daemon=True)
    thread.start()
    yield results
    thread.join(30)
    assert results, "the wait did not end"
    assert told == [results[0]["00"].state]


def test_a_sync_is_started_at_the_commit_and_done_when_all_of_it_is(argocd, stand_in):
    with syncing(argocd) as results:
        operation = finish(stand_in)
        assert operation["sync"] == {"revision": REVISION, "prune": True, "syncOptions": ["ApplyOutOfSyncOnly=true"]}
        # Just after success, everything that is compared is from before.
        compared(stand_in, revision=OTHER)
        compared(stand_in, health="Progressing")
        assert results == []
        compared(stand_in)
    assert results[0]["00"].state == "done"
    annotations = app(stand_in)["metadata"]["annotations"]
    assert annotations == {"mine": "yes", DELIVERED: "digest"}
    assert due_shards({"shop-00": app(stand_in)}, [SHARD]) == []
    assert due_shards({"shop-00": app(stand_in)}, [Shard("00", "shop-00", "other")])
    compared(stand_in, sync="OutOfSync")
    assert due_shards({"shop-00": app(stand_in)}, [SHARD]) == [SHARD]


def test_a_running_operation_is_never_displaced(argocd, stand_in):
    change(stand_in, operation={"info": [{"name": "other", "value": "1"}]})
    assert begin(argocd, app(stand_in), REVISION, "mine", prune=True) is False
    assert app(stand_in)["operation"]["info"][0]["name"] == "other"
    with syncing(argocd) as results:
        # The other ends; then ours is started.
        change(stand_in, operation=None, status={"operationState": {"phase": "Succeeded", "finishedAt": now()}})
        finish(stand_in)
        compared(stand_in)
    assert results[0]["00"].state == "done"


def test_two_that_begin_at_once_are_one_operation(argocd, stand_in):
    seen = app(stand_in)
    assert begin(argocd, seen, REVISION, "first", prune=True) is True
    assert begin(argocd, seen, REVISION, "second", prune=True) is False


def test_an_operation_that_another_displaced_is_started_again(argocd, stand_in):
    with syncing(argocd) as results:
        first = until(lambda: app(stand_in).get("operation"), "an operation was started")
        state = {"operation": {"info": []}, "phase": "Succeeded", "finishedAt": now()}
        change(stand_in, operation=None, status={"operationState": state})
        second = finish(stand_in)
        compared(stand_in)
    assert first["info"] != second["info"]
    assert results[0]["00"].state == "done"


def test_a_condition_that_was_left_over_is_looked_at_again_first(argocd, stand_in):
    left = [{"type": "InvalidSpecError", "message": "there are no clusters with this name: campus"}]
    change(stand_in, status={"conditions": left})
    with syncing(argocd) as results:
        asked = "argocd.argoproj.io/refresh"
        until(lambda: app(stand_in)["metadata"]["annotations"].get(asked) == "normal", "a refresh was asked for")
        change(stand_in, metadata={"annotations": {asked: None}}, status={"conditions": None})
        finish(stand_in)
        compared(stand_in)
    assert results[0]["00"].state == "done"


def test_a_failed_operation_ends_the_wait_with_argo_cds_words(argocd, stand_in):
    with syncing(argocd) as results:
        finish(stand_in, phase="Error", message="kustomize build failed")
    assert (results[0]["00"].state, results[0]["00"].why) == ("failed", "kustomize build failed")
    assert DELIVERED not in app(stand_in)["metadata"]["annotations"]


def test_the_deadline_says_what_it_waited_for(argocd, stand_in):
    change(stand_in, status={"conditions": [{"type": "ComparisonError", "message": "cannot read the repository"}]})
    with syncing(argocd, seconds=0.5) as results:
        pass
    assert results[0]["00"].state == "waiting"
    assert results[0]["00"].why.endswith("ComparisonError: cannot read the repository")


def test_an_application_that_is_not_there_is_told(argocd):
    missing = Shard("01", "shop-01", "digest")
    found = sync_shards(argocd, "argocd", [missing], REVISION, 0.2, lambda *_: None)
    assert found["01"].why == "Argo CD has no Application shop-01"
    assert argocd.find(application("argocd", "shop-01")) is None


def test_nothing_is_pruned_while_a_namespace_stays_by_decision(argocd, stand_in):
    with syncing(argocd, Shard("00", "shop-00", "digest", kept=("gone",))) as results:
        assert finish(stand_in)["sync"]["prune"] is False
        compared(stand_in)
    assert results[0]["00"].state == "done"
