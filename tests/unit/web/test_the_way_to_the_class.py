"""From a blank slate to a class, on a fake LXD: what each page says, and what is on LXD and in git afterwards."""

import re
import threading

import pytest
from visitor import LAB, NEW, words


def test_blank_slate_has_one_sentence_and_three_ways(visitor):
    page = visitor.get("/").text
    assert "No lab yet" in page
    assert 'href="/create/container"' in page
    assert 'href="/create/template"' in page
    assert "this host cannot run virtual machines" in words(page) or 'href="/create/vm"' in page


def test_the_change_is_shown_before_anything_happens(visitor):
    head = visitor.site.workspace().repository.head()
    shown = visitor.post("/create/container", **NEW)
    assert "+title: Small" in words(shown.text)
    assert "+ web: {type: webserver, memory: 64MiB, disk: 256MiB}" in words(shown.text)
    assert visitor.site.workspace().repository.head() == head
    assert visitor.site.workspace().repository.uncommitted() == []


def test_from_blank_slate_to_the_class(visitor, lxd):
    job = visitor.created()
    assert [state for _, state in job.steps] == ["done"] * 6
    assert "web" in visitor.text(f"/labs/{LAB}")
    assert "Take a checkpoint first" in visitor.text(f"/labs/{LAB}")
    taken = visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint", message="The first <task>"))
    assert taken.state == "done", (taken.error, taken.error and taken.error.details)
    plan = visitor.text(f"/labs/{LAB}/deploy")
    assert "checkpoint 1: The first <task>" in plan
    assert "2 students get their first machines: 2 in all" in plan
    done = visitor.deployed()
    assert done.state == "done", (done.error, done.error and done.error.details)
    assert done.counts() == {"all": 2, "ready": 2, "failed": 0, "running": 0}
    assert "s001" in visitor.text(f"/labs/{LAB}")
    running = [name for (_, name), one in lxd.world.instances.items() if one["status"] == "Running"]
    assert sorted(running) == ["probe", "probe", "prof-web", "prof-web", "s001-web", "s002-web"]


def test_a_student_that_failed_is_named_and_tried_again_alone(visitor, lxd):
    visitor.created(students="3")
    assert visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint")).state == "done"
    lxd.world.dying.add("s002-web")
    failed = visitor.deployed(changed="carry")
    assert failed.state == "failed"
    page = visitor.text(f"/jobs/{failed.id}")
    assert "2 of 3 ready · 1 failed · 0 to come" in page
    assert "s002 failed" in page
    assert "Try again for 1" in page
    assert failed.failed_seats() == ["s002"]
    form = visitor.get(f"/jobs/{failed.id}").text
    assert '<input type="hidden" name="changed" value="carry">' in form
    lxd.world.dying.clear()
    again = visitor.ended(visitor.post(f"/labs/{LAB}/deploy", seat="s002"))
    assert (again.state, again.counts()) == ("done", {"all": 1, "ready": 1, "failed": 0, "running": 0})


def test_a_second_deployment_says_who_has_machines_already(visitor):
    visitor.created()
    for step in ("checkpoint", "deploy", "checkpoint"):
        done = visitor.deployed() if step == "deploy" else visitor.ended(visitor.post(f"/labs/{LAB}/{step}"))
        assert done.state == "done", (done.error, done.error and done.error.details)
    plan = visitor.text(f"/labs/{LAB}/deploy")
    assert "checkpoint 2" in plan
    assert "2 students have machines already" in plan
    assert "Stop, and show me what" in plan


def test_a_lab_without_a_checkpoint_cannot_be_deployed(visitor):
    visitor.created()
    answer = visitor.get(f"/labs/{LAB}/deploy")
    assert answer.status_code == 409
    assert "Take a checkpoint first" in words(answer.text)
    job = visitor.ended(visitor.post(f"/labs/{LAB}/deploy"))
    assert (job.state, job.counts()["all"]) == ("failed", 0)


def test_checks_are_run_and_told(visitor):
    visitor.created()
    job = visitor.ended(visitor.post(f"/labs/{LAB}/checks"))
    assert job.state == "done", job.error
    assert "web: web server answers: passed" in visitor.text(f"/jobs/{job.id}")
    assert "Last time: all passed" in visitor.text(f"/labs/{LAB}")


def test_a_machine_is_added_to_a_lab_and_its_comments_stay(visitor):
    visitor.created()
    root = visitor.site.folder
    spec = root / f"labs/{LAB}.lab.yaml"
    spec.write_text(spec.read_text() + "# What must hold, later.\n")
    machine = {key: NEW[key] for key in ("type", "cpu", "memory", "disk")} | {"name": "desk"}
    job = visitor.agree(f"/labs/{LAB}/create/container", **machine)
    assert (job.state, job.machine) == ("done", "desk"), job.error
    assert "# What must hold, later." in spec.read_text()
    taken = visitor.post(f"/labs/{LAB}/create/container", **machine)
    assert "there is a machine 'desk' already" in words(taken.text)


def test_a_template_begins_a_lab(visitor):
    answer = visitor.post("/create/template", template="firewall", lab=LAB, students="4")
    assert answer.status_code == 200, words(answer.text)
    assert "+students: 4" in words(answer.text)
    kubernetes = visitor.post("/create/template", template="kubernetes", lab=LAB, students="4")
    assert kubernetes.status_code == 422
    assert "own cluster runs the k3s that the operator provides" in words(kubernetes.text)


def test_a_vm_is_refused_with_the_reason_that_the_button_shows(visitor):
    reason = "LXD says: KVM support is missing (no /dev/kvm)"
    assert reason in visitor.text("/")
    answer = visitor.get("/create/vm")
    assert answer.status_code == 409
    assert reason in words(answer.text)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("lab", "firewalls", "a lab is called COURSE/LAB"),
        ("lab", "Net 101/Fire", "such as net-101/fire"),
        ("students", "0", "at least 1"),
        ("students", "many", "must be a whole number"),
        ("students", "", "This is needed"),
        ("title", " ", "This is needed"),
        ("memory", "512", "'memory' must be a size such as 512MiB"),
        ("memory", "1MiB", "memory"),
        ("cpu", "999", "at most 256"),
        ("name", "Web!", "name"),
        ("name", "probe", "the name of Practicum's own container"),
        ("type", "windows", "Choose one of these"),
        ("type", "kubernetes-node", "Choose one of these"),
    ],
)
def test_an_error_stands_beside_its_field(visitor, field, value, told):
    page = visitor.post("/create/container", **{**NEW, field: value}).text
    wrong = re.search(rf'id="error-{field}" role="alert">(.*?)<p class="help"', page, re.DOTALL)
    assert wrong, words(page)
    assert told in words(wrong[1])
    assert f'aria-describedby="help-{field} error-{field}"' in page


def test_what_was_not_shown_is_not_made(visitor):
    shown = visitor.post("/create/container", **NEW).text
    digest = re.search(r'name="agreed" value="(\w+)"', shown)[1]
    other = visitor.post("/create/container", **{**NEW, "memory": "128MiB"}, agreed=digest)
    assert other.status_code == 200
    assert "Review the change" in other.text
    assert visitor.site.jobs.running is None


def test_one_thing_is_done_at_a_time(visitor):
    hold = threading.Event()
    first = visitor.site.jobs.start("checks", LAB, lambda job: hold.wait(30) and None)
    try:
        answer = visitor.agree_raw("/create/container", **NEW)
        assert answer.status_code == 409
        assert "Something is being done in net101/small already" in words(answer.text)
        assert f"/jobs/{first.id}" in visitor.get("/create/container").text
    finally:
        hold.set()


def messages(text):
    """Return the events of a stream: id, name, data."""
    for block in text.strip().split("\n\n"):
        lines = [line.partition(": ")[::2] for line in block.splitlines()]
        found = dict(lines)
        yield found.get("id"), found.get("event", ""), "\n".join(value for key, value in lines if key == "data")


def test_a_browser_that_comes_back_gets_what_it_missed(visitor):
    job = visitor.created()
    whole = list(messages(visitor.get(f"/jobs/{job.id}/events").text))
    assert [(one[0], one[1]) for one in whole] == [(str(job.version), ""), (None, "ended")]
    assert "Done." in whole[0][2]
    known = {"last-event-id": str(job.version)}
    again = visitor.client.get(f"/jobs/{job.id}/events", headers=known).text
    assert [one[1] for one in messages(again)] == ["ended"]
    odd = visitor.client.get(f"/jobs/{job.id}/events", headers={"last-event-id": "x"}).text
    assert len(list(messages(odd))) == 2


def test_a_bug_in_a_job_is_told_and_ends_the_job(visitor):
    def work(job):
        raise ZeroDivisionError("seven")

    job = visitor.site.jobs.start("checks", LAB, work)
    while job.state == "running":
        pass
    page = visitor.text(f"/jobs/{job.id}")
    assert "A bug in Practicum: ZeroDivisionError('seven')" in page
    assert visitor.site.jobs.running is None


def test_a_part_of_a_page_tells_what_is_wrong_in_its_place(visitor, lxd):
    visitor.created()
    lxd.world.instances.clear()
    part = visitor.client.get(f"/labs/{LAB}/machines", headers={"hx-request": "true"}).text
    assert "absent" in part
    assert "<html" not in part
    (visitor.site.folder / "environments/dev/platform.yaml").write_text("lxd: 3\n")
    visitor.site.workspace().repository.commit({"environments/dev/platform.yaml": b"lxd: 3\n"}, "Break it")
    part = visitor.client.get(f"/labs/{LAB}/machines", headers={"hx-request": "true"}).text
    assert 'role="alert"' in part
    assert "<html" not in part
    line = "environments/dev/platform.yaml:1: "
    assert line in visitor.text(f"/labs/{LAB}")
    ticket = visitor.post(f"/labs/{LAB}/machines/web/ticket")
    assert ticket.status_code == 409
    assert line in ticket.json()["error"]
