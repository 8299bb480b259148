"""The nodes of a lab's own cluster: how many, what they are told, what is open to them, and their image."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
import yaml
from test_walls import ADDRESSES, LAB, acls, target

from generator.catalogue.load import load_catalogue
from generator.catalogue.node_image import NODE, type_on
from generator.catalogue.recipe import recipe_digest
from generator.render.definitions import shared_document
from generator.render.needs import needs
from generator.render.nodes import cluster_document, node_count
from generator.seats.addresses import LabAddresses
from generator.spec.model import Kubernetes
from generator.spec.platform import Capacity, default_platform

GIB = 2**30
NODES = {"count": 3, "cpu": 2, "memory": 2 * GIB, "disk": 10 * GIB}
QUOTA = {"cpu": 1, "memory": GIB, "pods": 10, "storage": GIB}
OWN = Kubernetes("lab", None, NODES, QUOTA)
PROVIDED = {"kubernetes": {"k3s": {"path": "/srv/k3s", "sha256": "0" * 64}}}
CLOUD = replace(LAB, kubernetes=OWN)


def document(kubernetes=OWN, environment="prod", copies=4):
    return cluster_document(target(CLOUD, environment, settings=PROVIDED), kubernetes, copies)


def content(instance, path):
    return next(step["content"] for step in instance["steps"] if step.get("to") == path)


@pytest.mark.parametrize(
    ("quota", "copies", "nodes"),
    [
        ({}, 1, 1),  # all of it is little
        ({"cpu": 8, "memory": 0}, 9, 9),  # 72 cores on nodes of 2, each promised four times
        ({"cpu": 0.1, "memory": 3 * GIB}, 8, 4),  # 24 GiB on nodes with 1.5 GiB to give, four times
        ({"cpu": 0.1, "memory": 0, "pods": 50}, 11, 5),  # 550 pods, 110 a node
        ({"cpu": 0.1, "memory": 0, "pods": 50}, 12, 6),
    ],
)
def test_as_many_nodes_as_the_largest_need(quota, copies, nodes):
    kubernetes = Kubernetes("lab", None, {**NODES, "count": "auto"}, {**QUOTA, **quota})
    platform = replace(default_platform("prod"), capacity=Capacity(overcommit=4.0))
    assert node_count(kubernetes, platform, copies) == nodes


def test_a_server_and_agents_that_are_told_where_it_is():
    server, *agents = document()["instances"]
    assert [one["name"] for one in (server, *agents)] == ["cluster-server", "cluster-agent1", "cluster-agent2"]
    config = yaml.safe_load(content(server, "/etc/practicum/k3s.yaml"))
    assert config["node-ip"] == server["devices"]["eth0"]["ipv4.address"] == "10.72.0.130"
    assert "server" not in config
    for agent in agents:
        told = yaml.safe_load(content(agent, "/etc/practicum/k3s.yaml"))
        assert told["server"] == "https://10.72.0.130:6443"
        assert told["token"] == config["token"]
        assert content(agent, "/etc/practicum/node.env") == "ROLE=agent\n"


def test_the_token_is_a_reference_and_another_one_in_each_environment():
    tokens = [
        yaml.safe_load(content(document(environment=name)["instances"][0], "/etc/practicum/k3s.yaml"))["token"]
        for name in ("dev", "prod")
    ]
    assert tokens == ["((practicum:secret dev-cluster-token))", "((practicum:secret prod-cluster-token))"]


def test_a_changed_configuration_starts_the_node_again():
    starts = [document(environment=name)["instances"][1]["steps"][-1]["content"] for name in ("dev", "prod")]
    assert starts[0] != starts[1]
    assert document()["instances"][1]["steps"][-1]["content"] == starts[1]


def test_nodes_reach_each_other_and_nobody_else():
    acl = acls(document(), "cluster")
    claimed, own = acl["egress"]
    assert own == {"action": "allow", "state": "enabled", "destination": "10.72.0.130-10.72.0.190,10.42.0.0/16"}
    assert claimed["action"] == "drop"
    ends = [tuple(IPv4Address(end) for end in part.split("-")) for part in claimed["source"].split(",")]
    for address in ("10.72.0.129", "10.72.1.2", "8.8.8.8", "10.43.0.1", "0.0.0.1", "255.255.255.255"):
        assert any(first <= IPv4Address(address) <= last for first, last in ends), address
    for address in ("10.72.0.130", "10.72.0.190", "10.42.0.0", "10.42.255.255"):
        assert not any(first <= IPv4Address(address) <= last for first, last in ends), address
    inner, *from_seats = acl["ingress"]
    assert inner == {"action": "allow", "state": "enabled", "source": own["destination"]}
    assert {rule["source"] for rule in from_seats} == {str(block) for block in ADDRESSES.blocks}
    assert {(rule["protocol"], rule["destination_port"]) for rule in from_seats} == {("tcp", "6443")}


def test_students_reach_the_api_server_alone():
    (rule,) = acls(shared_document(target(CLOUD, settings=PROVIDED)), "students")["egress"]
    assert rule == {
        "action": "allow",
        "state": "enabled",
        "destination": "10.72.0.130",
        "protocol": "tcp",
        "destination_port": "6443",
    }
    existing = replace(LAB, kubernetes=replace(OWN, cluster="existing:campus"))
    assert acls(shared_document(target(existing)), "students")["egress"] == []


def test_nodes_may_nest_and_have_limits_and_only_they_do():
    profiles = {one["name"]: one["config"] for one in shared_document(target(CLOUD, settings=PROVIDED))["profiles"]}
    assert profiles[NODE]["security.nesting"] == "true"
    assert (profiles[NODE]["limits.cpu"], profiles[NODE]["limits.memory"]) == ("2", "2GiB")
    assert [name for name, config in profiles.items() if "security.nesting" in config] == [NODE]


def test_the_image_of_nodes_is_another_one_for_another_k3s():
    catalogue = load_catalogue()

    def recipe(sha256, *images):
        kubernetes = {"k3s": {"path": "/srv/k3s", "sha256": sha256}, "airgap_images": list(images)}
        found = type_on(catalogue, NODE, replace(default_platform("dev"), settings={"kubernetes": kubernetes}))
        assert found is not None
        assert found.image.built
        return recipe_digest(found.image)

    archive = {"path": "/srv/images.tar", "sha256": "2" * 64}
    assert len({recipe("0" * 64), recipe("1" * 64), recipe("0" * 64, archive)}) == 3
    plain = type_on(catalogue, NODE, default_platform("dev"))
    assert plain is not None
    assert not plain.image.built
    assert type_on(catalogue, "debian", default_platform("dev")) == catalogue["debian"]


def test_an_own_cluster_needs_k3s_and_other_addresses():
    kubernetes = {"settings": PROVIDED}
    platform = replace(default_platform("prod"), **kubernetes)
    assert needs(CLOUD, platform) == []
    (need,) = needs(CLOUD, default_platform("prod"))
    assert need.key == "environments/prod/platform.yaml: kubernetes.k3s"
    inside = replace(platform, addresses=LabAddresses((ADDRESSES.blocks[0],)).blocks[0].supernet(new_prefix=8))
    assert {need.key for need in needs(CLOUD, inside)} == {"environments/prod/platform.yaml: addresses"}
