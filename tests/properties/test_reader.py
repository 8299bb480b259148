"""No bytes break the reader, and one wrong key gives one diagnostic on its line."""

from copy import deepcopy

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.catalogue.load import load_catalogue
from generator.diagnostics.report import FORMATS, report
from generator.spec.load import load_lab, load_platform
from generator.spec.load_document import load_document
from generator.spec.platform import ENVIRONMENTS, default_platform
from generator.spec.reader import read_document
from generator.spec.roster import read_roster
from generator.spec.sources import MappingSources

PATH = "labs/net101/firewalls.lab.yaml"
PLATFORMS = {environment: default_platform(environment) for environment in ENVIRONMENTS}
SPEC = {
    "version": 1,
    "title": "Packet filtering",
    "students": "students.csv",
    "professor": "ada",
    "networks": {"lan": {}, "dmz": {}},
    "network": {"internet": [{"host": "deb.debian.org", "ports": [443]}]},
    "machines": {
        "web": {
            "type": "webserver",
            "connect": ["dmz"],
            "files": [{"from": "files/a", "to": "/a"}],
            "run": ["files/a"],
        },
        "router": {"type": "debian", "connect": ["lan", "dmz"], "forward": True},
    },
    "volumes": {"home": {"size": "2GiB", "machines": ["web"]}},
    "kubernetes": {"cluster": "lab", "nodes": {"count": 2}, "quota": {"pods": 5}},
    "checks": [
        {"name": "a", "http": {"machine": "web", "from": "router", "status": 404}, "wait": "1m"},
        {"name": "b", "exec": {"machine": "web", "run": "true"}, "when": "progress", "points": 2},
        {"name": "c", "kubernetes": {"deployment": "app"}},
    ],
    "solution": {"web": "files/a"},
    "schedule": {"due": "2026-12-01T23:59:00+01:00"},
}
FILES = {"labs/net101/students.csv": b"login\nada\nbo\n", "labs/net101/files/a": b"#!/bin/sh\ntrue\n"}

# Text made of what YAML gives a meaning reaches far more of the reader than random bytes do.
TOKENS = [
    "a",
    "b: ",
    ": ",
    "- ",
    "? ",
    "\n",
    "  ",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&x ",
    "*x",
    "<<: ",
    "!",
    "!!int ",
    "|",
    ">",
]
TOKENS += [
    "'",
    '"',
    "\\",
    "#",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "@",
    "`",
    "~",
    "1",
    "0o7",
    ".nan",
    "true",
    "\u2028",
    "\x85",
    "\ufeff",
]
YAML_TEXT = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join).map(str.encode)
ANY_BYTES = st.binary(max_size=200) | YAML_TEXT | st.text(max_size=100).map(lambda text: text.encode(errors="replace"))


def load(data):
    return load_lab(MappingSources({**FILES, PATH: data}), PATH, load_catalogue(), PLATFORMS)


def groups(value, path=()):
    """Yield the path of every group of keys that the schema describes (not those with free names)."""
    if isinstance(value, dict):
        if path not in {("networks",), ("machines",), ("volumes",), ("solution",)}:
            yield path
        for key, item in value.items():
            yield from groups(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from groups(item, (*path, index))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def text_of(document):
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False)


@settings(max_examples=400, deadline=None)
@given(ANY_BYTES)
def test_no_bytes_break_the_reader(data):
    result = read_document(data, "f")
    assert result.document is not None or result.diagnostics
    for problem in result.diagnostics:
        assert problem.position.line >= 1
        assert problem.position.column >= 1
    for form in FORMATS:
        report(form, result.diagnostics, read=lambda _file: data)


@settings(max_examples=300, deadline=None)
@given(ANY_BYTES)
def test_no_bytes_break_loading(data):
    loaded = load(data)
    assert loaded.lab is None
    assert loaded.diagnostics
    load_platform(data, "environments/dev/platform.yaml", "dev")
    read_roster(data, "students.csv")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([path for path in places(SPEC) if path]), VALUES)
def test_no_value_at_any_place_breaks_loading(path, value):
    document = deepcopy(SPEC)
    at(document, path[:-1])[path[-1]] = value
    loaded = load(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode())
    assert (loaded.lab is None) == any(problem.severity == "error" for problem in loaded.diagnostics)


def test_the_spec_itself_is_good():
    assert load(text_of(SPEC).encode()).diagnostics == ()


@settings(deadline=None)
@given(st.sampled_from(list(groups(SPEC))), st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_one_unknown_key_gives_one_diagnostic_on_its_line(path, letters):
    key = f"x-{letters}"
    document = deepcopy(SPEC)
    at(document, path)[key] = 1
    text = text_of(document)
    (problem,) = load(text.encode()).diagnostics
    assert problem.code == "PRA020"
    assert text.splitlines()[problem.position.line - 1].strip(" -") == f"{key}: 1"


@settings(deadline=None)
@given(st.sampled_from([path for path in places(SPEC) if path and isinstance(path[-1], str)]))
def test_a_misspelt_key_is_told_once(path):
    document = deepcopy(SPEC)
    group = at(document, path[:-1])
    if path[:-1] in {("networks",), ("machines",), ("volumes",), ("solution",)}:
        return
    renamed = {(f"{key}x" if key == path[-1] else key): value for key, value in group.items()}
    group.clear()
    group.update(renamed)
    loaded = load_document(text_of(document).encode(), PATH, "lab")
    assert [problem.code for problem in loaded.diagnostics] == ["PRA020"]
