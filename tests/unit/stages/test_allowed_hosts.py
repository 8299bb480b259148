"""Hosts by name in an allow-list: looked up at every run, never more than a cidr could open, and told when it fails."""

import socket

import pytest

from practicum.errors import UnavailableError
from practicum.lxd.client import Lxd
from practicum.stages.deployment import load_deployment
from practicum.stages.values import Values

SPEC = """\
version: 1
title: T
students: 1
machines: {web: {type: debian}}
network: {internet: [{host: api.example.org, ports: [443]}]}
"""


@pytest.fixture
def found(workspace, deploy, monkeypatch):
    """Return what looks up the addresses of a name that DNS answers with these."""
    deploy(SPEC)
    deployment = load_deployment(workspace, "net101/firewalls", "dev")

    def look_up(*addresses):
        def answer(host, *_rest):
            assert host == "api.example.org"
            if not addresses:
                raise socket.gaierror(-2, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        values = Values(workspace, deployment, Lxd("/nonexistent"))
        values.__dict__["host_addresses"] = ["203.0.113.5"]
        return values("addresses-of", "api.example.org", "-")

    return look_up


def test_all_addresses_are_opened_once_each_and_in_order(found):
    assert found("198.51.100.9", "198.51.100.10", "198.51.100.9") == "198.51.100.10,198.51.100.9"


@pytest.mark.parametrize(
    "closed", ["10.64.0.66", "10.72.1.2", "203.0.113.5", "127.0.0.1", "169.254.169.254", "224.0.0.1"]
)
def test_a_name_opens_no_lab_no_host_and_no_metadata(found, closed):
    assert found(closed, "198.51.100.9") == "198.51.100.9"
    with pytest.raises(UnavailableError, match=r"'api\.example\.org'"):
        found(closed)


def test_a_name_without_an_address_is_refused_with_what_to_look_at(found):
    with pytest.raises(UnavailableError) as caught:
        found()
    assert "getent ahostsv4 api.example.org" in caught.value.resolution
    assert "nothing was done" in caught.value.message
