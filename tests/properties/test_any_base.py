"""Whatever stands in a Kubernetes base, it gives diagnostics and never an exception."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.catalogue.load import load_catalogue
from generator.diagnostics.diagnostic import Position
from generator.diagnostics.report import FORMATS, report
from generator.kubernetes_base.merge import BadPatch, merged
from generator.kubernetes_base.node import Node, Place, made
from generator.spec.load import load_lab
from generator.spec.platform import ENVIRONMENTS, default_platform
from generator.spec.sources import MappingSources

SHOP = Path(__file__).parents[1] / "unit" / "kubernetes_base" / "shop"
FILES = {path.relative_to(SHOP).as_posix(): path.read_bytes() for path in SHOP.rglob("*") if path.is_file()}
NAMES = sorted(name for name in FILES if "/k8s/" in name)
SPEC = "labs/cloud101/shop.lab.yaml"
CATALOGUE = load_catalogue()
PLATFORMS = {environment: default_platform(environment) for environment in ENVIRONMENTS}
WORDS = sorted({word for name in NAMES for word in FILES[name].decode().split() if len(word) < 30})
VALUES = [
    "null",
    "[]",
    "{}",
    "5",
    "true",
    "''",
    "[a]",
    "{a: b}",
    "- a",
    "0.5",
    "!x y",
    "&a",
    "*a",
    "{{ x }}",
    "((",
    "$patch: delete",
]


def said(files):
    """Return what is said about a repository, after every report could show it."""
    sources = MappingSources(files)
    found = load_lab(sources, SPEC, CATALOGUE, PLATFORMS).diagnostics
    for form in FORMATS:
        report(form, found, read=files.get)
    assert all(problem.file in files and problem.position.line >= 1 for problem in found)
    return found


def test_the_untouched_base_is_good():
    assert said(FILES) == ()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.binary(max_size=200))
def test_any_bytes_in_any_file(name, data):
    said({**FILES, name: data})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_word_replaced_by_another(data):
    name = data.draw(st.sampled_from(NAMES))
    text = FILES[name].decode()
    for _ in range(data.draw(st.integers(1, 3))):
        old = data.draw(st.sampled_from([word for word in WORDS if word in text] or [" "]))
        text = text.replace(old, data.draw(st.sampled_from(WORDS + VALUES)), 1)
    said({**FILES, name: text.encode()})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 40), st.integers(0, 40))
def test_any_lines_missing(name, first, count):
    lines = FILES[name].decode().splitlines(keepends=True)
    said({**FILES, name: "".join(lines[:first] + lines[first + count :]).encode()})


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
TREES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3)
)


@pytest.mark.parametrize(
    "kind", ["ConfigMap", "Deployment", "CronJob", "Role", "RoleBinding", "Service", "Ingress", "StatefulSet"]
)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_shape_of_any_part(kind, data):
    group = {
        "Deployment": "apps/v1",
        "StatefulSet": "apps/v1",
        "CronJob": "batch/v1",
        "Ingress": "networking.k8s.io/v1",
    }
    version = group.get(kind, "rbac.authorization.k8s.io/v1" if kind.startswith("Role") else "v1")
    keys = [
        "spec",
        "template",
        "jobTemplate",
        "containers",
        "rules",
        "subjects",
        "roleRef",
        "securityContext",
        "metadata",
        "resources",
    ]
    keys += [
        "selector",
        "volumeClaimTemplates",
        "ports",
        "labels",
        "requests",
        "image",
        "name",
        "host",
        "kind",
        "verbs",
        "volumes",
    ]
    shape = st.recursive(
        SCALARS, lambda low: st.lists(low, max_size=3) | st.dictionaries(st.sampled_from(keys), low, max_size=5)
    )
    parts = data.draw(
        st.dictionaries(st.sampled_from(["spec", "rules", "subjects", "roleRef", "data"]), shape, max_size=3)
    )
    text = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, **parts}
    said({**FILES, "labs/cloud101/k8s/job.yaml": json.dumps(text).encode()})


@given(TREES, TREES)
def test_merging_any_values_ends(base, patch):
    place = Place("a.yaml", (), Position(), Position())
    try:
        found = merged(made(base, place), made(patch, place))
    except BadPatch:
        return
    assert found is None or isinstance(found, Node)
