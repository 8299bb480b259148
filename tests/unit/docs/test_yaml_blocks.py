"""What the documentation shows as YAML or JSON is right, and what it shows as wrong is told in these words."""

import hashlib
import json
import re

import pytest
import yaml
from pages import BLOCKS, ROOT, tagged

from generator.catalogue.load import load_catalogue
from generator.diagnostics.report import report
from generator.render.template import render
from generator.spec.load import load_lab, load_platform
from generator.spec.platform import ENVIRONMENTS, default_platform
from generator.spec.sources import MappingSources

COURSE = "labs/net101"
SPEC = f"{COURSE}/hello.lab.yaml"
ROSTER = b"login,name,email,group\ngrace,Grace H.,grace@example.org,A\n"
PLATFORMS = {environment: default_platform(environment) for environment in ENVIRONMENTS}


def loaded(text):
    """Load a spec with the files that it names beside it."""
    content = {SPEC: text.encode()}
    names = re.findall(r"[\w/.-]+\.(?:j2|sh|txt|md|html|nft)\b", text)
    content |= {f"{COURSE}/{name}": b"#!/bin/sh\ntrue\n" for name in names} | {f"{COURSE}/students.csv": ROSTER}
    return load_lab(MappingSources(content), SPEC, load_catalogue(), PLATFORMS)


def is_spec(text):
    return "students" in yaml.safe_load(text)


@pytest.mark.parametrize("block", [block for block in tagged("yaml") if is_spec(block.text)], ids=str)
def test_every_spec_is_right(block):
    assert loaded(block.text).diagnostics == ()


@pytest.mark.parametrize("block", [block for block in tagged("yaml") if not is_spec(block.text)], ids=str)
def test_every_other_yaml_block_is_a_platform_file(block):
    found = load_platform(block.text.encode(), "environments/dev/platform.yaml", "dev")
    assert found.diagnostics == ()
    assert found.platform


@pytest.mark.parametrize("block", tagged("yaml fragment"), ids=str)
def test_every_fragment_can_be_read(block):
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", tagged("json"), ids=str)
def test_every_json_block_can_be_read(block):
    assert json.loads(block.text)


@pytest.mark.parametrize("block", tagged("yaml wrong"), ids=str)
def test_every_wrong_spec_gives_the_text_that_follows_it(block):
    shown = next(after for after in BLOCKS[BLOCKS.index(block) :] if after.tag == "text")
    told = report("text", loaded(block.text).diagnostics, read=lambda _path: block.text.encode())
    assert told.strip() == shown.text.strip()


@pytest.mark.parametrize("block", tagged("jinja"), ids=str)
def test_every_template_can_be_rendered(block):
    words = {
        "student": {"id": "s007", "login": "grace"},
        "seat": {"id": "s007", "address": "10.72.1.2", "addresses": {"web": "10.72.1.2"}},
        "lab": {"course": "net101", "name": "flags", "title": "Find the flag"},
        "environment": "prod",
    }
    assert render(block.text, words).strip()


@pytest.mark.parametrize("block", tagged("csv"), ids=str)
def test_every_roster_is_right(block):
    text = "version: 1\ntitle: T\nstudents: r.csv\nmachines:\n  web: {type: webserver}\n"
    sources = MappingSources({SPEC: text.encode(), f"{COURSE}/r.csv": block.text.encode()})
    result = load_lab(sources, SPEC, load_catalogue(), PLATFORMS)
    assert result.diagnostics == ()
    assert len(result.lab.students) == len(block.text.strip().splitlines()) - 1


def test_every_block_has_a_tag_that_some_test_knows():
    known = {"yaml", "yaml fragment", "yaml wrong", "json", "jinja", "csv", "sh", "text"}
    assert {str(block): block.tag for block in BLOCKS if block.tag not in known} == {}


def test_there_are_specs_and_wrong_specs():
    assert len(tagged("yaml")) >= 5
    assert tagged("yaml wrong")


def test_the_licence_is_the_apache_licence():
    text = (ROOT / "LICENSE").read_bytes()
    assert hashlib.sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
