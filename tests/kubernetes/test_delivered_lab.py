"""A delivered lab day by day: hand changes, stop and start, checks, namespaces that left."""

import pytest
from campus import LAB, SHOP, spaces

from practicum.errors import PracticumError
from practicum.stages.deliver import deliver
from practicum.stages.operate import start, stop
from practicum.stages.provision import plan_copies, provision
from practicum.stages.smoke import smoke


def test_hand_changes_stop_a_delivery_stay_when_told_and_go_when_told(delivered, stand_in):
    place = SHOP.format(spaces(stand_in)["prod", "s001"])
    change = {"spec": {"selector": {"matchLabels": {"app": "mine"}}}}
    stand_in.send("PATCH", f"{place}?fieldManager=kubectl-edit", change, "application/merge-patch+json")
    with pytest.raises(PracticumError, match="1 seats have objects on the cluster that were changed by hand") as caught:
        deliver(delivered.workspace, LAB)
    assert caught.value.details.startswith("s001: Deployment shop: .spec.selector.matchLabels.app: conflict with")
    kept = deliver(delivered.workspace, LAB, changed="carry")
    assert {one.seat: one.words.partition(":")[0] for one in kept.outcomes}["s001"] == "unchanged"
    assert stand_in.send("GET", place)["spec"]["selector"]["matchLabels"]["app"] == "mine"
    deliver(delivered.workspace, LAB, changed="overwrite")
    assert stand_in.send("GET", place)["spec"]["selector"]["matchLabels"]["app"] == "shop"


def test_a_stopped_lab_has_no_pods_and_comes_back(delivered, stand_in):
    place = spaces(stand_in)["prod", "s001"]
    stop(delivered.workspace, LAB, "prod")
    assert stand_in.send("GET", SHOP.format(place))["spec"]["replicas"] == 0
    quota = f"/api/v1/namespaces/{place}/resourcequotas/practicum-walls"
    assert stand_in.send("GET", quota)["spec"]["hard"]["pods"] == "0"
    start(delivered.workspace, LAB, "prod")
    assert "replicas" not in stand_in.send("GET", SHOP.format(place))["spec"]


def test_a_namespace_that_left_the_definitions_goes_only_when_agreed(delivered, stand_in):
    marker = {"practicum/marker": "campuslab/dev/cloud101/shop/s009"}
    project = spaces(stand_in)["dev", "prof"].removesuffix("-prof")
    labels = {"practicum/scope": project, "practicum/seat": "s009"}
    metadata = {"name": f"{project}-s009", "labels": labels, "annotations": marker}
    stand_in.send("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    told = f"namespace {project}-s009 is not in the definitions any more"
    assert plan_copies(delivered.workspace, LAB, "dev") == [told]
    provision(delivered.workspace, LAB, "dev")
    assert told in delivered.said("warning")[-1]
    provision(delivered.workspace, LAB, "dev", agreed=True)
    assert ("dev", "s009") not in spaces(stand_in)


def test_a_check_of_a_deployment_fails_where_it_has_no_pods(delivered, stand_in):
    place = SHOP.format(spaces(stand_in)["dev", "prof"])
    stand_in.send("DELETE", place)
    (found,) = [one for one in smoke(delivered.workspace, LAB, "dev") if one.name == "shop is up"]
    assert (found.ok, found.detail) == (False, "shop: there is no such deployment")
