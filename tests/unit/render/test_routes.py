"""Routers of a seat: every machine knows the way, no packet circles, and each is met where it can be."""

from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network

import pytest

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document, shared_document
from generator.render.routes import Hop, behind_routers, first_hops, guards_first_network, meeting_network
from generator.seats.addresses import LabAddresses
from generator.spec.model import Check, Lab, Machine
from generator.spec.platform import default_platform
from generator.spec.sources import MappingSources

CATALOGUE = load_catalogue()
NETWORKS = ("lan", "dmz", "vault", "lost")


def machine(name, *connect, forward=False):
    return Machine(name, CATALOGUE["debian"], "container", connect, 1, 2**29, 2**30, forward=forward)


DESK, WEB, BOX = machine("desk", "lan"), machine("web", "dmz"), machine("box", "vault")
ROUTER, GATE = machine("router", "lan", "dmz", forward=True), machine("gate", "dmz", "vault", forward=True)
LONER = machine("loner", "lost")
CHAIN = (DESK, ROUTER, WEB, GATE, BOX, LONER)
ADDRESSES = LabAddresses(
    (IPv4Network("10.72.0.0/20"),), {one.name: 2 + n for n, one in enumerate(CHAIN)} | {"spare": 8}
)


def lab(*machines, networks=NETWORKS, **settings):
    return Lab("net101", "ways", "Ways", "labs/net101/ways.lab.yaml", (), machines, networks=networks, **settings)


def definition(found, seat="s001"):
    platform = replace(default_platform("prod"), installation="k3v9t2qa")
    return seat_document(Target(found, platform, ADDRESSES, CATALOGUE, MappingSources({})), seat)


def shared(found):
    platform = replace(default_platform("prod"), installation="k3v9t2qa")
    return shared_document(Target(found, platform, ADDRESSES, CATALOGUE, MappingSources({})))


def told(found, name, key, seat="s001"):
    entries = definition(found, seat)["instances"]
    return next(entry["config"][f"user.practicum.{key}"] for entry in entries if entry["name"] == f"{seat}-{name}")


def test_first_hops_lead_along_the_chain_from_both_ends():
    found = lab(*CHAIN)
    assert first_hops(found, ("lan",)) == {"dmz": Hop("lan", "router"), "vault": Hop("lan", "router")}
    assert first_hops(found, ("vault",)) == {"dmz": Hop("vault", "gate"), "lan": Hop("vault", "gate")}
    assert first_hops(found, ("dmz",)) == {"lan": Hop("dmz", "router"), "vault": Hop("dmz", "gate")}
    assert first_hops(found, ("lost",)) == {}


def test_the_shortest_way_is_taken_and_of_equal_ones_the_first():
    short = machine("spare", "lan", "vault", forward=True)
    assert first_hops(lab(*CHAIN, short), ("lan",))["vault"] == Hop("lan", "spare")
    twin = machine("spare", "lan", "dmz", forward=True)
    found = lab(*CHAIN, twin)
    assert first_hops(found, ("lan",))["dmz"] == Hop("lan", "router")
    assert [one.name for one in found.machines if guards_first_network(found, one)] == ["router"]


def test_packets_never_circle():
    ring = (*CHAIN[:5], machine("spare", "vault", "lan", forward=True), LONER)
    found = lab(*ring)
    routers = {one.name: one for one in ring}
    for start in ring:
        for target in first_hops(found, start.connect):
            place, steps = start, 0
            while target not in place.connect:
                place = routers[first_hops(found, place.connect)[target].router]
                steps += 1
                assert steps <= 3


def test_without_a_router_there_is_no_way_and_nothing_changes():
    found = lab(DESK, machine("router", "lan", "dmz"), WEB)
    assert first_hops(found, ("lan",)) == {}
    assert behind_routers(found) == {}
    assert "behind" not in shared(found)
    assert [acl["name"].rsplit("-", 1)[1] for acl in definition(found)["acls"]] == ["s001"]
    assert "gateway" not in told(found, "web", "interfaces")
    assert told(found, "web", "resolv") == ""
    assert "up " not in told(found, "router", "interfaces")


def test_a_machine_behind_routers_has_its_default_way_its_names_and_no_other_networks_gateway():
    found = lab(*CHAIN)
    assert told(found, "box", "interfaces").splitlines()[2:] == [
        "auto eth0",
        "iface eth0 inet static",
        "  address 10.72.1.38/28",
        "  up ip route replace 10.72.1.16/28 via 10.72.1.37",
        "  gateway 10.72.1.37",
    ]
    assert told(found, "box", "resolv") == "nameserver 10.72.1.1\n"
    assert "10.72.1.19 router\n" in told(found, "web", "hosts")
    assert "10.72.1.3 router\n" in told(found, "desk", "hosts")


def test_a_machine_on_the_first_network_is_told_the_ways_and_the_probe_too():
    found = lab(*CHAIN)
    assert "  up ip route replace 10.72.1.32/28 via 10.72.1.3\n" in told(found, "desk", "interfaces")
    (probe,) = shared(found)["instances"]
    assert "  up ip route replace 10.72.0.32/28 via 10.72.0.3\n" in probe["config"]["user.practicum.interfaces"]


def test_only_a_router_forwards_and_only_that_of_the_gateway_answers_for_others():
    found = lab(*CHAIN)
    texts = {one.name: told(found, one.name, "interfaces") for one in CHAIN}
    assert {name for name, text in texts.items() if "ip_forward=1" in text} == {"router", "gate"}
    assert {name for name, text in texts.items() if "proxy_arp" in text} == {"router"}
    assert "net.ipv4.conf.eth0.proxy_arp=1" in texts["router"]


def test_every_way_begins_on_the_own_network():
    found = lab(*CHAIN)
    for one in CHAIN:
        lines = [line.split() for line in told(found, one.name, "interfaces").splitlines()]
        own = [IPv4Interface(words[1]).network for words in lines if words[0] == "address"]
        ways = [words[-1] for words in lines if words[0] == "gateway" or words[:3] == ["up", "ip", "route"]]
        assert all(any(IPv4Interface(way).ip in network for network in own) for way in ways)


def test_networks_behind_a_router_have_rules_of_their_own_and_the_host_no_more_rights():
    found = lab(*CHAIN)
    document = definition(found)
    outer, inner = document["acls"]
    assert [network["config"]["security.acls"].split("-")[-1] for network in document["networks"]] == [
        "s001",
        "inner",
        "inner",
        "inner",
    ]
    assert [rule["source"] for rule in outer["ingress"]] == ["10.72.1.2-10.72.1.62"]
    assert [rule["source"] for rule in inner["ingress"]] == ["10.72.1.1-10.72.1.62"]
    to_host = [rule for rule in inner["egress"] if rule.get("destination") == "10.72.1.1"]
    assert {(rule["protocol"], rule["destination_port"]) for rule in to_host} == {("tcp", "53"), ("udp", "53")}


@pytest.mark.parametrize(
    ("origin", "target", "network"),
    [
        (None, "router", "lan"),
        (None, "box", "vault"),
        ("web", "router", "dmz"),
        ("box", "router", "dmz"),
        ("desk", "gate", "dmz"),
        ("desk", "loner", None),
    ],
)
def test_a_check_says_on_which_network_its_machine_is_met(origin, target, network):
    check = Check("c", "tcp", target, origin, {"port": 22})
    (document,) = shared(lab(*CHAIN, checks=(check,)))["checks"]
    assert document.get("network") == network


def test_a_lab_with_one_network_says_no_more_than_before():
    found = lab(DESK, networks=("lan",), checks=(Check("c", "tcp", "desk", None, {"port": 22}),))
    assert "network" not in shared(found)["checks"][0]
    assert "places" not in definition(found)
    assert meeting_network(found, ("lan",), DESK) == "lan"
