"""No two seats share an address or a name: not in a lab, not across labs, environments or installations."""

from collections import Counter
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from itertools import combinations

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_strategies import PLATFORM, Repository, errors, repositories

from generator.generate import render
from generator.seats.names import is_student

CALM = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
INSTALLATIONS = ("k3v9t2qa", "zz7m4x1b")
LABS = ("net101/firewalls", "net101/routing", "db201/firewalls")


def installation(drawn, name, areas):
    """Return a repository of an installation: the same lab under three names, and its address blocks."""
    content = dict(drawn.content)
    text = content.pop("labs/net101/firewalls.lab.yaml")
    for lab in LABS:
        folder = f"labs/{lab.split('/')[0]}/"
        content |= {path.replace("labs/net101/", folder, 1): data for path, data in drawn.content.items()}
        content[f"labs/{lab}.lab.yaml"] = text
    for environment, area in zip(("dev", "prod"), areas, strict=True):
        content[f"environments/{environment}/platform.yaml"] = PLATFORM.format(name, area).encode()
    return Repository(content, drawn.document)


def documents(repository):
    """Return every document of every seat and the shared ones, dev and prod, as (environment, lab, name, document)."""
    edition = repository.edition(*LABS)
    assert errors(edition) == []
    return [
        (environment, state.lab.key, path.rsplit("/", 1)[1].removesuffix(".yaml"), yaml.load(data, yaml.CSafeLoader))
        for environment in ("dev", "prod")
        for state in edition.labs
        for path, data in render(edition, state, environment).items()
        if "/files/" not in path
    ]


def twice(values):
    return [value for value, count in Counter(values).items() if count > 1]


def inside(ranges, addresses):
    """Return the addresses that lie within an ACL's ranges, such as `10.0.0.1-10.0.0.9,10.1.0.1`."""
    ends = [[IPv4Address(end) for end in (*part.split("-"), part.split("-")[-1])[:2]] for part in ranges.split(",")]
    return {address for address in addresses if any(first <= address <= last for first, last in ends)}


def interfaces(entry):
    """Return the addresses that a machine gives itself."""
    lines = entry["config"]["user.practicum.interfaces"].splitlines()
    return [IPv4Interface(line.split()[1]) for line in lines if line.strip().startswith("address ")]


@CALM
@given(repositories(st.integers(1, 3)))
def test_no_address_is_given_twice(drawn):
    areas = (("10.64.0.0/16", "10.65.0.0/16"), ("10.66.0.0/16", "10.67.0.0/16"))
    machines, gateways = [], []
    for name, blocks in zip(INSTALLATIONS, areas, strict=True):
        for environment, _lab, _seat, document in documents(installation(drawn, name, blocks)):
            area = IPv4Network(blocks[("dev", "prod").index(environment)])
            own = [place for entry in document["instances"] for place in interfaces(entry)]
            bridges = [network["config"]["ipv4.address"] for network in document.get("networks", ())]
            gateways += [IPv4Interface(address) for address in bridges if address != "none"]
            machines += own
            assert all(place.ip in area for place in own)
    assert twice(place.ip for place in (*machines, *gateways)) == []
    assert all(place.ip not in (place.network.network_address, place.network.broadcast_address) for place in machines)


@CALM
@given(repositories(st.integers(1, 3)))
def test_seats_have_networks_that_do_not_overlap(drawn):
    ranges = {}
    for environment, lab, seat, document in documents(installation(drawn, "one", ("10.64.0.0/16", "10.65.0.0/16"))):
        networks = {place.network for entry in document["instances"] for place in interfaces(entry)}
        # The probe stands in the professor's first network.
        ranges.setdefault((environment, lab, "prof" if seat == "shared" else seat), set()).update(networks)
    for one, two in combinations(ranges.values(), 2):
        assert not any(first.overlaps(second) for first in one for second in two)


@CALM
@given(repositories(st.integers(1, 3)))
def test_no_name_is_given_twice(drawn):
    bridges, acls, projects, instances, volumes = [], [], [], [], []
    for name in INSTALLATIONS:
        # The worst case: both installations have the same address blocks.
        for environment, lab, _seat, document in documents(installation(drawn, name, ("10.64.0.0/16", "10.65.0.0/16"))):
            place = (name, environment, lab)
            bridges += [network["name"] for network in document.get("networks", ())]
            acls += [acl["name"] for acl in document["acls"]]
            projects += [document["project"]["name"]] if "project" in document else []
            instances += [(*place, entry["name"]) for entry in document["instances"]]
            volumes += [(*place, volume["name"]) for volume in document.get("volumes", ())]
    for names in (bridges, acls, projects, instances, volumes):
        assert twice(names) == []


@CALM
@given(repositories(st.integers(1, 3)), st.sampled_from(["dev", "prod"]))
def test_everything_carries_the_marker_of_its_seat(drawn, environment):
    repository = installation(drawn, "k3v9t2qa", ("10.64.0.0/16", "10.65.0.0/16"))
    for env, lab, seat, document in documents(repository):
        if env != environment:
            continue
        marker = f"k3v9t2qa/{env}/{lab}/{'-' if seat == 'shared' else seat}"
        owned = [*document["acls"], *document.get("networks", ()), *document["instances"], *document.get("volumes", ())]
        owned += [*document.get("profiles", ()), *([document["project"]] if "project" in document else [])]
        assert {entry["config"]["user.practicum"] for entry in owned} == {marker}


@CALM
@given(repositories(st.integers(1, 3)))
def test_a_students_acl_opens_the_own_seat_and_nothing_of_another(drawn):
    found = documents(installation(drawn, "one", ("10.64.0.0/16", "10.65.0.0/16")))
    for environment, lab, seat, document in found:
        if not is_student(seat):
            continue
        own = {place.ip for entry in document["instances"] for place in interfaces(entry)}
        others = {
            place.ip
            for env, other_lab, other, entry in found
            for machine in entry["instances"]
            for place in interfaces(machine)
            if (env, other_lab, other) != (environment, lab, seat)
        }
        for acl in document["acls"]:
            claimed, *opened = acl["egress"]
            assert (claimed["action"], own & inside(claimed["source"], own | others)) == ("drop", set())
            assert others <= inside(claimed["source"], others)
            ways = [rule["destination"] for rule in opened] + [rule["source"] for rule in acl["ingress"]]
            assert {rule["action"] for rule in (*opened, *acl["ingress"])} == {"allow"}
            assert not any(others & inside(way, others) for way in ways)
            assert own <= inside(opened[0]["destination"], own)
            assert own <= inside(acl["ingress"][0]["source"], own)
