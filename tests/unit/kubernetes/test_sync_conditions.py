"""The six conditions of a right wait for Argo CD, each shown by what a wait without it would have believed.

The states are those that Argo CD 3.6 went through.
"""

import pytest

from practicum.kubernetes.applications import complaints, judge, judge_operation

REVISION = "a" * 40
OTHER = "b" * 40
MINE = "run-1"
AT = "2026-01-01T10:00:{:02d}Z"


def app(**changed):
    """Return an Application whose sync is done, with changes to parts of its state."""
    operation = {"info": [{"name": "practicum", "value": MINE}], "sync": {"revision": REVISION}}
    state = {"operation": operation, "phase": "Succeeded", "finishedAt": AT.format(5)}
    state["syncResult"] = {"revision": REVISION}
    status = {
        "operationState": state | changed.pop("state", {}),
        "sync": {"status": "Synced", "revision": REVISION} | changed.pop("sync", {}),
        "health": {"status": "Healthy"} | changed.pop("health", {}),
        "reconciledAt": changed.pop("reconciledAt", AT.format(6)),
        "resources": changed.pop("resources", []),
    }
    return {"metadata": {"name": "shop-00"}, "spec": {}, "status": status, **changed}


def other_operation():
    return {"info": [{"name": "practicum", "value": "run-0"}]}


def test_a_sync_is_done_when_all_six_hold():
    assert judge(app(), REVISION, MINE).state == "done"


@pytest.mark.parametrize(
    ("changed", "state", "why"),
    [
        # 1: an operation has to be ours, and over.
        ({"operation": {"info": [{"name": "practicum", "value": MINE}]}}, "waiting", "it has not begun yet"),
        ({"operation": other_operation()}, "waiting", "another operation runs"),
        ({"state": {"operation": other_operation()}}, "lost", "another operation took its place"),
        ({"state": {"operation": {"info": None}}}, "lost", "another operation took its place"),
        # 2: an unknown revision gives Error, with the revision in its result and a status that still says Synced.
        ({"state": {"phase": "Error", "message": "unable to resolve"}}, "failed", "unable to resolve"),
        ({"state": {"phase": "Running", "message": "hooks run"}}, "waiting", "hooks run"),
        # 3
        ({"state": {"syncResult": {"revision": OTHER}}}, "failed", f"it synced {OTHER}, not {REVISION}"),
        # 4: stale right after an operation; a broken Kustomization leaves the name of a branch.
        ({"sync": {"revision": OTHER}}, "waiting", f"it compares with {OTHER}"),
        ({"sync": {"revision": "main"}}, "waiting", "it compares with main"),
        ({"sync": {"status": "OutOfSync"}}, "waiting", "OutOfSync: something differs"),
        # 5
        ({"reconciledAt": AT.format(4)}, "waiting", "it has not compared since"),
        ({"reconciledAt": None}, "waiting", "it has not compared since"),
        # 6: an image that is not there stays Progressing for ever.
        ({"health": {"status": "Progressing"}}, "waiting", "Progressing"),
    ],
)
def test_each_condition_alone_keeps_a_sync_from_being_done(changed, state, why):
    found = judge(app(**changed), REVISION, MINE)
    assert (found.state, found.why) == (state, why)


def test_an_application_without_any_state_has_lost_the_operation():
    assert judge({"metadata": {}, "spec": {}}, REVISION, MINE).state == "lost"


def test_a_forbidden_kind_is_told_from_the_single_object():
    resources = [
        {"kind": "Deployment", "namespace": "a", "name": "shop", "status": "Synced", "message": "unchanged"},
        {"kind": "DaemonSet", "namespace": "a", "name": "all", "status": "SyncFailed", "message": "is not permitted"},
    ]
    state = {"phase": "Failed", "message": "one or more objects failed", "syncResult": {"resources": resources}}
    found = judge(app(state=state), REVISION, MINE)
    assert found.why == "DaemonSet a/all: is not permitted; one or more objects failed"


def test_what_differs_and_what_is_not_healthy_is_named():
    web = {"kind": "Deployment", "namespace": "a", "name": "web"}
    differs = app(sync={"status": "OutOfSync"}, resources=[{**web, "status": "OutOfSync"}])
    assert judge(differs, REVISION, MINE).why == "OutOfSync: Deployment a/web"
    sick = {**web, "status": "Synced", "health": {"status": "Degraded", "message": "gave up"}}
    ill = app(health={"status": "Degraded"}, resources=[sick])
    found = judge(ill, REVISION, MINE)
    assert (found.state, found.why) == ("degraded", "Degraded: Deployment a/web gave up")


def test_a_namespace_that_stays_by_decision_is_no_difference():
    gone = [
        {"kind": "Namespace", "name": "a", "status": "OutOfSync", "requiresPruning": True},
        {"kind": "Deployment", "namespace": "a", "name": "web", "status": "OutOfSync", "requiresPruning": True},
    ]
    found = app(sync={"status": "OutOfSync"}, resources=gone)
    assert judge(found, REVISION, MINE, kept=["a"]).state == "done"
    assert judge(found, REVISION, MINE, kept=["b"]).state == "waiting"


def test_the_operation_of_the_root_is_judged_alone():
    found = app(sync={"status": "OutOfSync"}, health={"status": "Progressing"})
    assert judge_operation(found, REVISION, MINE).state == "done"


def test_complaints_are_told_as_they_are():
    conditions = [{"type": "InvalidSpecError", "message": "there are no clusters with this name: campus"}]
    found = {"status": {"conditions": conditions}}
    assert complaints(found) == ["InvalidSpecError: there are no clusters with this name: campus"]
    assert complaints(None) == []
