"""The tree of a lab: what belongs to its digest, and where machines are found."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document
from generator.render.references import resolve
from generator.render.tree import is_written_by_commands, tree_digest
from generator.seats.addresses import LabAddresses
from generator.spec.model import FileEntry, Lab, Machine
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
    assert document["places"]["router"] == {"dmz": "10.72.1.19", "lan": "10.72.1.3"}
    assert list(document)[:6] == ["format", "seat", "power", "addresses", "places", "acls"]


def test_only_references_that_the_generator_made_are_resolved():
    literal = "((practicum:secret flag))"
    names = {"plain": f"labs/net101/{literal}.sh", "template": f"labs/net101/{literal}.j2"}
    sources = MappingSources(
        {names["plain"]: literal.encode(), names["template"]: b"{{ secret('flag') }} {{ lab.title }}"}
    )
    files = (FileEntry(names["template"], f"/srv/{literal}", 0o644), FileEntry(f"data:{literal}", "/srv/data", 0o644))
    machine = Machine("web", CATALOGUE["debian"], "container", ("lan",), 1, 2**29, 2**30, files=files)
    machine = replace(machine, run=(names["plain"],), setup=(names["plain"], names["template"]))
    lab = Lab("net101", "walls", literal, "labs/net101/walls.lab.yaml", (), (machine,))
    addresses = LabAddresses((IPv4Network("10.72.0.0/20"),), {"web": 2})
    document = seat_document(Target(lab, default_platform("dev"), addresses, CATALOGUE, sources), "prof")
    steps = [
        {key: resolve(text, lambda kind, argument: "VALUE") for key, text in step.items() if isinstance(text, str)}
        for step in document["instances"][0]["steps"]
    ]
    assert [(step.get("to") or step["name"], step.get("content") or step.get("data")) for step in steps] == [
        (f"/srv/{literal}", f"VALUE {literal}"),
        ("/srv/data", literal),
        (names["plain"], None),
        (names["plain"], literal),
        (names["template"], f"VALUE {literal}"),
    ]
