"""Several owners on one LXD: what another installation or a person made is never touched."""

import secrets
from typing import Any

import pytest
from classroom import LONE, Classroom
from lxd_fixtures import OpenClassroom

from practicum.errors import UnavailableError
from practicum.lxd.client import Lxd
from practicum.probes.isolation import host_listener
from practicum.stages.orphans import orphans
from practicum.stages.pipeline import commit_lab
from practicum.stages.provision import provision

pytestmark = pytest.mark.lxd


def open_dev(open_classroom: OpenClassroom) -> Classroom:
    classroom = open_classroom(LONE)
    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")
    return classroom


def test_destroying_the_lab_of_one_installation_leaves_the_others(open_classroom: OpenClassroom) -> None:
    mine, theirs = open_dev(open_classroom), open_dev(open_classroom)
    assert mine.lab == theirs.lab
    before = theirs.documents()
    mine.destroy("dev", "prod")
    assert mine.documents() == {}
    assert theirs.documents() == before
    assert orphans(mine.workspace) == orphans(theirs.workspace) == []
    assert theirs.smoke("dev") == {"prof": []}


@pytest.mark.parametrize("marker", ["", "someone/dev/net101/small/-"])
def test_a_project_that_somebody_else_made_is_refused_untouched(
    lxd: Lxd, open_classroom: OpenClassroom, marker: str
) -> None:
    classroom = open_classroom(LONE)
    commit_lab(classroom.workspace, classroom.lab)
    name = classroom.project("dev")
    config = {"features.images": "false", "user.note": "mine", **({"user.practicum": marker} if marker else {})}
    lxd.post("projects", body={"name": name, "description": "by hand", "config": config})
    try:
        before = lxd.get("projects", name)
        asked = classroom.say("provision", classroom.lab)
        assert (asked.returncode, "did not make" in asked.stderr) == (69, True)
        assert lxd.get("projects", name) == before
        assert lxd.get("instances", project=name) == []
        classroom.destroy("dev")
        assert lxd.get("projects", name) == before
    finally:
        lxd.delete("projects", name)


def test_a_network_that_somebody_else_made_is_refused_untouched(lxd: Lxd, open_classroom: OpenClassroom) -> None:
    classroom = open_classroom(LONE)
    commit_lab(classroom.workspace, classroom.lab)
    name = classroom.bridge("dev", "prof")
    config = {"ipv4.address": "none", "ipv6.address": "none", "user.note": "mine"}
    lxd.post("networks", body={"name": name, "type": "bridge", "description": "by hand", "config": config})
    try:
        before = network(lxd, name)
        with pytest.raises(UnavailableError, match="did not make"):
            provision(classroom.workspace, classroom.lab, "dev")
        assert network(lxd, name) == before
        assert classroom.instances("dev") == {}
        classroom.destroy("dev")
        assert network(lxd, name) == before
    finally:
        lxd.delete("networks", name)


# The shared ACLs of all labs on the host change while that bridge is there.
@pytest.mark.alone
def test_a_public_address_on_a_bridge_of_somebody_else_is_closed_to_seats(
    lxd: Lxd, open_classroom: OpenClassroom
) -> None:
    # Addresses that are for tests of networks (RFC 2544), and count as the internet.
    name, address = f"pt{secrets.token_hex(4)}", f"198.19.{secrets.randbelow(254) + 1}.1"
    config = {"ipv4.address": f"{address}/24", "ipv4.nat": "false", "ipv6.address": "none"}
    lxd.post("networks", body={"name": name, "type": "bridge", "description": "by hand", "config": config})
    try:
        classroom = open_classroom({**LONE, "students": 1, "network": {"internet": "full"}})
        classroom.pipeline()
        with host_listener([address]) as (target,):
            assert classroom.opens("prod", "s001-web", {(address, target.port)}) == set()
    finally:
        lxd.delete("networks", name)


def network(lxd: Lxd, name: str) -> dict[str, Any]:
    found: dict[str, Any] = lxd.get("networks", name)
    return found
