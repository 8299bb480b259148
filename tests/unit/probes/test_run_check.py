"""Checks: each kind tries what it says, from where it says, until it holds or its wait is over."""

from datetime import date

import pytest
import yaml
from probe_world import Answer, World, view

from generator.catalogue.load import load_catalogue
from generator.generate import read_edition, render
from generator.spec.sources import MappingSources
from practicum.probes import checks
from practicum.probes.checks import not_tried, run_check
from practicum.probes.model import seat_view

S001 = view("s001", ports=(22, 80))
WEB, DESK = S001.addresses["web"], S001.addresses["desk"]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(checks, "PAUSE_SECONDS", 0)


def check(kind, wait=0.0, **settings):
    return {"name": f"the {kind} check", "kind": kind, "machine": "web", "from": None, "wait": wait, **settings}


HTTP = check("http", port=80, path="/login", status=302)
TCP = check("tcp", port=22)
EXEC = check("exec", run="nft list ruleset | grep -q drop")


def test_http_compares_the_status_that_the_probe_gets():
    world = World(statuses={("probe", f"http://{WEB}:80/login"): ["302"]})
    result = run_check(world, HTTP, S001)
    assert (result.ok, result.seat, result.group, result.name) == (True, "s001", "check", "the http check")
    assert result.detail == f"http://{WEB}:80/login answers 302"


@pytest.mark.parametrize(
    ("status", "seen"), [("200", "answers 200"), ("000", "no answer"), ("", "no answer"), ("3020", "answers 3020")]
)
def test_another_status_or_none_fails_and_says_what_was_seen(status, seen):
    result = run_check(World(statuses={("probe", f"http://{WEB}:80/login"): [status]}), HTTP, S001)
    assert not result.ok
    assert seen in result.detail
    assert WEB in result.detail


def test_tcp_tries_the_port_of_the_machine():
    assert run_check(World(open_={("probe", WEB, 22)}), TCP, S001).ok
    closed = run_check(World(open_={("probe", WEB, 23), ("probe", DESK, 22)}), TCP, S001)
    assert (closed.ok, closed.detail) == (False, f"{WEB}:22 is closed")


@pytest.mark.parametrize("kind", ["tcp", "http"])
def test_from_is_the_machine_of_the_same_seat_that_tries(kind):
    source = {**(TCP if kind == "tcp" else HTTP), "from": "desk"}
    world = World(open_={("s001-desk", WEB, 22)}, statuses={("s001-desk", f"http://{WEB}:80/login"): ["302"]})
    assert run_check(world, source, S001).ok
    assert {instance for instance, _command in world.asked} == {"s001-desk"}


def test_exec_runs_in_the_machine_with_a_limit_and_its_exit_code_counts():
    world = World(commands={("s001-web", EXEC["run"]): [Answer(0, "out\n")]})
    assert run_check(world, EXEC, S001).ok
    assert world.asked == [("s001-web", ["timeout", "60", "sh", "-c", EXEC["run"]])]


def test_a_command_that_fails_shows_its_last_lines():
    answer = Answer(1, "1\n2\n3\n4\n", "error\n")
    result = run_check(World(commands={("s001-web", EXEC["run"]): [answer]}), EXEC, S001)
    assert (result.ok, result.detail) == (False, "exit code 1; 3; 4; error")


def test_a_check_is_retried_until_it_holds():
    answers = [Answer(1), Answer(1), Answer(0)]
    world = World(commands={("s001-web", EXEC["run"]): answers})
    assert run_check(world, {**EXEC, "wait": 60.0}, S001).ok
    assert len(world.asked) == 3


def test_a_check_is_not_retried_after_its_wait():
    world = World(commands={("s001-web", EXEC["run"]): [Answer(1), Answer(0)]})
    assert not run_check(world, EXEC, S001).ok
    assert len(world.asked) == 1


def test_a_check_that_never_holds_ends_with_its_wait_and_says_how_long_it_took():
    world = World()
    result = run_check(world, {**EXEC, "wait": 0.05}, S001)
    assert not result.ok
    assert len(world.asked) > 1
    assert 0.05 <= result.seconds < 30


@pytest.mark.parametrize("source", [HTTP, TCP, EXEC])
def test_a_machine_that_cannot_be_asked_is_a_failed_check_and_no_crash(source):
    result = run_check(World(broken={"probe", "s001-web"}), source, S001)
    assert (result.ok, result.detail) == (False, "the machine is not running Stopped")


@pytest.mark.parametrize("source", [HTTP, TCP, EXEC])
def test_a_machine_without_a_shell_is_a_failed_check(source):
    assert not run_check(World(mute={"probe", "s001-web"}), source, S001).ok


@pytest.mark.parametrize(
    ("count", "ok", "seen"),
    [
        (2, True, "app: 2 of 2 pods available"),
        (1, False, "app: 1 of 2 pods available"),
        (None, False, "app: there is no such deployment"),
    ],
)
def test_a_kubernetes_check_counts_available_pods(count, ok, seen):
    check = {"name": "app is ready", "kind": "kubernetes", "deployment": "app", "available": 2, "wait": 0}
    asked = []

    def available(*of):
        asked.append(of)
        return count

    result = run_check(World(), check, S001, available)
    assert (result.ok, result.detail) == (ok, seen)
    assert asked == [("s001", "app")]


@pytest.mark.parametrize(
    ("check_", "silent", "untried"),
    [
        (TCP, {"web"}, "web"),
        (TCP, {"desk"}, None),
        ({**TCP, "from": "desk"}, {"desk"}, "desk"),
        (EXEC, {"web"}, "web"),
        (EXEC, set(), None),
    ],
)
def test_a_check_that_needs_a_silent_machine_is_not_tried(check_, silent, untried):
    result = not_tried(check_, S001, silent)
    assert (result and (result.ok, result.known, result.detail)) == (
        untried and (False, False, f"not tried: {untried} does not answer")
    )


SPEC = """\
version: 1
title: T
students: 1
networks: {lan: {}, dmz: {}}
machines:
  desk: {type: debian, connect: [lan, dmz]}
  web: {type: webserver, connect: [dmz]}
  box: {type: debian, connect: [dmz, lan]}
"""


@pytest.fixture
def two_networks():
    """The view of a student's seat with two networks, read from real definitions."""
    sources = MappingSources({"labs/net101/a.lab.yaml": SPEC.encode()})
    edition = read_edition(sources, load_catalogue(), ["net101/a"], date(2026, 9, 1))
    tree = render(edition, edition.labs[0], "prod")
    return seat_view(yaml.safe_load(tree["environments/prod/net101/a/lxd/s001.yaml"]), {"web": (22, 80)})


def test_a_view_is_read_from_a_definition(two_networks):
    seen = two_networks
    assert (seen.seat, seen.gateway) == ("s001", "10.72.1.1")
    assert seen.instances == {"desk": "s001-desk", "web": "s001-web", "box": "s001-box"}
    assert (seen.addresses["desk"], seen.addresses["web"]) == ("10.72.1.2", "10.72.1.19")
    assert seen.ports == {"desk": (), "web": (22, 80), "box": ()}


def test_a_machine_of_another_network_can_be_checked_from_its_neighbour(two_networks):
    world = World(open_={("s001-desk", "10.72.1.19", 22)})
    assert run_check(world, {**TCP, "from": "desk"}, two_networks).ok


def test_the_probe_tries_the_address_that_a_machine_has_on_the_first_network(two_networks):
    world = World(open_={("probe", "10.72.1.4", 22)})
    assert run_check(world, {**TCP, "machine": "box"}, two_networks).ok


ROUTED = (
    SPEC.replace("connect: [lan, dmz]}", "connect: [lan, dmz], forward: true}")
    + """\
checks:
  - {name: far, http: {machine: web}}
  - {name: near, tcp: {machine: box, from: web, port: 22}}
"""
)


@pytest.fixture
def routed():
    """Shared definition and view of a seat whose desk is a router."""
    sources = MappingSources({"labs/net101/a.lab.yaml": ROUTED.encode()})
    edition = read_edition(sources, load_catalogue(), ["net101/a"], date(2026, 9, 1))
    tree = {path.rsplit("/", 1)[1]: text for path, text in render(edition, edition.labs[0], "prod").items()}
    shared = yaml.safe_load(tree["shared.yaml"])
    return shared, seat_view(yaml.safe_load(tree["s001.yaml"]), {"web": (22, 80)}, shared["behind"])


def test_a_machine_behind_a_router_is_met_there_from_outside(routed):
    shared, seen = routed
    assert (seen.behind, sorted(seen.outer)) == ({"web": "10.72.1.19"}, ["box", "desk"])
    far = next(one for one in shared["checks"] if one["name"] == "far")
    assert run_check(World(statuses={("probe", "http://10.72.1.19:80/"): ["200"]}), {**far, "wait": 0.0}, seen).ok


def test_from_tries_the_address_on_a_network_that_both_have(routed):
    shared, seen = routed
    near = next(one for one in shared["checks"] if one["name"] == "near")
    assert run_check(World(open_={("s001-web", "10.72.1.20", 22)}), {**near, "wait": 0.0}, seen).ok
