"""A lab with Kubernetes from its spec to its end, on a real API server with stand-ins and a fake LXD."""

from base64 import b64decode

import pytest
from campus import LAB, MACHINES, SHOP, spaces

from practicum.errors import PracticumError
from practicum.stages.destroy import destroy


def test_the_whole_life_of_a_lab_without_machines(campus, stand_in):
    life = campus.pipeline()
    assert life.changed
    assert sorted(spaces(stand_in)) == [("dev", "prof"), ("prod", "prof"), ("prod", "s001"), ("prod", "s002")]
    names = {(result.seat, result.name) for result in life.delivery.results if result.ok}
    assert {("s001", "shop is up"), ("s002", "shop is up")} <= names
    assert {one.seat: one.what for one in life.delivery.outcomes} == dict.fromkeys(("prof", "s001", "s002"), "new")
    secrets = [
        b64decode(stand_in.send("GET", f"/api/v1/namespaces/{name}/secrets/flag")["data"]["flag"])
        for name in spaces(stand_in).values()
    ]
    # The professor's is the same in both environments, as that of a machine.
    assert len(set(secrets)) == 3
    assert not any(secret in data for secret in secrets for data in campus.repository.committed("").values())
    again = campus.pipeline()
    assert not again.changed
    assert {one.what for one in again.delivery.outcomes} == {"unchanged"}


def test_machines_and_copies_come_by_one_command_and_go_by_one(campus, stand_in):
    campus.write(machines=MACHINES)
    campus.pipeline()
    machines = {key[1] for key in campus.lxd.world.instances}
    assert {"s001-db", "s002-db"} <= machines
    assert ("prod", "s001") in spaces(stand_in)
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs", "annotations": {}}}
    other["metadata"]["annotations"]["practicum/marker"] = "another/prod/cloud101/shop/s001"
    stand_in.send("POST", "/api/v1/namespaces", other)
    done = destroy(campus.workspace, LAB, ["prod"], without_export=True)
    assert [thing.name for thing in done.removed if thing.kind == "namespace"]
    assert sorted(spaces(stand_in)) == [("dev", "prof"), ("prod", "s001")]
    assert spaces(stand_in)["prod", "s001"] == "theirs"
    assert not [key for key in campus.lxd.world.instances if "-prod-" in key[0]]


def test_a_student_whose_copy_does_not_start_is_named_and_the_others_have_theirs(campus, stand_in, life):
    life.missing.add("example.org/shop:s002")
    campus.write(image="example.org/shop:{{ seat.id }}")
    with pytest.raises(PracticumError) as caught:
        campus.pipeline()
    assert caught.value.message == "1 of 3 seats failed in prod"
    lines = caught.value.details.splitlines()
    assert lines[0].startswith("s002: namespace p")
    assert "-prod-cloud101-shop-s002: does not become ready: Deployment shop: gave up pod shop-1: " in lines[0]
    assert 'ImagePullBackOff: Back-off pulling image "example.org/shop:s002"' in lines[0]
    assert "practicum deliver cloud101/shop --seat s002" in caught.value.resolution
    assert stand_in.send("GET", SHOP.format(spaces(stand_in)["prod", "s001"]))["status"]["availableReplicas"] == 1
