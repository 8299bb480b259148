"""A lab that Argo CD delivers, from its spec to its end; a scripted controller plays Argo CD on a real API server."""

import pytest
from argo_life import APPLICATIONS, delivering
from campus import LAB, SHOP, spaces

from practicum.errors import PracticumError, UnavailableError
from practicum.stages.deliver import deliver
from practicum.stages.destroy import destroy
from practicum.stages.operate import start, stop
from practicum.stages.provision import provision

PLATFORM = {
    "delivery": "argocd",
    "argocd": {"namespace": "argocd"},
    "git": {"remote": "ssh://git@git.example.org/labs.git"},
}


@pytest.fixture
def university(open_site, life, applications, monkeypatch):
    """Return a university whose cluster has Argo CD; nothing is on it."""
    monkeypatch.setattr("practicum.stages.argocd.DEADLINE_SECONDS", 60.0)
    life.end()
    life.missing.clear()
    return open_site(**PLATFORM)


@pytest.fixture
def argo(university, applications, tmp_path):
    """Return Argo CD at work on the university's repository, with the roots that an administrator applied."""
    with delivering(applications, university.repository.origin, tmp_path / "argo") as controller:
        for environment in ("dev", "prod"):
            source = {"path": f"argocd/apps/{environment}", "targetRevision": "refs/heads/main"}
            controller.put(
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Application",
                    "metadata": {"name": f"practicum-{environment}", "namespace": "argocd"},
                    "spec": {"source": source},
                }
            )
        yield controller


def shards(argo, since):
    """Return the shards that were synced since a moment, by the last part of their Applications' names."""
    return [name.rpartition("-")[2] for name, _ in argo.synced[since:] if name.startswith("p") and "shop" in name]


def test_the_whole_life_of_a_lab_that_argo_cd_delivers(university, argo, stand_in):
    life = university.pipeline()
    assert {one.seat: one.what for one in life.delivery.outcomes} == dict.fromkeys(("prof", "s001", "s002"), "new")
    commits = {revision for name, revision in argo.synced if name.endswith("-00")}
    branch = argo.git("rev-parse", f"refs/heads/deployed/prod/{LAB}").decode().strip()
    assert commits == {branch} == {university.repository.head()}
    found = stand_in.send("GET", SHOP.format(spaces(stand_in)["prod", "s001"]))
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} >= {"argocd-controller"}
    assert "practicum" not in {entry["manager"] for entry in found["metadata"]["managedFields"]}
    secret = stand_in.send("GET", f"/api/v1/namespaces/{spaces(stand_in)['prod', 's001']}/secrets/flag")
    assert {entry["manager"] for entry in secret["metadata"]["managedFields"]} == {"practicum"}
    # A commit elsewhere syncs nothing again, and nothing that changed is nothing to do.
    before = len(argo.synced)
    university.repository.commit({"README.md": b"Another text.\n"}, "Edit the README")
    university.repository.publish()
    deliver(university.workspace, LAB)
    assert shards(argo, before) == []
    place = SHOP.format(spaces(stand_in)["prod", "s001"])
    stop(university.workspace, LAB, "prod")
    provision(university.workspace, LAB, "prod")
    assert stand_in.send("GET", place)["spec"]["replicas"] == 0
    assert shards(argo, before) == []
    start(university.workspace, LAB, "prod")
    assert "replicas" not in stand_in.send("GET", place)["spec"]
    destroy(university.workspace, LAB, ["prod", "dev"], without_export=True)
    assert spaces(stand_in) == {}
    left = {one["metadata"]["name"] for one in stand_in.send("GET", APPLICATIONS)["items"]}
    assert left == {"practicum-dev", "practicum-prod"}


def test_without_its_root_argo_cd_is_told_to_need_one(university, applications):
    with pytest.raises(UnavailableError, match="has no Application practicum-dev, which makes the others") as caught:
        university.pipeline()
    assert "argocd/root-dev.yaml" in caught.value.resolution


def test_hand_changes_keep_a_shard_as_it_is_and_what_argo_cd_refuses_is_told_in_its_words(university, argo, stand_in):
    university.pipeline()
    place = SHOP.format(spaces(stand_in)["prod", "s002"])
    change = {"spec": {"selector": {"matchLabels": {"app": "mine"}}}}
    stand_in.send("PATCH", f"{place}?fieldManager=kubectl-edit", change, "application/merge-patch+json")
    with pytest.raises(PracticumError, match="1 seats have objects on the cluster that were changed by hand"):
        deliver(university.workspace, LAB)
    before = len(argo.synced)
    kept = deliver(university.workspace, LAB, changed="carry")
    assert [one.seat for one in kept.outcomes if "changed by hand" in one.detail] == ["s002"]
    assert shards(argo, before) == []
    argo.broken = {name: "DaemonSet is not permitted in project" for name, _ in argo.synced if name.endswith("-00")}
    stand_in.send("DELETE", f"/api/v1/namespaces/{spaces(stand_in)['prod', 's001']}")
    failed = deliver(university.workspace, LAB, changed="overwrite").provisioned.failed
    assert sorted(one.seat for one in failed) == ["s001", "s002"]
    assert all("DaemonSet is not permitted in project" in one.words for one in failed)


def test_a_student_who_is_stuck_is_named_and_the_shards_others_are_not(university, argo, life):
    life.missing.add("example.org/shop:s002")
    university.write(image="example.org/shop:{{ seat.id }}")
    with pytest.raises(PracticumError) as caught:
        university.pipeline()
    assert caught.value.message == "1 of 3 seats failed in prod"
    assert "-s002: Argo CD could not bring it here: Degraded" in caught.value.details
    assert "ImagePullBackOff" in caught.value.details
