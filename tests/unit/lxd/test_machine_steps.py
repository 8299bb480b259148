"""Steps inside machines: in order, recorded one by one, and never repeated without being asked."""

import hashlib
import json

import pytest
from fake_lxd import FakeLxd

from practicum.errors import PracticumError
from practicum.lxd.client import CommandResult
from practicum.lxd.desired import Instance
from practicum.lxd.plan import STEPS
from practicum.lxd.steps import LAST_LINES, SCRIPT, STAGED, WAIT_FOR_BOOT, StepRunner

PACKAGES = {"kind": "packages", "packages": ["nftables", "a b"]}
STATIC = {"kind": "file", "to": "/srv/a b", "mode": "0640", "sha256": "s1"}
RENDERED = {"kind": "file", "to": "/srv/c", "mode": "0644", "content": "for ada\n"}
LARGE = {"kind": "file", "to": "/srv/d", "mode": "0644", "data": "imdb.dump", "sha256": "d1"}
RUN = {"kind": "run", "name": "labs/x/prepare.sh", "sha256": "r1"}
SETUP = {"kind": "setup", "name": "labs/x/role.sh.j2", "content": "#!/bin/sh\n"}
ALL = (PACKAGES, STATIC, RENDERED, LARGE, RUN, SETUP)
CONTENT = {"s1": b"static\n", "r1": b"#!/bin/sh\nprepare\n", "r2": b"#!/bin/sh\nprepare more\n"}
LARGE_FILES = {("imdb.dump", "d1"): b"large"}


def machine(*steps):
    return Instance("prof-web", "prof", "web", "container", "fp", False, (), {}, {}, steps)


class Bench:
    """A machine on a fake LXD, and what was told while its steps were done."""

    def __init__(self):
        self.lxd = FakeLxd()
        self.lxd.objects["instances"]["prof-web"] = {"name": "prof-web", "config": {}}
        self.events = []

    def run(self, *steps, repeat=False, touched="overwrite"):
        self.lxd.log.clear()
        self.events.clear()
        runner = StepRunner(
            self.lxd,
            "project",
            self.events.append,
            CONTENT.__getitem__,
            lambda name, digest: LARGE_FILES[name, digest],
            repeat_scripts=repeat,
        )
        return runner.run(machine(*steps), touched)

    @property
    def recorded(self):
        return list(json.loads(self.lxd.objects["instances"]["prof-web"]["config"].get(STEPS, "{}")))

    @property
    def began(self):
        return [event.detail for event in self.events if event.state == "started"]

    @property
    def warnings(self):
        return [event.detail for event in self.events if event.state == "warning"]

    def done(self, kind):
        return [entry for entry in self.lxd.log if entry[0] == kind]


@pytest.fixture
def bench():
    return Bench()


def test_steps_are_done_in_order_each_recorded_after_it(bench):
    bench.run(*ALL)
    assert bench.began == [
        "packages",
        "file /srv/a b",
        "file /srv/c",
        "file /srv/d",
        "run labs/x/prepare.sh",
        "setup labs/x/role.sh.j2",
    ]
    kinds = [entry[0] for entry in bench.lxd.log]
    # Boot; packages; three files and two scripts are uploaded and put in place; a record behind each of the six.
    assert kinds == ["run", "run", "patch", *(["upload", "run", "patch"] * 5)]
    lengths = [len(json.loads(entry[2][STEPS])) for entry in bench.done("patch")]
    assert lengths == [1, 2, 3, 4, 5, 6]


def test_the_machine_is_waited_for_first(bench):
    bench.run(RENDERED)
    assert bench.lxd.log[0] == ("run", "prof-web", ["sh", "-c", WAIT_FOR_BOOT])


def test_files_come_from_where_the_step_says_with_their_mode(bench):
    bench.run(STATIC, RENDERED, LARGE)
    assert [entry[2:] for entry in bench.done("upload")] == [
        (STAGED, b"static\n", "0640"),
        (STAGED, b"for ada\n", "0644"),
        (STAGED, b"large", "0644"),
    ]
    assert bench.done("run")[1][2][3:] == ["sh", "/srv/a b", STAGED, "0640"]


def test_names_of_packages_cannot_become_commands(bench):
    bench.run({"kind": "packages", "packages": ["nano", "; rm -rf /"]})
    assert bench.done("run")[1][2][2].endswith("nano '; rm -rf /'")


def test_scripts_are_run_as_files_with_all_rights_for_root_only(bench):
    bench.run(RUN)
    assert bench.done("upload")[0][2:] == (SCRIPT, CONTENT["r1"], "0700")
    assert SCRIPT in bench.done("run")[1][2][2]


def test_what_was_done_is_not_done_again(bench):
    bench.run(*ALL)
    bench.run(*ALL)
    assert bench.began == []
    assert bench.done("upload") == bench.done("patch") == []


@pytest.mark.parametrize("killed_at", range(len(ALL)))
def test_after_a_kill_only_the_unrecorded_steps_are_done(bench, killed_at):
    bench.run(*ALL[:killed_at])
    bench.run(*ALL)
    assert len(bench.began) == len(ALL) - killed_at
    assert len(bench.recorded) == len(ALL)


def test_a_changed_file_is_written_again_and_only_it(bench):
    bench.run(*ALL)
    changed = {**RENDERED, "content": "for bo\n"}
    bench.run(PACKAGES, STATIC, changed, LARGE, RUN, SETUP)
    assert bench.began == ["file /srv/c"]


def test_a_changed_run_script_is_not_run_again_without_being_asked(bench):
    bench.run(RUN)
    changed = {**RUN, "sha256": "r2"}
    bench.run(changed, RENDERED)
    assert bench.began == ["file /srv/c"]
    (warning,) = bench.warnings
    assert "labs/x/prepare.sh changed and was not run again" in warning
    assert "--yes" in warning
    bench.run(changed, RENDERED)
    assert bench.warnings == [warning]


def test_a_changed_run_script_runs_again_when_asked(bench):
    bench.run(RUN)
    bench.run({**RUN, "sha256": "r2"}, repeat=True)
    assert bench.began == ["run labs/x/prepare.sh"]
    assert bench.done("upload")[0][3] == CONTENT["r2"]
    bench.run({**RUN, "sha256": "r2"})
    assert bench.warnings == []


def test_a_failure_names_machine_step_and_the_last_lines(bench):
    output = "\n".join(f"line {number}" for number in range(40))
    bench.lxd.answers[SCRIPT] = CommandResult(3, "", output + "\nE: no space left\n")
    with pytest.raises(PracticumError) as caught:
        bench.run(RENDERED, RUN, SETUP)
    error = caught.value
    assert error.message == "labs/x/prepare.sh failed on prof-web (exit code 3)"
    lines = error.details.splitlines()
    assert (len(lines), lines[-1]) == (LAST_LINES, "E: no space left")
    assert "prof web" in error.resolution
    assert bench.recorded == ["file /srv/c"]


def test_what_a_command_printed_is_told_when_it_printed_no_error(bench):
    bench.lxd.answers["apt-get"] = CommandResult(100, "Unable to locate package x\n", "")
    with pytest.raises(PracticumError) as caught:
        bench.run(PACKAGES)
    assert caught.value.details == "Unable to locate package x"
    assert "installing packages failed on prof-web (exit code 100)" in caught.value.message


def test_the_next_run_goes_on_at_the_step_that_failed(bench):
    bench.lxd.answers[SCRIPT] = CommandResult(1, "", "broken")
    with pytest.raises(PracticumError):
        bench.run(RENDERED, RUN, SETUP)
    bench.lxd.answers.clear()
    bench.run(RENDERED, RUN, SETUP)
    assert bench.began == ["run labs/x/prepare.sh", "setup labs/x/role.sh.j2"]


def test_a_step_taken_out_is_forgotten_by_nobody(bench):
    bench.run(PACKAGES, RUN)
    bench.run(PACKAGES)
    assert bench.recorded == ["packages", "run labs/x/prepare.sh"]


# Files that somebody changed since they were delivered.

AS_DELIVERED = {"/srv/a b": (b"static\n", "0640"), "/srv/c": (b"for ada\n", "0644")}
NEWER = ({**STATIC, "sha256": "s2"}, {**RENDERED, "content": "for bo\n"})


@pytest.fixture
def taught(bench, monkeypatch):
    """A machine that has two files, as they were delivered."""
    monkeypatch.setitem(CONTENT, "s2", b"static, newer\n")
    steps = [{**STATIC, "sha256": hashlib.sha256(b"static\n").hexdigest()}, RENDERED]
    monkeypatch.setitem(CONTENT, steps[0]["sha256"], b"static\n")
    bench.run(*steps)
    bench.lxd.files = dict(AS_DELIVERED)
    return bench


def test_a_file_that_nobody_touched_is_written_anew(taught):
    assert taught.run(*NEWER, touched="leave") is True
    assert [entry[3] for entry in taught.done("upload")] == [b"static, newer\n", b"for bo\n"]


@pytest.mark.parametrize(
    "now", [(b"mine\n", "0644"), (b"for ada\n", "0600"), (b"\xff", "0644"), None], ids=["text", "mode", "bytes", "gone"]
)
def test_a_touched_file_is_left_kept_or_overwritten_as_was_chosen(taught, now):
    taught.lxd.files = {path: file for path, file in {**AS_DELIVERED, "/srv/c": now}.items() if file}
    assert taught.run(*NEWER, touched="leave") is False
    assert [entry[3] for entry in taught.done("upload")] == [b"static, newer\n"]
    assert taught.warnings == ["/srv/c was changed by hand and is left; 'practicum deliver LAB --changed …' decides"]
    assert taught.run(*NEWER, touched="leave") is False
    assert taught.run(*NEWER, touched="keep") is True
    assert (taught.done("upload"), taught.run(*NEWER, touched="overwrite")) == ([], True)
    assert taught.done("upload") == []


def test_a_touched_file_is_overwritten_when_that_was_chosen(taught):
    taught.lxd.files["/srv/c"] = (b"mine\n", "0644")
    assert taught.run(*NEWER, touched="overwrite") is True
    assert taught.done("upload")[1][3] == b"for bo\n"


def test_what_is_the_new_file_already_is_no_change_of_anybody(taught):
    taught.lxd.files["/srv/c"] = (b"for bo\n", "0644")
    assert taught.run(*NEWER, touched="leave") is True
    assert taught.warnings == []
