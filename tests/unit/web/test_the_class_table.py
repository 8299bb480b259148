"""What the table of the class says of whom: ready only who was checked, and why not."""

import pytest
from visitor import LAB, words

from practicum.events import Event
from practicum.stages.operate import stop
from practicum.web.jobs import Job


@pytest.fixture
def taken(visitor):
    """Somebody whose lab has a checkpoint that passed its trial."""
    visitor.created()
    assert visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint")).state == "done"
    return visitor


def test_who_waits_is_not_ready_since_the_old_system_passed():
    job = Job("deploy", LAB)
    job.expect([("s001", "web")])
    said = []
    stages = ("smoke", "started"), ("smoke", "done"), ("provision", "started"), ("provision", "done"), ("smoke", "done")
    for stage, state in stages:
        job.emit(Event(stage, state, seat="s001"))
        said.append(job.cells["s001", "web"].state)
    assert said == ["waiting", "waiting", "making", "checking", "ready"]


def test_who_waits_has_not_failed_since_the_old_system_did():
    job = Job("deploy", LAB)
    job.expect([("s001", "web")])
    job.emit(Event("smoke", "failed", seat="s001"))
    assert job.cells["s001", "web"].state == "waiting"


def test_nobody_is_ready_who_was_not_checked_since_the_professors_copy_failed(taken, lxd):
    lxd.world.dying.add("prof-web")
    job = taken.deployed()
    assert job.state == "failed"
    page = taken.text(f"/jobs/{job.id}")
    assert "0 of 2 ready · 0 failed · 2 to come" in page
    assert "Your own copy among those of the class failed" in page
    assert "prof: " in page
    lxd.world.dying.clear()
    assert taken.deployed().counts()["ready"] == 2


def test_of_a_stopped_class_nobody_was_checked(taken):
    assert taken.deployed().state == "done"
    stop(taken.site.workspace(), LAB, "prod")
    job = taken.deployed()
    assert job.state == "done", job.error
    assert "not checked, since the lab is stopped" in taken.text(f"/jobs/{job.id}")


def test_a_class_whose_lxd_does_not_answer_is_not_called_empty(taken):
    assert taken.deployed().state == "done"
    path = "environments/prod/platform.yaml"
    repository = taken.site.workspace().repository
    text = (repository.root / path).read_text().replace("lxd.socket", "gone.socket")
    repository.write({path: text.encode()})
    repository.commit({path: text.encode()}, "Lose it")
    page = taken.text(f"/labs/{LAB}")
    assert "No student has machines" not in page
    assert "gone.socket" in page
    answer = taken.get(f"/labs/{LAB}/deploy")
    assert (answer.status_code, "gone.socket" in words(answer.text)) == (409, True)
