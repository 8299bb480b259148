"""The isolation matrix: every wall is tried from inside, every hole is named, and no wall passes for want of a door."""

import socket
from collections import Counter
from dataclasses import replace

import pytest
from probe_world import World, view

from practicum.probes.isolation import host_listener, isolation, open_doors, who_tries_whom
from practicum.probes.model import failures
from practicum.probes.reach import ECHO, Target

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


def matrix(world, seat=ONE, others=("s002",), views=(PROF, ONE, TWO), down=None):
    doors = open_doors(world, views, HOST, wait=0, down=down)
    results, _attempts = isolation(world, seat, others, doors)
    return {result.name: result for result in results}


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
        ((TWO.gateway, HOST[0].port), "the host is closed to the seat"),
        ((PROF.gateway, HOST[0].port), "the host is closed to the seat"),
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
    results = {result.name: result for result in isolation(healthy(), ONE, ("s002",), doors)[0]}
    assert not results["the host is closed to the seat"].ok
    assert "nothing listens" in results["the host is closed to the seat"].detail


@pytest.mark.parametrize("how", ["broken", "mute"])
def test_a_machine_that_cannot_try_is_told_once_and_the_others_try(how):
    world = healthy()
    getattr(world, how).add("s001-web")
    results = matrix(world)
    assert {name for name, result in results.items() if not result.ok} == {"machine web answers"}
    assert results["machine web answers"].detail.startswith("s001-web: ")
    assert results["machine web answers"].known
    world.open_.add(("s001-desk", TWO.addresses["web"], 22))
    assert not matrix(world)["another seat (s002) is closed to the seat"].ok


def test_a_machine_that_is_down_is_neither_asked_nor_waited_for():
    world = healthy()
    world.open_.discard(("probe", ONE.addresses["web"], 22))
    results = matrix(world, down={"s001-web": "it is stopped"})
    assert results["machine web answers"].detail == "s001-web: it is stopped"
    assert {name for name, result in results.items() if not result.ok} == {"machine web answers"}
    assert not [command for instance, command in world.asked if instance == "s001-web"]
    assert not [command for instance, command in world.asked if instance == "probe" and ONE.addresses["web"] in command]


def test_where_no_machine_answers_walls_are_not_tried_and_told_as_that():
    world = healthy()
    world.broken |= {"s001-web", "s001-desk"}
    results = matrix(world, down={"s001-web": "it is stopped", "s001-desk": "it is stopped"})
    assert not any(result.ok for result in results.values())
    untried = {name for name, result in results.items() if not result.known}
    assert untried == WALLS | {"the seat is open to the professor"}
    assert [result.name for result in failures(list(results.values()))] == [
        "machine web answers",
        "machine desk answers",
    ]


def test_what_explains_itself_by_nothing_else_is_a_failure():
    (only,) = (result for result in matrix(healthy()).values() if result.name.startswith("the host"))
    untried = replace(only, ok=False, known=False)
    assert failures([untried]) == [untried]
    assert failures([only]) == []


def test_a_seat_that_the_professor_cannot_reach_is_told_with_what_is_missing():
    world = healthy()
    world.open_.discard(("probe", ONE.addresses["desk"], 22))
    result = matrix(world)["the seat is open to the professor"]
    assert (result.ok, result.detail) == (False, f"not reached: {ONE.addresses['desk']}:22")


def test_a_class_of_one_has_no_neighbour_to_try():
    results = matrix(healthy(), others=())
    assert "another seat (s002) is closed to the seat" not in results
    assert all(result.ok for result in results.values())


def test_the_professor_has_no_walls_but_must_be_reached():
    world = healthy()
    assert list(matrix(world, PROF, ())) == ["the seat is open to the professor"]
    assert {"prof-web", "prof-desk"} <= {instance for instance, _command in world.asked}
    world.broken.add("prof-web")
    assert not matrix(world, PROF, ())["machine web answers"].ok


def test_a_machine_without_known_ports_is_tried_by_an_echo():
    bare = view("s003", ports=())
    world = healthy().open_seat(bare, "probe")
    result = matrix(world, bare, (), (PROF, bare))["the seat is open to the professor"]
    assert (result.ok, "(ping)" in result.detail) == (False, True)
    world.open_ |= {("probe", address, ECHO) for address in bare.addresses.values()}
    assert matrix(world, bare, (), (PROF, bare))["the seat is open to the professor"].ok


def test_a_seat_that_the_professor_cannot_try_does_not_pass():
    inner = replace(ONE, outer={})
    result = matrix(healthy(), inner, (), (PROF, inner))["the seat is open to the professor"]
    assert (result.ok, result.detail) == (False, "not proved: no machine is on the first network")


BOX = replace(TWO, outer={"web": TWO.addresses["web"]}, behind={"desk": TWO.addresses["desk"]})


def test_what_lies_behind_a_router_is_a_door_when_it_is_open():
    world = healthy()
    world.open_.add(("s001-web", BOX.addresses["desk"], 22))
    result = matrix(world, views=(PROF, ONE, BOX))["another seat (s002) is closed to the seat"]
    assert result.detail == f"s001-web reaches {BOX.addresses['desk']}:22"


def test_a_router_may_close_what_lies_behind_it():
    world = healthy()
    world.open_.discard(("probe", BOX.addresses["desk"], 22))
    began = len(world.asked)
    doors = open_doors(world, (PROF, BOX), HOST, wait=60)
    assert len(world.asked) == began + 1
    assert isolation(world, BOX, (), doors)[0][0].ok


@pytest.mark.parametrize("count", [2, 3, 5, 64, 300])
@pytest.mark.parametrize("seed", ["a", "b"])
def test_every_seat_tries_and_is_tried_and_the_work_grows_with_the_seats(count, seed):
    seats = [f"s{number:03d}" for number in range(1, count + 1)]
    plan = who_tries_whom(seats, seed)
    assert list(plan) == seats
    assert all(seat not in others and 1 <= len(others) <= 2 for seat, others in plan.items())
    tried = Counter(other for others in plan.values() for other in others)
    assert set(tried) == set(seats)
    assert max(tried.values()) <= 2
    assert all(plan[seat][0] == seats[(number + 1) % count] for number, seat in enumerate(seats))
    assert plan == who_tries_whom(seats, seed)


def test_other_runs_try_other_pairs():
    seats = [f"s{number:03d}" for number in range(1, 41)]
    pairs = {
        (seat, other)
        for run in range(20)
        for seat, others in who_tries_whom(seats, str(run)).items()
        for other in others
    }
    assert len(pairs) > 400


@pytest.mark.parametrize("seats", [[], ["s001"]])
def test_who_is_alone_tries_nobody(seats):
    assert who_tries_whom(seats, "x") == {}


@pytest.mark.parametrize("count", [4, 40])
def test_each_machine_is_asked_once_whatever_the_size_of_the_class(count):
    views = [PROF, *(view(f"s{number:03d}") for number in range(1, count + 1))]
    world = World()
    for seat in views:
        world.open_seat(seat, "probe", *seat.instances.values())
    doors = open_doors(world, views, HOST, wait=0)
    plan = who_tries_whom([seat.seat for seat in views[1:]], "x")
    results = [result for seat in views for result in isolation(world, seat, plan.get(seat.seat, ()), doors)[0]]
    assert all(result.ok for result in results)
    asked = Counter(instance for instance, _command in world.asked if instance != "probe")
    assert set(asked.values()) == {1}
    assert len(asked) == 2 * len(views)
    most = max(len(command) - 4 for instance, command in world.asked if instance != "probe") / 2
    assert most <= 11


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
