"""A small course with a base, in memory: `told(…)` gives what is said about it, `built(…)` its objects."""

import pytest

from generator.catalogue.load import load_catalogue
from generator.kubernetes_base.build import build_base
from generator.spec.load import load_lab, load_platforms
from generator.spec.sources import MappingSources

COURSE = "labs/cloud101"
SPEC = f"{COURSE}/shop.lab.yaml"
SMALL = "version: 1\ntitle: Shop\nstudents: 20\nkubernetes: {base: k8s/}\n"
VALUES = {"student": {"id": "s001"}, "seat": {"id": "s001", "address": "", "addresses": {}}}


def sources_of(files, spec=SMALL, platforms=None):
    """Return a repository: files beside kustomization.yaml, and a text `kustomization` if only that is given."""
    content = {SPEC: spec} | {f"{COURSE}/k8s/{name}": text for name, text in files.items()}
    content |= {f"environments/{name}/platform.yaml": text for name, text in (platforms or {}).items()}
    return MappingSources({name: text if isinstance(text, bytes) else text.encode() for name, text in content.items()})


def diagnostics_of(sources):
    return load_lab(sources, SPEC, load_catalogue(), load_platforms(sources).platforms).diagnostics


@pytest.fixture
def told():
    """Return (code, line) of all that is said about a base given by its files, or by one manifest."""

    def run(files, spec=SMALL, platforms=None):
        files = {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": files} if isinstance(files, str) else files
        found = diagnostics_of(sources_of(files, spec, platforms))
        return [(problem.code, problem.position.line) for problem in found]

    return run


@pytest.fixture
def built():
    """Return the objects of a base that has no problems, by kind and name."""

    def run(files):
        base = build_base(sources_of(files), COURSE, f"{COURSE}/k8s", VALUES)
        assert base.problems == ()
        return {(manifest.kind, manifest.name): manifest for manifest in base.objects}

    return run
