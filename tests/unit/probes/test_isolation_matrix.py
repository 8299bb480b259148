"""The isolation matrix: every wall is tried from inside, every hole is named, and no wall passes for want of a door."""

import socket

import pytest
from probe_world import World, view

from practicum.probes.isolation import host_listener, isolation, open_doors
from practicum.probes.reach import Target

PROF, ONE, TWO = view("prof"), view("s001"), view("s002")
HOST = [Target("203.0.113.5", 40000)]
WALLS = {
    "the host is closed to the seat",
    "the professor is closed to the seat",
    "another seat (s002) is closed to the seat",
}


def healthy():
    """A class as it should be: the probe reaches everyone, students reach themselves."""
    world = World()
    for seat in (PROF, ONE, TWO):
        world.open_seat(seat, "probe", *seat.instances.values())
    return world


def matrix(world, seat=ONE, neighbour=TWO, views=(PROF, ONE, TWO)):
    doors = open_doors(world, views, HOST, wait=0)
    return {result.name: result for result in isolation(world, seat, neighbour, doors)}


def test_in_a_healthy_class_every_wall_holds():
    results = matrix(healthy())
    assert results.keys() == WALLS | {"the seat is open to the professor"}
    assert all(result.ok and result.group == "isolation" and result.seat == "s001" for result in results.values())
    assert results["the seat is open to the professor"].detail == "2 ports answer"
    assert results["the professor is closed to the seat"].detail == "2 ports tried from each machine"


def test_every_machine_of_the_seat_tries_every_wall():
    world = healthy()
    matrix(world)
    tried = {instance for instance, command in world.asked if HOST[0].address in command}
    assert tried == {"s001-web", "s001-desk"}
    words = next(command for instance, command in world.asked if instance == "s001-desk")
    for address in (*PROF.addresses.values(), *TWO.addresses.values(), HOST[0].address, ONE.gateway):
        assert address in words


@pytest.mark.parametrize(
    ("target", "wall"),
    [
        ((PROF.addresses["desk"], 22), "the professor is closed to the seat"),
        ((TWO.addresses["web"], 22), "another seat (s002) is closed to the seat"),
        ((HOST[0].address, HOST[0].port), "the host is closed to the seat"),
        ((ONE.gateway, HOST[0].port), "the host is closed to the seat"),
    ],
)
@pytest.mark.parametrize("source", ["web", "desk"])
def test_a_hole_is_named_and_fails_its_wall_only(target, wall, source):
    world = healthy()
    world.open_.add((f"s001-{source}", *target))
    results = matrix(world)
    assert {name for name, result in results.items() if not result.ok} == {wall}
    assert results[wall].detail == f"s001-{source} reaches {target[0]}:{target[1]}"


def test_all_holes_of_a_wall_are_named():
    world = healthy().open_seat(TWO, "s001-web", "s001-desk")
    detail = matrix(world)["another seat (s002) is closed to the seat"].detail
    assert detail.count("reaches") == 4


def test_a_wall_behind_which_nobody_listens_is_not_proved():
    world = World().open_seat(ONE, "probe").open_seat(PROF, "probe")
    result = matrix(world)["another seat (s002) is closed to the seat"]
    assert (result.ok, result.detail) == (False, "not proved: nothing listens there")


def test_without_a_listener_on_the_host_its_wall_is_not_proved():
    doors = open_doors(healthy(), (PROF, ONE, TWO), [], wait=0)
    results = {result.name: result for result in isolation(healthy(), ONE, TWO, doors)}
    assert not results["the host is closed to the seat"].ok
    assert "nothing listens" in results["the host is closed to the seat"].detail


@pytest.mark.parametrize("how", ["broken", "mute"])
def test_a_machine_that_cannot_try_proves_nothing(how):
    world = healthy()
    getattr(world, how).add("s001-web")
    results = matrix(world)
    assert {name for name, result in results.items() if not result.ok} == WALLS
    assert all("s001-web: " in results[wall].detail for wall in WALLS)


def test_a_seat_that_the_professor_cannot_reach_is_told_with_what_is_missing():
    world = healthy()
    world.open_.discard(("probe", ONE.addresses["desk"], 22))
    result = matrix(world)["the seat is open to the professor"]
    assert (result.ok, result.detail) == (False, f"not reached: {ONE.addresses['desk']}:22")


def test_a_class_of_one_has_no_neighbour_to_try():
    results = matrix(healthy(), neighbour=None)
    assert "another seat (s002) is closed to the seat" not in results
    assert all(result.ok for result in results.values())


def test_the_professor_has_no_walls_but_must_be_reached():
    results = matrix(healthy(), PROF, None)
    assert list(results) == ["the seat is open to the professor"]


def test_doors_that_open_late_are_waited_for():
    world = healthy()
    late = ("probe", ONE.addresses["web"], 22)
    world.open_.discard(late)
    rounds = []

    def execute(instance, command):
        rounds.append(instance)
        if len(rounds) == 3:
            world.open_.add(late)
        return world(instance, command)

    doors = open_doors(execute, (PROF, ONE, TWO), HOST, wait=60)
    assert len(rounds) == 3
    assert Target(*late[1:]) in doors.seats["s001"]
    # What was found open is not asked for again.
    assert world.asked[-1][1][4:] == [late[1], "22"]


def test_doors_that_never_open_are_given_up_after_the_wait():
    doors = open_doors(World(), (PROF, ONE), HOST, wait=0)
    assert doors.seats == {"prof": [], "s001": []}


def test_the_listener_of_the_host_really_listens_and_ends():
    with host_listener(["127.0.0.1"]) as targets:
        (target,) = targets
        socket.create_connection((target.address, target.port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((target.address, target.port), timeout=5)
