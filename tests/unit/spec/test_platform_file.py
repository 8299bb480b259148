"""Platform files and their defaults."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest
import yaml

from generator.schema_files import read_schema
from generator.spec.load import load_platform, load_platforms
from generator.spec.platform import ENVIRONMENTS, Capacity, default_platform
from generator.spec.sources import MappingSources
from generator.spec.units import GIB, TIB
from practicum.stages.values import DEFAULT_MIRROR


def load(text, environment="dev"):
    return load_platform(text.encode(), f"environments/{environment}/platform.yaml", environment)


def codes(text):
    return [problem.code for problem in load(text).diagnostics]


def test_one_key_leaves_the_rest_at_its_default():
    platform = load("installation: abc123\n", "prod").platform
    assert platform.installation == "abc123"
    assert platform.addresses == IPv4Network("10.72.0.0/13")
    assert platform.socket == "/var/lib/lxd/unix.socket"
    assert dict(platform.storage) == {"local": "practicum"}
    assert platform.capacity == Capacity()


def test_the_defaults_that_the_schema_tells_are_those_that_hold():
    properties = read_schema("platform")["properties"]
    told = {key: part["default"] for key, part in properties.items() if "default" in part}
    told["capacity"] = {
        key: part["default"] for key, part in properties["capacity"]["properties"].items() if "default" in part
    }
    assert told.pop("mirror") == DEFAULT_MIRROR
    assert {"storage", "lxd", "professor_internet", "secret_key"} <= set(told)
    platform = load(yaml.safe_dump(told)).platform
    assert replace(platform, settings={}) == default_platform("dev")


def test_every_key_arrives():
    platform = load(
        """\
lxd: {url: "https://lxd.example.org:8443", certificate: c.crt, key: c.key}
storage: {local: fast, nfs: {host_path: /srv/nfs}}
addresses: 10.128.0.0/12
capacity: {cpu: 64, memory: 256GiB, pool: 2TiB, overcommit: 2.5, reserve: 50GiB}
professor_internet: mirror
mirror: http://mirror.example.org/debian
data_folder: /srv/data
vms: lxd
secret_key: keys/hmac
delivery: argocd
"""
    ).platform
    assert (platform.socket, platform.url) == (None, "https://lxd.example.org:8443")
    assert dict(platform.storage) == {"local": "fast", "nfs": "/srv/nfs"}
    assert platform.capacity == Capacity(64, 256 * GIB, 2 * TIB, 2.5, 50 * GIB)
    assert (platform.professor_internet, platform.vms, platform.secret_key) == ("mirror", "lxd", "keys/hmac")
    assert platform.settings["delivery"] == "argocd"


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("10.64.0.0/20", None),
        ("10.64.0.0/21", "PRA090"),
        ("10.64.1.0/13", "PRA090"),
        ("8.0.0.0/8", "PRA090"),
        ("127.0.0.0/8", "PRA090"),
        ("169.254.0.0/16", "PRA090"),
        ("'fd00::/8'", "PRA090"),
        ("ten", "PRA090"),
        ("10", "PRA022"),
    ],
)
def test_addresses(block, code):
    assert codes(f"addresses: {block}\n") == ([code] if code else [])


@pytest.mark.parametrize(
    ("remote", "bad"),
    [
        ("/srv/git/labs.git", False),
        ("git@gitlab.example.org:teaching/labs.git", False),
        ("ssh://git@gitlab.example.org/labs.git", False),
        ("https://gitlab.example.org/labs.git", False),
        ("https://bot:hunter2@gitlab.example.org/labs.git", True),
        ("https://glpat-token@gitlab.example.org/labs.git", True),
    ],
)
def test_passwords_do_not_belong_in_the_file(remote, bad):
    assert codes(f"git: {{remote: '{remote}'}}\n") == (["PRA093"] if bad else [])


def both(**texts):
    content = {f"environments/{environment}/platform.yaml": text.encode() for environment, text in texts.items()}
    return load_platforms(MappingSources(content))


@pytest.mark.parametrize(
    ("texts", "file"),
    [
        ({"dev": "addresses: 10.72.0.0/16\n", "prod": "installation: x1\n"}, "environments/prod/platform.yaml"),
        ({"dev": "addresses: 10.72.0.0/16\n"}, "environments/dev/platform.yaml"),
        ({"prod": "addresses: 10.64.0.0/12\n"}, "environments/prod/platform.yaml"),
    ],
)
def test_environments_on_one_host_do_not_overlap(texts, file):
    (problem,) = both(**texts).diagnostics
    assert (problem.code, problem.file) == ("PRA092", file)


def test_environments_on_two_hosts_may_overlap():
    lxd = "lxd: {url: 'https://prod.example.org:8443', certificate: c, key: k}\n"
    loaded = both(dev="addresses: 10.72.0.0/16\n", prod=lxd)
    assert loaded.diagnostics == ()
    assert loaded.platforms["prod"].url == "https://prod.example.org:8443"


def test_an_empty_repository_has_platforms():
    assert both().platforms == {environment: default_platform(environment) for environment in ENVIRONMENTS}


def test_a_bad_file_leaves_the_default_for_what_follows():
    loaded = both(dev="lxd: 5\n")
    assert [problem.code for problem in loaded.diagnostics] == ["PRA022"]
    assert loaded.platforms["dev"] == default_platform("dev")


def test_a_file_that_is_no_platform_makes_none():
    loaded = load("- a\n")
    assert loaded.platform is None
    assert [problem.code for problem in loaded.diagnostics] == ["PRA022"]
