"""Copies on a real API server: applied server-side, pruned by label and owner, waited for, and removed.

Built-in kinds are stood in for, see `stand_in`: what is proven is how Practicum and the API server's own machinery
work together, not what Kubernetes makes of the objects.
"""

from base64 import b64decode

import pytest
from shop_lab import PROJECT, copies

from practicum.errors import PracticumError, TryAgainError, UnavailableError
from practicum.kubernetes.apply import apply_copies, changed_by_hand
from practicum.kubernetes.observe import observe, refuse_others
from practicum.kubernetes.removal import remove_namespaces
from practicum.kubernetes.wait import wait_until_ready

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
SECONDS = 30


@pytest.fixture(autouse=True)
def empty(life):
    """Begin with nothing on the cluster."""
    life.end()
    life.missing.clear()
    life.patient = False


def applied(cluster, listed, *, overwrite=False):
    """Apply copies; none may fail."""
    done = apply_copies(cluster, observe(cluster, PROJECT), listed, overwrite=overwrite)
    assert [(one.seat, one.error.details) for one in done if one.error] == []
    return {one.seat: one for one in done}


def space(listed, seat):
    return next(copy.namespace for copy in listed if copy.seat == seat)


def edit(stand_in, namespace, spec, who="kubectl-edit"):
    path = f"{DEPLOYMENTS.format(namespace)}/shop?fieldManager={who}"
    stand_in.send("PATCH", path, {"spec": spec}, "application/merge-patch+json")


def test_copies_come_whole_and_a_second_run_changes_nothing(stand_in, cluster):
    listed = copies()
    first = applied(cluster, listed)
    assert {seat: (one.created, one.changed, one.removed) for seat, one in first.items()} == dict.fromkeys(
        ("prof", "s001", "s002"), (11, 0, 0)
    )
    assert wait_until_ready(cluster, PROJECT, listed, SECONDS, lambda seat: None) == {}
    assert [one.changes for one in applied(cluster, listed).values()] == [0, 0, 0]
    found = stand_in.send("GET", f"{DEPLOYMENTS.format(space(listed, 's001'))}/shop")
    managers = {(entry["manager"], entry["operation"]) for entry in found["metadata"]["managedFields"]}
    assert ("practicum", "Apply") in managers


def test_a_students_secret_has_the_students_value(stand_in, cluster):
    listed = copies()
    applied(cluster, listed)
    for seat in ("s001", "s002"):
        secret = stand_in.send("GET", f"/api/v1/namespaces/{space(listed, seat)}/secrets/flag")
        assert "stringData" not in secret
        assert b64decode(secret["data"]["flag"]).decode() == f"secret flag of {seat}"


def test_what_left_git_is_pruned_and_what_others_made_stays(stand_in, cluster):
    before = copies()
    applied(cluster, before)
    namespace = space(before, "s001")
    place = f"/api/v1/namespaces/{namespace}/configmaps"
    (ours,) = [one["metadata"]["name"] for one in stand_in.send("GET", place)["items"]]
    labels = {"practicum/scope": PROJECT}
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "labels": labels}}
    stand_in.send("POST", place, own)
    # A pod of a Deployment has the label too, and an owner.
    owned = {**own, "metadata": {**own["metadata"], "name": "owned", "ownerReferences": [owner()]}}
    stand_in.send("PATCH", f"{place}/owned?fieldManager=practicum", owned, "application/apply-patch+yaml")
    done = applied(cluster, copies(**{"Hello": "Good morning"}))
    assert done["s001"].removed == 1
    names = {one["metadata"]["name"] for one in stand_in.send("GET", place)["items"]}
    assert ours not in names
    assert {"own", "owned"} < names


def owner():
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-1", "uid": "0"}


def test_a_seat_of_several_is_applied_and_pruned_alone(stand_in, cluster):
    applied(cluster, copies())
    only = copies(("s002",), **{"Hello": "Good morning"})
    assert set(applied(cluster, only)) == {"s002"}
    assert [one.changes for one in applied(cluster, copies(("s001",))).values()] == [0]


def test_a_hand_change_is_told_stays_and_goes_when_it_is_to(stand_in, cluster):
    listed = copies()
    applied(cluster, listed)
    namespace = space(listed, "s001")
    # What git does not set is nobody's business.
    edit(stand_in, namespace, {"paused": False})
    assert changed_by_hand(cluster, observe(cluster, PROJECT), listed) == {}
    edit(stand_in, namespace, {"selector": {"matchLabels": {"app": "mine"}}})
    told = changed_by_hand(cluster, observe(cluster, PROJECT), listed)
    assert list(told) == ["s001"]
    assert told["s001"][0].startswith('Deployment shop: .spec.selector.matchLabels.app: conflict with "kubectl-edit"')
    kept = applied(cluster, listed)
    assert kept["s001"].kept == tuple(told["s001"])
    assert kept["s002"].kept == ()
    assert selector(stand_in, namespace) == "mine"
    applied(cluster, listed, overwrite=True)
    assert selector(stand_in, namespace) == "shop"
    assert changed_by_hand(cluster, observe(cluster, PROJECT), listed) == {}


def selector(stand_in, namespace):
    return stand_in.send("GET", f"{DEPLOYMENTS.format(namespace)}/shop")["spec"]["selector"]["matchLabels"]["app"]


def test_what_argo_cd_wrote_before_is_no_hand_change(stand_in, cluster):
    listed = copies()
    applied(cluster, listed)
    edit(stand_in, space(listed, "s001"), {"selector": {"matchLabels": {"app": "older"}}}, "argocd-controller")
    assert changed_by_hand(cluster, observe(cluster, PROJECT), listed) == {}
    assert applied(cluster, listed)["s001"].kept == ()
    assert selector(stand_in, space(listed, "s001")) == "shop"


def test_a_broken_student_is_named_with_what_pods_and_events_say(cluster, life):
    life.missing.add("example.org/nothing:1")
    life.patient = True
    listed = copies()
    broken = copies(("s002",), **{"nginxinc/nginx-unprivileged:1.27": "example.org/nothing:1"})
    listed = [copy for copy in listed if copy.seat != "s002"] + broken
    applied(cluster, listed)
    ready = []
    found = wait_until_ready(cluster, PROJECT, listed, 1.0, ready.append)
    assert sorted(ready) == ["prof", "s001"]
    assert found == {
        "s002": "Deployment shop: 0 of 1 pods are available\n"
        'pod shop-1: container shop: ImagePullBackOff: Back-off pulling image "example.org/nothing:1"\n'
        "pod shop-1: Failed: manifest unknown"
    }


def test_a_namespace_of_somebody_else_is_refused(stand_in, cluster):
    listed = copies()
    name = space(listed, "s001")
    stand_in.send("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    with pytest.raises(UnavailableError, match="did not make; nothing was done"):
        refuse_others(cluster, observe(cluster, PROJECT), listed)


def test_removal_takes_the_named_namespaces_and_waits_until_they_are_gone(stand_in, cluster):
    listed = copies()
    applied(cluster, listed)
    remove_namespaces(cluster, [space(listed, "s001")])
    assert sorted(observe(cluster, PROJECT).namespaces) == ["prof", "s002"]


def test_a_namespace_that_does_not_go_is_told(stand_in, cluster):
    listed = copies(("s001",))
    applied(cluster, listed)
    path = f"/api/v1/namespaces/{space(listed, 's001')}"
    kept = {"metadata": {"finalizers": ["example.org/kept"]}}
    stand_in.send("PATCH", path, kept, "application/merge-patch+json")
    with pytest.raises(PracticumError, match="1 namespaces are still on cluster 'campus'"):
        remove_namespaces(cluster, [space(listed, "s001")], seconds=0.5)
    with pytest.raises(TryAgainError, match="still being removed"):
        refuse_others(cluster, observe(cluster, PROJECT), listed)
    stand_in.send("PATCH", path, {"metadata": {"finalizers": []}}, "application/merge-patch+json")
