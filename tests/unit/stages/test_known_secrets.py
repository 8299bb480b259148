"""What a checkpoint is searched for: secrets of operator and professor, by names that give nothing away."""

import os

import pytest

from practicum.lxd.client import Lxd
from practicum.stages.deployment import load_deployment
from practicum.stages.known_secrets import known_secrets
from practicum.stages.values import Values

SPEC = """
version: 1
title: T
students: 1
machines:
  web: {type: debian, setup: [role.sh.j2], files: [{from: flag.j2, to: /srv/flag}]}
"""
FILES = {
    "role.sh.j2": b"#!/bin/sh\npasswd {{ secret('db') }}\n",
    "flag.j2": b"{{ secret('flag') }} {{ secret('db') }} {{ student.login }}\n",
}
LINE = "MC4CAQAwBQYDK2VwBCIEIKmqqmjhlwsbxYbSRkVCSbvG8yCDdIjNvJWi5QLEZ0Bd"
PEM = f"-----BEGIN PRIVATE KEY-----\n{LINE}\nc2hvcnQ=\n-----END PRIVATE KEY-----\n"
PLATFORM = "installation: k3v9t2qa\nprofessor_internet: none\n"


@pytest.fixture
def found(workspace, deploy, monkeypatch):
    """Return what is searched for, by name; a name may have several values."""
    for name in [name for name in os.environ if name.endswith(("TOKEN", "PASSWORD", "SECRET", "KEY"))]:
        monkeypatch.delenv(name)

    def known():
        deploy(SPEC, FILES)
        deployment = load_deployment(workspace, "net101/firewalls", "dev")
        values = Values(workspace, deployment, Lxd("/nonexistent"))
        listed = known_secrets(workspace, deployment, values)
        assert len({(one.name, one.value) for one in listed}) == len(listed)
        return {one.name: [other.value for other in listed if other.name == one.name] for one in listed}, values

    return known


def test_the_operators_key_and_the_professors_own_values(found):
    secrets, values = found()
    assert secrets == {
        "the operator's .practicum/secret.key": ["0123456789abcdef" * 4],
        "secret('db') of your copy": [values.secret("db", "prof")],
        "secret('flag') of your copy": [values.secret("flag", "prof")],
    }


def test_tokens_of_the_environment_but_not_what_is_short_or_something_else(found, monkeypatch):
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-0123456789")
    monkeypatch.setenv("DB_PASSWORD", "short")
    monkeypatch.setenv("HOME_SWEET", "a-home-that-is-long")
    secrets, _ = found()
    assert secrets["the environment variable GITLAB_TOKEN of who takes the checkpoint"] == ["glpat-0123456789"]
    assert not {name for name in secrets if "DB_PASSWORD" in name or "HOME_SWEET" in name}


def test_a_private_key_in_the_environment_by_its_own_lines_and_no_certificate(found, monkeypatch):
    name = "the environment variable SSH_PRIVATE_KEY of who takes the checkpoint"
    beginning = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
    openssh = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{beginning}\n{LINE[::-1]}\n-----END OPENSSH PRIVATE KEY-----\n"
    certificate = f"-----BEGIN CERTIFICATE-----\n{'A' * 64}\n-----END CERTIFICATE-----\n"
    curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    headers = "Proc-Type: 4,ENCRYPTED\n\n"
    key = PEM.replace(LINE, f"{headers}{LINE}")
    monkeypatch.setenv("SSH_PRIVATE_KEY", (certificate + curve + key + openssh).replace("\n", "\r\n"))
    monkeypatch.setenv("NOTES_SECRET", "a line of several\nthat are everybody's")
    secrets, _ = found()
    assert secrets[name] == [LINE, LINE[::-1]]
    assert not any("NOTES_SECRET" in one for one in secrets)


@pytest.mark.parametrize("data", ["pässwörter-€".encode(), b"p\xe4sswort-latin"], ids=["utf-8", "latin-1"])
def test_a_password_beyond_ascii_is_searched_for_byte_by_byte(found, monkeypatch, data):
    monkeypatch.setenv("DB_PASSWORD", os.fsdecode(data))
    secrets, _ = found()
    (value,) = secrets["the environment variable DB_PASSWORD of who takes the checkpoint"]
    assert value.encode("latin-1") == data


def test_lines_of_a_private_key_that_the_platform_names_but_not_its_header(found, workspace):
    (workspace.repository.root / ".practicum/client.key").write_text(PEM)
    files = {"certificate": "c.crt", "key": ".practicum/client.key", "server_certificate": "s.crt"}
    listed = ", ".join(f"{key}: {name}" for key, name in files.items())
    platform = PLATFORM + f"lxd: {{url: 'https://lxd.example.org:8443', {listed}}}\n"
    workspace.repository.commit({"environments/prod/platform.yaml": platform.encode()}, "Use LXD over the network")
    secrets, _ = found()
    assert secrets["the operator's .practicum/client.key"] == [LINE]
