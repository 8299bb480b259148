"""Networks and ACLs: what is open is said, and it is no more than the spec and the platform allow."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

import pytest

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document, shared_document
from generator.render.needs import needs
from generator.render.networks import NOT_INTERNET, internet
from generator.seats.addresses import LabAddresses, gateway
from generator.spec.model import AllowedHost, Kubernetes, Lab, Machine, Volume
from generator.spec.platform import default_platform
from generator.spec.sources import MappingSources

CATALOGUE = load_catalogue()
WORLD = IPv4Network("0.0.0.0/0")
ADDRESSES = LabAddresses((IPv4Network("10.72.0.0/20"), IPv4Network("10.72.32.0/20")), {"web": 2, "db": 3})


def machine(name, kind="debian", connect=("lan",), **settings):
    return Machine(name, CATALOGUE[kind], "container", connect, 1, 2**29, 2**30, **settings)


LAB = Lab("net101", "walls", "Walls", "labs/net101/walls.lab.yaml", (), (machine("web", "webserver"), machine("db")))


def target(lab=LAB, environment="prod", **platform):
    chosen = replace(default_platform(environment), installation="k3v9t2qa", **platform)
    return Target(lab, chosen, ADDRESSES, CATALOGUE, MappingSources({}))


def acls(document, name):
    return next(acl for acl in document["acls"] if acl["name"].endswith(f"-{name}"))


def destinations(rules):
    return [rule["destination"] for rule in rules if rule["action"] != "drop"]


def test_the_internet_and_what_is_not_the_internet_are_the_whole_world():
    everything = sorted(collapse_addresses([*internet(), *NOT_INTERNET]))
    assert everything == [WORLD]
    assert not any(open_.overlaps(closed) for open_ in internet() for closed in NOT_INTERNET)


@pytest.mark.parametrize(
    "private", ["10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "127.0.0.1", "224.0.0.1", "100.64.0.1"]
)
def test_private_places_are_not_the_internet(private):
    assert not any(IPv4Network(private).subnet_of(area) for area in internet())


def test_without_internet_students_reach_only_themselves():
    assert acls(shared_document(target()), "students")["egress"] == []
    claimed, rule = acls(seat_document(target(), "s001"), "s001")["egress"]
    assert claimed["action"] == "drop"
    assert rule == {"action": "allow", "state": "enabled", "destination": "10.72.1.2-10.72.1.62"}


def test_the_professor_may_come_in_and_nobody_else():
    (rule,) = acls(shared_document(target()), "students")["ingress"]
    assert rule == {"action": "allow", "state": "enabled", "source": "10.72.0.2-10.72.0.62"}
    (own,) = acls(seat_document(target(), "s002"), "s002")["ingress"]
    assert own["source"] == "10.72.1.66-10.72.1.126"
    (professor,) = acls(seat_document(target(), "prof"), "prof")["ingress"]
    assert professor["source"] == "10.72.0.2-10.72.0.62"


def test_with_the_whole_internet_the_host_is_closed_before_it_is_opened():
    egress = acls(shared_document(target(replace(LAB, internet="full"))), "students")["egress"]
    assert egress[0] == {"action": "reject", "destination": "((practicum:host-addresses))", "state": "enabled"}
    assert [IPv4Network(part) for part in egress[1]["destination"].split(",")] == internet()
    assert len(egress) == 2


def test_an_allow_list_opens_its_ranges_and_ports_only():
    lab = replace(LAB, internet=(AllowedHost(None, "192.0.2.0/24", (80, 443)), AllowedHost(None, "198.51.100.7/32")))
    closed, first, second = acls(shared_document(target(lab)), "students")["egress"]
    assert closed["action"] == "reject"
    assert (first["destination"], first["protocol"], first["destination_port"]) == ("192.0.2.0/24", "tcp", "80,443")
    assert second == {"action": "allow", "state": "enabled", "destination": "198.51.100.7/32"}


def test_a_host_by_name_is_looked_up_later_and_an_ipv6_range_opens_only_itself():
    lab = replace(LAB, internet=(AllowedHost("deb.debian.org", None, (443,)), AllowedHost(None, "2001:db8::/32")))
    closed, named, opened = acls(shared_document(target(lab)), "students")["egress"]
    assert closed["action"] == "reject"
    assert named["destination"] == "((practicum:addresses-of deb.debian.org))"
    assert (named["action"], named["protocol"], named["destination_port"]) == ("allow", "tcp", "443")
    assert opened == {"action": "allow", "state": "enabled", "destination": "2001:db8::/32"}


@pytest.mark.parametrize("seat", ["s001", "prof", "pilot"])
def test_nobody_sends_under_another_name(seat):
    rules = acls(seat_document(target(environment="dev"), seat), seat)["egress"]
    (claimed,) = (rule for rule in rules if rule["action"] == "drop")
    block = ADDRESSES.seat(seat)
    dropped = [[IPv4Address(end) for end in part.split("-")] for part in claimed["source"].split(",")]
    own = {address for address in block.hosts() if not any(first <= address <= last for first, last in dropped)}
    assert own == {*block.hosts()} - {gateway(block)}
    assert (dropped[0][0], dropped[-1][1]) == (WORLD[0], WORLD[-1])
    assert "destination" not in claimed


@pytest.mark.parametrize(
    ("policy", "opened"),
    [
        ("none", []),
        ("mirror", ["((practicum:mirror-addresses))"]),
        ("full", ["((practicum:host-addresses))", ",".join(map(str, internet())), "((practicum:mirror-addresses))"]),
    ],
)
def test_the_professors_own_copy_reaches_the_class_and_what_the_platform_says(policy, opened):
    rules = acls(seat_document(target(environment="dev", professor_internet=policy), "prof"), "prof")["egress"]
    assert destinations(rules) == ["10.72.0.0/20,10.72.32.0/20", *opened]


@pytest.mark.parametrize("platform", ["none", "mirror", "full"])
@pytest.mark.parametrize(
    ("policy", "opened"), [("none", []), ("full", ["((practicum:host-addresses))", ",".join(map(str, internet()))])]
)
def test_the_professor_of_the_class_reaches_what_students_reach(platform, policy, opened):
    chosen = target(replace(LAB, internet=policy), professor_internet=platform)
    rules = acls(seat_document(chosen, "prof"), "prof")["egress"]
    assert destinations(rules) == ["10.72.0.0/20,10.72.32.0/20", *opened]


ALLOWED = (AllowedHost(None, "192.0.2.0/24"),)


@pytest.mark.parametrize(
    ("policy", "environment", "seat", "forwards"),
    [
        ("none", "prod", "s001", False),
        ("none", "prod", "prof", False),
        ("none", "dev", "pilot", False),
        ("none", "dev", "prof", True),
        ("full", "prod", "s001", True),
        (ALLOWED, "prod", "s001", True),
    ],
)
def test_the_resolver_of_a_seat_without_internet_asks_nobody(policy, environment, seat, forwards):
    (network,) = seat_document(target(replace(LAB, internet=policy), environment), seat)["networks"]
    assert network["config"]["raw.dnsmasq"] == ("" if forwards else "no-resolv")


def test_students_have_the_shared_acl_and_their_own_and_the_professor_only_one():
    scope = target().scope
    (student,) = seat_document(target(), "s001")["networks"]
    (professor,) = seat_document(target(), "prof")["networks"]
    assert student["config"]["security.acls"] == f"{scope.acl('students')},{scope.acl('s001')}"
    assert professor["config"]["security.acls"] == scope.acl("prof")


def test_only_the_first_network_has_a_gateway_and_every_address_is_explicit():
    lab = replace(LAB, networks=("lan", "dmz"), machines=(machine("web"), machine("db", connect=("dmz", "lan"))))
    lan, dmz = seat_document(target(lab), "s001")["networks"]
    assert (lan["config"]["ipv4.address"], lan["config"]["ipv4.nat"]) == ("10.72.1.1/26", "true")
    assert dmz["config"]["ipv4.address"] == "none"
    assert "ipv4.nat" not in dmz["config"]
    assert lan["config"]["ipv6.address"] == dmz["config"]["ipv6.address"] == "none"
    db = seat_document(target(lab), "s001")["instances"][1]
    assert db["devices"]["eth0"]["network"] == dmz["name"]
    assert db["devices"]["eth1"] == {"type": "nic", "name": "eth1", "network": lan["name"], "ipv4.address": "10.72.1.3"}
    assert "  gateway 10.72.1.1\n" in db["config"]["user.practicum.interfaces"]
    assert db["config"]["user.practicum.resolv"] == "nameserver 10.72.1.1\n"


def test_every_device_of_a_machine_has_a_name_of_its_own():
    volumes = tuple(Volume(name, 2**30, f"/srv/{name}", ("web",)) for name in ("home", "data"))
    (web, _) = seat_document(target(replace(LAB, volumes=volumes)), "s001")["instances"]
    assert list(web["devices"]) == ["eth0", "home", "data"]
    assert web["devices"]["data"] == {"type": "disk", "pool": "practicum", "source": "s001-data", "path": "/srv/data"}


def test_machines_of_the_dev_professor_come_from_recipes_and_all_others_from_the_checkpoint():
    def sources(environment, seat):
        return [entry["source"] for entry in seat_document(target(environment=environment), seat)["instances"]]

    assert sources("dev", "prof") == [{"image": "webserver"}, {"image": "debian"}]
    for environment, seat in (("dev", "pilot"), ("prod", "prof"), ("prod", "s001")):
        assert sources(environment, seat) == [{"checkpoint": "web"}, {"checkpoint": "db"}]


def test_the_probe_stands_in_the_professors_first_network():
    (probe,) = shared_document(target())["instances"]
    assert probe["devices"]["eth0"]["network"] == target().scope.bridge("prof", 0)
    assert probe["devices"]["eth0"]["ipv4.address"] == "10.72.0.62"
    assert probe["source"] == {"image": "debian"}
    assert "debian" in shared_document(target())["images"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"machines": (replace(machine("web"), kind="vm", disk=2**30),)}, "machines.web.disk"),
        ({"machines": (machine("web", "kubernetes-node"),)}, "machines.web.type"),
        ({"kubernetes": Kubernetes("seat", None, {}, {})}, "kubernetes.cluster"),
        ({"kubernetes": Kubernetes("lab", None, {}, {})}, "environments/prod/platform.yaml: kubernetes.k3s"),
    ],
)
def test_what_is_not_built_is_a_need_that_names_its_key(change, key):
    (need,) = needs(replace(LAB, **change), default_platform("prod"))
    assert need.key == key
    assert need.missing


def test_a_lab_on_an_existing_cluster_lacks_nothing():
    kubernetes = Kubernetes("existing:campus", None, {}, {})
    assert needs(replace(LAB, kubernetes=kubernetes), default_platform("prod")) == []


def test_argo_cd_needs_a_url_of_the_repository():
    lab = replace(LAB, kubernetes=Kubernetes("existing:campus", None, {}, {}))
    by_argocd = replace(default_platform("prod"), settings={"delivery": "argocd"})
    assert [need.key for need in needs(lab, by_argocd)] == ["environments/prod/platform.yaml: git.remote"]
    assert needs(LAB, by_argocd) == []


def test_a_folder_needs_lxd_on_the_same_host():
    lab = replace(LAB, volumes=(Volume("home", 1, "/srv/h", ("web",), "nfs"),))
    here = replace(default_platform("prod"), storage={"local": "practicum", "nfs": "/srv/practicum"})
    assert needs(lab, here) == []
    there = needs(lab, replace(here, url="https://lxd.example.org:8443"))
    assert [need.key for need in there if "volumes" in need.key] == ["volumes.home.storage"]


def test_a_lab_of_what_is_built_needs_nothing():
    assert needs(LAB, default_platform("prod")) == []
