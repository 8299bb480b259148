"""`internet: none` of an operation: who is cut off, and that walls within the class stay as they are."""

from dataclasses import replace

import pytest

from practicum.stages.deployment import Operation, load_deployment
from practicum.stages.provision import _operated, _without_internet

SPEC = "version: 1\ntitle: T\nstudents: 1\nmachines: {web: {type: debian}}\nnetwork: {internet: full}\n"


CLOUD = """\
version: 1
title: T
students: 1
kubernetes: {cluster: lab, nodes: {count: 2}}
network: {internet: full}
"""


@pytest.fixture
def seat(workspace, deploy):
    """Return the professor's seat as an operation wants it, in the environment that it is said to be."""
    deploy(SPEC)

    def operated(environment, internet):
        deployment = load_deployment(workspace, "net101/firewalls", "dev")
        platform = replace(deployment.platform, environment=environment)
        chosen = replace(deployment, platform=platform, operation=Operation(internet=internet))
        document = deployment.seats["prof"]
        rules = document["acls"][0]["egress"]
        opened = [
            {"action": "allow", "state": "enabled", "destination": text} for text in ("1.0.0.0/8", "((practicum:x))")
        ]
        inside = [{"action": "allow", "state": "enabled", "destination": "10.64.0.2-10.64.0.62"}]
        return _operated(chosen, {**document, "acls": [{**document["acls"][0], "egress": [*rules, *opened, *inside]}]})

    return operated


def egress(document):
    return [rule.get("destination", rule["action"]) for rule in document["acls"][0]["egress"]]


def test_the_professor_of_the_class_is_cut_off_with_it(seat):
    closed = seat("prod", "none")
    assert egress(closed) == ["drop", "10.64.0.0/20", "10.64.0.2-10.64.0.62"]
    assert closed["networks"][0]["config"]["raw.dnsmasq"] == "no-resolv"


@pytest.mark.parametrize(("environment", "internet"), [("dev", "none"), ("prod", "spec"), ("dev", "spec")])
def test_the_professors_own_copy_is_not_nor_a_class_without_that_operation(seat, environment, internet):
    kept = seat(environment, internet)
    assert "1.0.0.0/8" in egress(kept)
    assert kept["networks"][0]["config"]["raw.dnsmasq"] == ""


def test_a_class_keeps_its_own_cluster_and_the_way_to_it(workspace, deploy):
    deploy(CLOUD)
    deployment = load_deployment(workspace, "net101/firewalls", "dev")
    cut = replace(deployment, operation=Operation(internet="none"))
    assert _operated(cut, deployment.cluster) == deployment.cluster
    (students,) = _without_internet(cut)["acls"]
    assert [(rule["destination"], rule["destination_port"]) for rule in students["egress"]] == [("10.64.0.130", "6443")]
