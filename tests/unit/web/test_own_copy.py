"""A student's page on a fake LXD: own machines, what may be done to them in words, checks with hints, and snapshots."""

import json
import re
import threading

import pytest
from visitor import LAB, words
from web_university import LEO, MIA, SPEC

from practicum.stages.checkpoint import prove, take_checkpoint
from practicum.stages.deliver import deliver
from practicum.stages.promote import promote
from practicum.stages.wishes import When

COURSE = "/courses/net101"


@pytest.fixture
def mia(deployed):
    """A student whose class was deployed."""
    return deployed.person("mia")


def did(visitor, path, **data):
    """Press a button and return the job, which must succeed."""
    job = visitor.ended(visitor.post(path, **data))
    assert job.state == "done", (job.error, job.error and job.error.details, job.lines)
    return job


def instance(lxd, name):
    return next(one for (_, key), one in lxd.world.instances.items() if key == name)


def stopped(lxd, name, last="STOPPED"):
    """Let a machine not run; `last` is how LXD remembers it."""
    instance(lxd, name)["status"] = "Stopped"
    instance(lxd, name)["config"]["volatile.last_state.power"] = last


def test_the_page_shows_their_machines_and_nobody_elses(mia):
    page = mia.text(COURSE)
    assert "Small" in page
    assert "running" in page
    assert "s001" not in page
    assert f'data-terminal="{MIA}/machines/web"' in mia.get(COURSE).text
    assert "s002" not in mia.get(COURSE).text
    assert "running" in mia.text(f"{MIA}/machines")


@pytest.mark.parametrize(("last", "shown"), [("RUNNING", "starting"), ("STOPPED", "stopped")])
def test_after_the_host_was_started_a_machine_that_lxd_will_start_is_starting(mia, lxd, last, shown):
    stopped(lxd, "s001-web", last)
    assert f'<span class="state {shown}">{shown}</span>' in mia.get(COURSE).text


def test_restart_reset_and_start_over_are_done_and_say_so(mia, lxd):
    before = instance(lxd, "s001-web")["config"]["volatile.uuid"]
    did(mia, f"{MIA}/restart")
    assert instance(lxd, "s001-web")["config"]["volatile.uuid"] == before
    job = did(mia, f"{MIA}/reset")
    assert "Done." in mia.text(f"/jobs/{job.id}")
    assert f'href="{COURSE}"' in mia.get(f"/jobs/{job.id}").text
    assert instance(lxd, "s001-web")["config"]["volatile.uuid"] != before
    asked = mia.text(f"{MIA}/start_over")
    assert "Start over, and clear your files?" in asked
    assert "kept for 14 days" in asked
    did(mia, f"{MIA}/start_over")
    assert "taken before your files were replaced" in mia.text(COURSE)


def test_a_student_reads_no_words_of_code_and_no_log(mia):
    job = did(mia, f"{MIA}/reset")
    page = mia.text(f"/jobs/{job.id}")
    assert "Details" not in page
    assert "provision" not in page


def test_checks_tell_what_is_open_with_its_hint_and_hide_what_is_hidden(mia, lxd):
    lxd.world.answers["telnet-is-closed"] = (1, "", "password: hunter2")
    lxd.world.answers["secret-one"] = (1, "", "")
    page = mia.text(f"/jobs/{did(mia, f'{MIA}/progress').id}")
    assert "telnet is closed: not yet points: 2 Hint: Look at the input chain." in page
    assert "secret" not in page
    assert "42" not in page
    assert "hunter2" not in page
    lxd.world.answers["telnet-is-closed"] = (0, "", "")
    page = mia.text(f"/jobs/{did(mia, f'{MIA}/progress').id}")
    assert "telnet is closed: done points: 2" in page
    assert "Hint" not in page


def test_snapshots_are_taken_put_back_and_deleted(mia, lxd):
    did(mia, f"{MIA}/snapshot", message="before <nft>")
    assert "before <nft> yours" in mia.text(COURSE)
    name = re.search(r"restore\?name=([^\"]+)", mia.get(COURSE).text)[1]
    assert name in mia.text(f"{MIA}/restore?name={name}")
    did(mia, f"{MIA}/restore", name=name)
    assert f"before {name} was put back" in mia.text(COURSE)
    assert mia.post(f"{MIA}/forget", name=name).status_code == 303
    assert "before <nft>" not in mia.text(COURSE)
    assert mia.post(f"{MIA}/forget", name="gone").status_code == 422


def test_a_new_system_comes_when_the_student_wants_it(mia, university, lxd):
    assert "new system" not in mia.text(COURSE)
    workspace = university.site.workspace()
    take_checkpoint(workspace, LAB, "A fix")
    prove(workspace, LAB)
    promote(workspace, LAB)
    lxd.world.busy |= {"s001-web", "s002-web"}
    deliver(workspace, LAB, when=When(idle=True))
    assert "A new system for your machines is ready, and comes when you are not working." in mia.text(COURSE)
    did(mia, f"{MIA}/update")
    assert "new system" not in mia.text(COURSE)
    assert "new system" in university.person("leo").text(COURSE)
    did(mia, f"{MIA}/update")


def test_students_wait_for_each_other_and_nobody_is_refused(mia, university):
    leo, hold = university.person("leo"), threading.Event()
    first = university.site.jobs.start("checks", LAB, lambda job: hold.wait(60) and None)
    try:
        one, other = mia.post(f"{MIA}/restart"), leo.post(f"{LEO}/restart")
        page = mia.text(one.headers["location"])
        assert "Something else is being done first; this begins by itself." in page
        assert mia.post(f"{MIA}/reset").status_code == 409, "one thing at a time for one copy"
    finally:
        hold.set()
    assert [visitor.ended(answer).state for visitor, answer in ((mia, one), (leo, other))] == ["done", "done"]
    assert first.state == "done"


def test_who_teaches_is_not_stopped_by_a_student(mia, university):
    hold = threading.Event()
    university.site.jobs.start("restart", LAB, lambda job: hold.wait(60) and None, "s001")
    answer = university.person("ada").post(f"/labs/{LAB}/checks")
    hold.set()
    assert mia.ended(answer).state == "done"


def test_a_student_sees_the_jobs_of_their_own_copy_alone(mia, university):
    job = did(university.person("leo"), f"{LEO}/restart")
    assert mia.get(f"/jobs/{job.id}").status_code == 403
    assert mia.get(f"/jobs/{job.id}/events").status_code == 403
    assert university.person("bo").get(f"/jobs/{job.id}").status_code == 200


def test_a_terminal_of_who_teaches_is_told_to_the_student_and_their_own_is_not(mia, university):
    assert mia.post(f"{MIA}/machines/web/ticket").status_code == 200
    assert "opened a terminal" not in mia.text(COURSE)
    assert university.person("bo").post(f"{MIA}/machines/web/ticket").status_code == 200
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC · web · bo · opened a terminal", mia.text(COURSE))
    assert "opened a terminal" not in university.person("leo").text(COURSE)
    (line,) = (university.site.folder / ".practicum/consoles.jsonl").read_text().splitlines()
    assert {key: json.loads(line)[key] for key in ("who", "lab", "seat", "machine")} == {
        "who": "bo",
        "lab": LAB,
        "seat": "s001",
        "machine": "web",
    }


def test_where_no_list_can_be_kept_no_terminal_opens(mia, university):
    (university.site.folder / ".practicum/consoles.jsonl").mkdir()
    answer = university.person("bo").post(f"{MIA}/machines/web/ticket")
    assert answer.status_code == 409
    assert "cannot be written, so none is opened" in answer.json()["error"]
    assert mia.post(f"{MIA}/machines/web/ticket").status_code == 200


def test_a_student_gets_tickets_for_their_own_machines_only(mia, university):
    assert mia.post(f"{LEO}/machines/web/ticket").status_code == 403
    assert mia.post(f"/labs/{LAB}/machines/web/ticket").status_code == 403
    assert mia.post(f"{MIA}/machines/desk/ticket").status_code == 404


def test_a_stopped_lab_says_so_and_what_the_page_shows_stays(mia, lxd):
    stopped(lxd, "s001-web")
    assert "stopped" in mia.text(COURSE)
    assert "data-terminal" not in mia.get(f"{MIA}/machines").text


def test_a_numbered_class_has_links_by_place(university):
    spec = SPEC.replace("students: students.csv", "students: 2")
    university.list(spec=spec, lab="net101/numbers")
    visitor = university.person(lab="net101/numbers", seat="s002")
    assert "Your machines are not there yet" in visitor.text(COURSE)
    assert "You are not on" not in visitor.text(COURSE)
    assert words(visitor.get(f"/labs/{LAB}").text) != ""
    assert visitor.get(f"/labs/{LAB}").status_code == 404
