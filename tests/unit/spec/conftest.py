"""A small repository in memory around the spec that a test writes."""

import textwrap

import pytest

from generator.catalogue.model import Image, MachineType
from generator.spec.load import load_lab
from generator.spec.platform import ENVIRONMENTS, default_platform
from generator.spec.sources import MappingSources
from generator.spec.units import GIB, MIB

PATH = "labs/net101/firewalls.lab.yaml"
IMAGE = Image("trixie", (), {}, ())
SMOKE = {"name": "web server answers", "http": {"port": 80, "path": "/"}}


def machine_type(name, **settings):
    defaults = {"title": name, "description": "", "cpu": 1, "memory": 512 * MIB, "disk": 5 * GIB}
    return MachineType(name, **{**defaults, "ports": (), "keep": (), "checks": (), "image": IMAGE, **settings})


CATALOGUE = {
    kind.name: kind
    for kind in (
        machine_type("debian"),
        machine_type("webserver", keep=("/var/www",), checks=(SMOKE,)),
        machine_type("database", home=False, memory=GIB),
        machine_type("probe", hidden=True),
    )
}


@pytest.fixture
def load():
    """Load a spec: `load(text, {path: content}, platforms=…)`; paths are relative to the folder of the course."""

    def run(text, files=None, platforms=None, path=PATH):
        content = {path: textwrap.dedent(text).encode()}
        content |= {f"labs/net101/{name}": data.encode() for name, data in (files or {}).items()}
        defaults = {environment: default_platform(environment) for environment in ENVIRONMENTS}
        return load_lab(MappingSources(content), path, CATALOGUE, {**defaults, **(platforms or {})})

    return run


@pytest.fixture
def lab(load):
    """Load a spec that must be good."""

    def run(*arguments, **options):
        loaded = load(*arguments, **options)
        assert loaded.diagnostics == ()
        return loaded.lab

    return run


@pytest.fixture
def told(load):
    """Load a bad spec and return (code, line) of what is told."""

    def run(*arguments, **options):
        return [(problem.code, problem.position.line) for problem in load(*arguments, **options).diagnostics]

    return run
