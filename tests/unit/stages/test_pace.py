"""How long a class is expected to take: from what was measured, on the project or of the pilot, and never a guess."""

import json

import pytest

from practicum.lxd.plan import Action, Plan
from practicum.parallel import worker_count
from practicum.stages.checkpoint import tag_release
from practicum.stages.deployment import load_deployment
from practicum.stages.pace import KEY, REPLACED, Pace, expected, pilot_pace, read_pace, record_pace
from practicum.stages.releases import pilot_of, releases

LAB = "net101/firewalls"
SPEC = "version: 1\ntitle: T\nstudents: 2\nmachines:\n  web: {type: debian}\n"
PINS = {"checkpoint": 1, "images": {"web": "2c" * 32}, "volumes": {}, "volume_project": "p-checkpoints-x"}
PILOT = {"seconds": 40.0, "machines": 1, "at_once": 4}


class Project:
    """One LXD project, as far as a pace needs one."""

    def __init__(self, config=None):
        self.config = dict(config or {})

    def find(self, kind, name):
        assert kind == "projects"
        return {"name": name, "config": self.config}

    def get_with_etag(self, kind, name):
        return self.find(kind, name), "etag"

    def patch(self, kind, name, *, body, etag):
        assert (kind, etag) == ("projects", "etag")
        self.config = body["config"]


def seats(count, verb="create"):
    return Plan((), {f"s{n:03d}": (Action(verb, "instance", f"s{n:03d}-web", f"s{n:03d}"),) for n in range(count)})


@pytest.mark.parametrize(
    ("pace", "count", "words"),
    [
        (Pace(1.3, seats=30), 100, "expected 2 min 10 s"),
        (Pace(1.3, seats=30), 3, "expected 4 s"),
        (Pace(30, seats=1), 2, "expected 1 min 0 s"),
        (Pace(1.3, seats=30), 0, ""),
        (Pace(), 100, ""),
    ],
)
def test_a_time_is_told_only_where_one_was_measured(pace, count, words):
    assert pace.expected(count) == words


def test_a_class_is_measured_and_a_late_comer_does_not_spoil_it():
    lxd = Project()
    record_pace(lxd, "p", seats(1), 9.0)
    assert read_pace(lxd.config) == Pace(9.0, seats=1)
    record_pace(lxd, "p", seats(30), 60.0)
    assert read_pace(lxd.config) == Pace(2.0, seats=30)
    record_pace(lxd, "p", seats(1), 9.0)
    assert read_pace(lxd.config) == Pace(2.0, seats=30)
    record_pace(lxd, "p", seats(worker_count()), 4.0 * worker_count())
    assert read_pace(lxd.config) == Pace(4.0, seats=worker_count())


def test_new_systems_are_measured_apart_and_a_run_of_both_not_at_all():
    lxd = Project()
    record_pace(lxd, "p", seats(8, "switch"), 24.0)
    assert (read_pace(lxd.config), read_pace(lxd.config, REPLACED)) == (Pace(), Pace(3.0, seats=8))
    both = Plan((), {**seats(9).seats, **{f"x{seat}": one for seat, one in seats(9, "switch").seats.items()}})
    record_pace(lxd, "p", both, 99.0)
    record_pace(lxd, "p", seats(9, "start"), 99.0)
    assert (read_pace(lxd.config), read_pace(lxd.config, REPLACED)) == (Pace(), Pace(3.0, seats=8))


@pytest.fixture
def pins(workspace, deploy):
    return {**PINS, "spec_commit": deploy(SPEC)}


def test_a_release_tells_of_its_pilot_and_another_time_is_no_other_release(workspace, pins):
    assert pilot_pace(workspace, LAB) == Pace()
    assert tag_release(workspace, LAB, pins, PILOT) == 1
    assert tag_release(workspace, LAB, pins, {**PILOT, "seconds": 55.0}) == 1
    assert tag_release(workspace, LAB, pins) == 1
    assert releases(workspace, LAB)[1]["pilot"] == PILOT
    assert pilot_pace(workspace, LAB) == Pace(10.0, seats=1)


def test_a_release_with_other_seats_keeps_the_pilot_of_its_checkpoint_only(workspace, deploy, pins):
    tag_release(workspace, LAB, pins, PILOT)
    deploy(SPEC.replace("students: 2", "students: 3"))
    assert tag_release(workspace, LAB, pins) == 2
    assert tag_release(workspace, LAB, {**pins, "checkpoint": 2}) == 3
    known = releases(workspace, LAB)
    assert [known[number].get("pilot") for number in (1, 2, 3)] == [PILOT, PILOT, None]
    assert pilot_of(known) == PILOT


def test_before_a_class_was_made_the_pilot_tells_and_after_it_the_class(workspace, pins, deploy):
    tag_release(workspace, LAB, pins, PILOT)
    dev = load_deployment(workspace, LAB, "dev")
    measured = {KEY: json.dumps({"seconds_per_seat": 3, "seats": 4})}
    assert expected(workspace, dev, Project(), seats(4)) == ""
    assert expected(workspace, dev, Project(measured), seats(4)) == "expected 12 s"
    workspace.repository.commit(
        {
            path.replace("/dev/", "/prod/"): data
            for path, data in workspace.repository.committed(f"environments/dev/{LAB}").items()
        },
        "Prod",
    )
    prod = load_deployment(workspace, LAB, "prod")
    assert expected(workspace, prod, Project(), seats(4)) == "expected 40 s"
    assert expected(workspace, prod, Project(measured), seats(4)) == "expected 12 s"
    assert expected(workspace, prod, Project(measured), seats(4, "start")) == ""
