"""Routers of a seat on real bridges: a chain of three networks, reached from both ends, and walled all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classroom import Classroom, until
from lxd_fixtures import OpenClassroom
from test_isolation import bridge_filter, host_addresses, listener  # noqa: F401
from wire import World, bridge_hardware, echo, hardware, send, world

pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]
SMALL = {"memory": "64MiB", "disk": "256MiB"}
CHAIN: dict[str, Any] = {
    "version": 1,
    "title": "Chain",
    "students": 2,
    "networks": {"lan": {}, "dmz": {}, "vault": {}},
    "network": {"internet": "full"},
    "volumes": {},
    "machines": {
        "desk": {"type": "debian", **SMALL},
        "router": {"type": "debian", **SMALL, "connect": ["lan", "dmz"], "forward": True},
        "web": {"type": "webserver", **SMALL, "connect": ["dmz"]},
        "gate": {"type": "debian", **SMALL, "connect": ["dmz", "vault"], "forward": True},
        "box": {"type": "webserver", **SMALL, "connect": ["vault"]},
    },
    "checks": [
        {"name": "box from outside", "http": {"machine": "box", "port": 80}, "wait": "5s"},
        {"name": "box from desk", "tcp": {"from": "desk", "machine": "box", "port": 80}, "wait": "5s"},
        {"name": "router from web", "tcp": {"from": "web", "machine": "router", "port": 22}, "wait": "5s"},
        {"name": "desk from box", "tcp": {"from": "box", "machine": "desk", "port": 22}, "wait": "5s"},
    ],
}
SEATS = ("prof", "s001", "s002")


@pytest.fixture(scope="module")
def chain(open_shared: OpenClassroom) -> Classroom:
    """Return a delivered lab of three networks in a row."""
    classroom = open_shared(CHAIN)
    classroom.pipeline()
    return classroom


@pytest.fixture
def outside(tmp_path: Path, chain: Classroom) -> Iterator[World]:
    """Return what stands for the internet; the host has an address more for it."""
    with world(tmp_path) as found:
        chain.provision("prod")
        yield found


def places(classroom: Classroom, seat: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = classroom.committed("prod", seat)["places"]
    return found


def everywhere(classroom: Classroom, seat: str) -> set[tuple[str, int]]:
    """Return port 22 of every address of a seat."""
    return {(address, 22) for machine in places(classroom, seat).values() for address in machine.values()}


def test_every_machine_of_a_seat_reaches_every_other_and_so_does_the_professor(
    chain: Classroom,
    bridge_filter: str,  # noqa: F811
) -> None:
    assert chain.smoke("prod") == {seat: [] for seat in SEATS}
    whole = everywhere(chain, "s001")
    assert len(whole) == 7
    for machine in places(chain, "s001"):
        assert chain.opens("prod", f"s001-{machine}", whole) == whole
    # With br_netfilter on, the host translates already inside the bridge what comes from behind a router.
    for origin in ("probe", "prof-desk", *(["prof-box"] if bridge_filter == "0" else [])):
        assert chain.opens("prod", origin, whole) == whole


def test_no_machine_of_a_chain_reaches_another_seat_or_the_host(
    chain: Classroom,
    bridge_filter: str,  # noqa: F811
    listener: int,  # noqa: F811
) -> None:
    chain.provision("prod")  # the host may have other addresses since
    closed = {(address, listener) for address in host_addresses()}
    closed |= everywhere(chain, "s002") | everywhere(chain, "prof")
    assert {(chain.gateway("prod", seat), listener) for seat in SEATS} < closed
    assert chain.opens("prod", "probe", everywhere(chain, "s002")) == everywhere(chain, "s002")
    for machine in places(chain, "s001"):
        assert chain.opens("prod", f"s001-{machine}", closed) == set()


def test_routers_of_two_seats_that_route_for_each_other_get_nowhere(chain: Classroom, bridge_filter: str) -> None:  # noqa: F811
    ends = {"s001": "s002", "s002": "s001"}
    ranges = {seat: f"{chain.gateway('prod', seat).rsplit('.', 1)[0]}.{start}/26" for seat, start in _starts(chain)}
    mine = {seat: places(chain, seat)["box"]["vault"] for seat in ends}
    for seat, other in ends.items():
        # Each takes the other's addresses for its own, sends what is for them to the host, and answers for them.
        gateway = chain.gateway("prod", seat)
        script = f"ip route add {ranges[other]} via {gateway}; sysctl -q -w net.ipv4.conf.eth0.proxy_arp=1"
        chain.read("prod", f"{seat}-router", f"{script}; ip address add {mine[other]}/32 dev lo")
    try:
        for seat, other in ends.items():
            reached = chain.opens("prod", f"{seat}-desk", everywhere(chain, other) - {(mine[other], 22)})
            assert reached == set()
            assert chain.opens("prod", f"{seat}-router", everywhere(chain, other) - {(mine[other], 22)}) == set()
    finally:
        for seat, other in ends.items():
            script = f"ip route del {ranges[other]}; ip address del {mine[other]}/32 dev lo"
            chain.read("prod", f"{seat}-router", script)


def _starts(classroom: Classroom) -> list[tuple[str, int]]:
    """Return where a student's range of 64 addresses begins, in the last part of its addresses."""
    return [(seat, int(classroom.gateway("prod", seat).rsplit(".", 1)[1]) - 1) for seat in ("s001", "s002")]


def test_what_is_behind_routers_reaches_names_and_the_internet(
    chain: Classroom,
    bridge_filter: str,  # noqa: F811
    outside: World,
) -> None:
    open_ = {(outside.addresses[0], 80), (outside.addresses[1], 81)}
    for machine in ("desk", "web", "box"):
        if machine == "desk" or bridge_filter == "0":
            assert chain.opens("prod", f"s001-{machine}", open_) == open_
        answer = chain.run("prod", f"s001-{machine}", "nslookup gateway.invalid")[1]
        assert f"Server:\t\t{chain.gateway('prod', 's001')}" in answer
        assert "timed out" not in answer


@pytest.mark.parametrize("bridge_filter", ["0"], indirect=True)
def test_behind_a_router_no_source_but_the_seats_own_leaves(
    chain: Classroom,
    bridge_filter: str,  # noqa: F811
    outside: World,
) -> None:
    own, theirs = places(chain, "s001")["box"]["vault"], places(chain, "s002")["box"]["vault"]
    claimed = [theirs, places(chain, "prof")["desk"]["lan"], chain.gateway("prod", "s001"), "198.51.100.7"]
    sender, gate = hardware(chain, "s001-box"), hardware(chain, "s001-gate", "eth1")
    frames = [echo(sender, gate, source, outside.addresses[0], source) for source in (*claimed, own)]
    send(chain, "s001-box", "eth0", frames)
    until(lambda: own in outside.said, "the honest packet")
    # The host's own interface on the inner network is asked to pass them on too.
    inner = bridge_hardware(chain.bridge("prod", "s001", 2))
    send(chain, "s001-box", "eth0", [echo(sender, inner, source, outside.addresses[0], source) for source in claimed])
    send(chain, "s001-box", "eth0", [echo(sender, gate, own, outside.addresses[0], "last")])
    until(lambda: "last" in outside.said, "the last packet")
    assert set(outside.said) == {own, "last"}


def test_a_router_forwards_again_after_a_restart(chain: Classroom) -> None:
    for machine in ("router", "gate"):
        chain.set_state("prod", f"s002-{machine}", "restart")
    until(lambda: not chain.smoke("prod", "s002")["s002"], "the way through restarted routers")
    assert chain.read("prod", "s002-gate", "cat /proc/sys/net/ipv4/ip_forward") == "1"


def test_a_router_that_is_closed_closes_the_way_and_is_seen(chain: Classroom) -> None:
    chain.read("prod", "s002-router", "sysctl -q -w net.ipv4.ip_forward=0")
    failed = chain.smoke("prod", "s002")["s002"]
    assert failed == ["box from outside", "box from desk", "desk from box"]
    chain.read("prod", "s002-router", "sysctl -q -w net.ipv4.ip_forward=1")
    assert chain.smoke("prod", "s002") == {"s002": []}


def test_a_second_run_changes_nothing(chain: Classroom) -> None:
    chain.provision("prod")
    assert chain.provision("prod").plan.actions == ()
