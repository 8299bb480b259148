"""The tree of a lab: what belongs to its digest, and where machines are found."""

from ipaddress import IPv4Network

import pytest

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document
from generator.render.tree import is_written_by_commands, tree_digest
from generator.seats.addresses import LabAddresses
from generator.spec.model import Lab, Machine
from generator.spec.platform import default_platform
from generator.spec.sources import MappingSources

FOLDER = "environments/dev/net101/firewalls"
CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (f"{FOLDER}/release.json", True),
        (f"{FOLDER}/operation.yaml", True),
        ("environments/dev/lxd/lxd/operation.yaml", True),
        (f"{FOLDER}/lxd/operation.yaml", False),
        (f"{FOLDER}/lxd/s999-operation.yaml", False),
        (f"{FOLDER}/my-operation.yaml", False),
        (f"{FOLDER}/lxd/files/release.json", False),
        ("environments/dev/net101/release.json", False),
        ("labs/dev/net101/firewalls/release.json", False),
    ],
)
def test_commands_write_exactly_two_files_of_a_lab(path, written):
    assert is_written_by_commands(path) == written
    tree = {f"{FOLDER}/lxd/prof.yaml": b"x"}
    assert (tree_digest({**tree, path: b"y"}) == tree_digest(tree)) == written


def test_a_seat_tells_the_first_address_of_each_machine():
    def machine(name, *connect):
        return Machine(name, CATALOGUE["debian"], "container", connect, 1, 2**29, 2**30)

    machines = (machine("web", "dmz"), machine("router", "dmz", "lan"), machine("desk", "lan"))
    lab = Lab("net101", "walls", "W", "labs/net101/walls.lab.yaml", (), machines, networks=("lan", "dmz"))
    addresses = LabAddresses((IPv4Network("10.72.0.0/20"),), {"web": 2, "router": 3, "desk": 4})
    document = seat_document(Target(lab, default_platform("prod"), addresses, CATALOGUE, MappingSources({})), "s001")
    assert document["addresses"] == {"web": "10.72.1.18", "router": "10.72.1.19", "desk": "10.72.1.4"}
    assert list(document)[:5] == ["format", "seat", "power", "addresses", "acls"]
