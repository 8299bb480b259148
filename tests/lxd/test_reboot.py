"""A host that is shut down and started again has its class back without a person: seats, walls, an exam's cut."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from busybox import BUSYBOX
from classroom import LONE, Classroom, until
from hosts import Server, classroom_on, new_site
from lxd_fixtures import missing

from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import Endpoint
from practicum.stages.operate import exam, stop
from practicum.stages.provision import plan_only
from practicum.stages.status import status

# Its network's address is one of the host's, which all labs close to students: classes beside it would change.
pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]
SPEC: dict[str, Any] = {**LONE, "students": 1, "network": {"internet": "full"}}
HANDLES = re.compile(r" # handle \d+|counter packets \d+ bytes \d+")


@pytest.fixture(scope="module")
def host(lxd: Lxd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Classroom]]:
    """Return another host, and a delivered lab on it."""
    del lxd
    if not BUSYBOX.exists():
        missing("lxd", "busybox-static is not installed")
    site = new_site()
    try:
        server = site.add()
        server.listen()
        server.make_pool()
        server.trust(site.client()[0])
        there = Lxd(Endpoint(server.url, *site.client(), server.certificate))
        addresses = {"dev": "10.111.0.0/18", "prod": "10.111.64.0/18"}
        classroom = classroom_on(site, server, there, tmp_path_factory.mktemp("host"), addresses, SPEC)
        classroom.pipeline()
        yield server, classroom
    finally:
        site.close()


def walls(server: Server) -> set[str]:
    """Return the rules of the packet filter, whatever their order."""
    return {HANDLES.sub("", line).strip() for line in server.run("nft", "list", "ruleset").splitlines()}


def bridges(server: Server) -> set[str]:
    return set(re.findall(r"^\d+: ([\w-]+)", server.run("ip", "-o", "link", "show", "type", "bridge"), re.MULTILINE))


def reboot(server: Server, *, clean: bool) -> None:
    """Do what a reboot does to LXD: its machines and helpers go, and what the kernel had of networks and rules."""
    if clean:
        server.run("lxd", "shutdown", "--timeout", "30")
    server.stop()
    for bridge in bridges(server):
        server.run("ip", "link", "delete", bridge)
    server.run("nft", "flush", "ruleset")
    Path(server.folder / "unix.socket").unlink(missing_ok=True)
    server.start()


@pytest.mark.parametrize("clean", [True, False], ids=["shut down", "power failed"])
def test_a_class_is_back_after_a_reboot(host: tuple[Server, Classroom], clean: bool) -> None:
    server, classroom = host
    classroom.provision("dev")
    exam(classroom.workspace, classroom.lab, on=clean)
    stop(classroom.workspace, classroom.lab, "dev")
    before = walls(server), bridges(server), classroom.documents().keys()
    assert len(before[1]) > 2
    reboot(server, clean=clean)
    seen: set[str] = set()

    def is_back() -> bool:
        states = {row.state for row in status(classroom.workspace, classroom.lab, "prod")}
        seen.update(states)
        return states == {"running"}

    until(is_back, "the class")
    assert seen <= {"starting", "running"}
    assert {one["status"] for one in classroom.instances("dev").values()} == {"Stopped"}
    assert (walls(server), bridges(server), classroom.documents().keys()) == before
    assert classroom.smoke("prod") == {"prof": [], "s001": []}
    assert plan_only(classroom.workspace, classroom.lab, "prod").actions == ()
