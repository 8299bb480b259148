"""The reference solution stands in the definitions of dev's pilot, and nowhere that a student's machine comes from."""

import hashlib
import json
from datetime import date

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target
from generator.render.tree import render_lab
from generator.seats.addresses import allocate
from generator.seats.seat_book import SeatEntry
from generator.spec.load import load_lab, load_platforms
from generator.spec.sources import MappingSources

PATH = "labs/net101/hello.lab.yaml"
SCRIPT = b"#!/bin/sh\nrm /etc/open\n"
CHECK = {"name": "shut", "exec": {"machine": "web", "run": "test ! -e /etc/open"}, "when": "progress"}
SPEC = {
    "version": 1,
    "title": "T",
    "students": 1,
    "machines": {"web": {"type": "webserver"}, "desk": {"type": "debian"}},
    "checks": [CHECK],
    "solution": {"web": "files/solve.sh", "desk": "files/desk.sh"},
}


def tree(environment):
    files = {"labs/net101/files/solve.sh": SCRIPT, "labs/net101/files/desk.sh": SCRIPT + b"# desk\n"}
    sources = MappingSources({PATH: json.dumps(SPEC).encode(), **files})
    platforms = load_platforms(sources).platforms
    lab = load_lab(sources, PATH, load_catalogue(), platforms).lab
    platform = platforms[environment]
    addresses = allocate({}, platform.addresses, lab.key, 1, ["web", "desk"], 1)[lab.key]
    seats = {"s001": SeatEntry(None, "active", date(2026, 9, 1))}
    return render_lab(Target(lab, platform, addresses, load_catalogue(), sources), seats)


def test_dev_has_it_in_the_pilots_definition_in_the_order_of_the_spec():
    found = {path.rsplit("/", 1)[1]: data for path, data in tree("dev").items()}
    digest = hashlib.sha256(SCRIPT).hexdigest()
    assert found[digest] == SCRIPT
    text = found["pilot.yaml"].decode()
    assert digest in text
    assert text.index("files/solve.sh") < text.index("files/desk.sh")
    assert b"solve.sh" not in found["prof.yaml"] + found["shared.yaml"]


def test_prod_has_neither_the_scripts_nor_their_names_or_digests():
    found = tree("prod")
    assert {path.rsplit("/", 1)[1] for path in found} == {"shared.yaml", "prof.yaml", "s001.yaml"}
    everything = b"".join(found.values())
    assert b"solve.sh" not in everything
    assert hashlib.sha256(SCRIPT).hexdigest().encode() not in everything
