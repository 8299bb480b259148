"""Who teaches sees the class, and does something to one student's copy, to some, or to all, each with its outcome."""

import re

import pytest
import yaml
from visitor import LAB, words

CLASS = f"/labs/{LAB}/class"


@pytest.fixture
def bo(deployed):
    """An assistant whose class was deployed."""
    return deployed.person("bo")


def identity(lxd, name):
    return next(one for (_, key), one in lxd.world.instances.items() if key == name)["config"]["volatile.uuid"]


def did(visitor, path, **data):
    job = visitor.ended(visitor.post(path, agreed="1", **data))
    assert job.state == "done", (job.error, job.error and job.error.details, job.lines)
    return job


def test_the_class_has_names_states_and_groups(bo, lxd):
    page = bo.text(f"/labs/{LAB}")
    assert "2 of 2 running" in page
    assert "s001 Mia Lind" in page
    assert "s002 Leo <b>Fox" in page
    assert "<b>" not in bo.get(f"/labs/{LAB}").text
    red = bo.text(f"/labs/{LAB}?group=red")
    assert ("s001" in red, "s002" in red) == (True, False)
    assert "s002" in bo.text(f"/labs/{LAB}?group=none")


def test_nothing_is_chosen_before_somebody_chooses(bo):
    assert not re.search(r"<input type=.checkbox[^>]* checked", bo.get(f"/labs/{LAB}").text)
    answer = bo.post(f"{CLASS}/reset")
    assert "No student was chosen" in words(answer.text)
    assert bo.site.jobs.running is None


@pytest.mark.parametrize("kind", ["reset", "restart"])
def test_it_is_asked_before_anybody_is_interrupted(bo, kind):
    page = words(bo.post(f"{CLASS}/{kind}", seat=["s001", "s002"]).text)
    assert "the machines of 2 students?" in page
    assert "s001, s002" in page
    assert bo.site.jobs.last(LAB, kind) is None


def test_those_who_were_chosen_are_reset_and_nobody_else(bo, lxd):
    before = [identity(lxd, name) for name in ("s001-web", "s002-web")]
    job = did(bo, f"{CLASS}/reset", seat="s002")
    after = [identity(lxd, name) for name in ("s001-web", "s002-web")]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    assert job.counts() == {"all": 1, "ready": 1, "failed": 0, "running": 0}


def test_one_that_fails_stops_nobody_and_is_tried_again_alone(bo, lxd):
    lxd.world.instances.pop(next(key for key in lxd.world.instances if key[1] == "s001-web"))
    job = bo.ended(bo.post(f"{CLASS}/restart", seat=["s001", "s002"], agreed="1"))
    assert job.state == "failed"
    page = bo.text(f"/jobs/{job.id}")
    assert "1 of 2 ready · 1 failed · 0 to come" in page
    assert "s001-web is not on LXD" in page
    form = bo.get(f"/jobs/{job.id}").text
    assert f'action="{CLASS}/restart"' in form
    assert re.findall(r'name="seat" value="(\w+)"', form) == ["s001"]


@pytest.mark.parametrize("seat", ["prof", "pilot", "s009", "../s001"])
def test_only_students_copies_can_be_chosen(bo, seat):
    answer = bo.post(f"{CLASS}/restart", seat=seat, agreed="1")
    assert answer.status_code == 422
    assert "No student was chosen" in words(answer.text)


def test_progress_is_shown_with_the_class(bo, lxd):
    lxd.world.answers["telnet-is-closed"] = (0, "", "")
    lxd.world.answers["secret-one"] = (1, "", "")
    did(bo, f"{CLASS}/progress", seat="s001")
    assert "2 of 2 points, 1 of 2 checks" in bo.text(f"/labs/{LAB}")


def test_a_class_is_stopped_and_started_by_its_professor(bo, university, lxd):
    assert bo.post(f"{CLASS}/stop").status_code == 403
    assert "Stop the class" not in bo.text(f"/labs/{LAB}")
    ada = university.person("ada")
    did(ada, f"{CLASS}/stop")
    page = ada.text(f"/labs/{LAB}")
    assert "0 of 2 running" in page
    assert "The class is stopped." in page
    assert "Stop the class" not in page
    did(ada, f"{CLASS}/start")
    assert "2 of 2 running" in ada.text(f"/labs/{LAB}")


def test_an_exam_begins_and_ends(bo, university):
    ada = university.person("ada")
    did(ada, f"{CLASS}/exam_on")
    path = university.site.folder / f"environments/prod/{LAB}/operation.yaml"
    assert yaml.safe_load(path.read_text())["internet"] == "none"
    assert "An exam is on" in ada.text(f"/labs/{LAB}")
    did(ada, f"{CLASS}/exam_off")
    assert yaml.safe_load(path.read_text())["internet"] == "spec"


def test_what_a_student_does_is_not_what_was_last_done_to_the_class(bo, university):
    mia = university.person("mia")
    mia.ended(mia.post(f"/labs/{LAB}/seats/s001/progress"))
    assert bo.site.jobs.last(LAB, "progress") is None
