"""Runs that are killed, interrupted, or made at the same time: the next one ends where an undisturbed one does."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from classroom import LONE, Classroom, documents, normalised, until
from lxd_fixtures import OpenClassroom

from practicum.lxd.lock import KEY
from practicum.lxd.plan import READY
from practicum.stages.pipeline import commit_lab
from practicum.stages.promote import promote

pytestmark = pytest.mark.lxd

SPEC = {**LONE, "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}}}
MACHINES = {"probe", "prof-web", "s001-web", "s002-web"}


@pytest.fixture(scope="module")
def committed(open_shared: OpenClassroom) -> Classroom:
    """Return a lab that is promoted."""
    classroom = open_shared(SPEC)
    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")
    assert classroom.checkpoint().release == 1
    promote(classroom.workspace, classroom.lab)
    return classroom


@pytest.fixture
def promoted(committed: Classroom) -> Classroom:
    """Return a lab whose prod is committed and not yet on LXD."""
    committed.wipe("prod")
    return committed


def prod(classroom: Classroom) -> dict[str, Any]:
    return normalised(documents(classroom.lxd, f"{classroom.installation}/prod/"))


def machines(classroom: Classroom, project: str) -> list[dict[str, Any]]:
    """Return the machines of a project; asked so often that nothing else may be read for it."""
    if classroom.lxd.find("projects", project) is None:
        return []
    found: list[dict[str, Any]] = classroom.lxd.get("instances", project=project, recursion=1)
    return found


def started(classroom: Classroom, environment: str = "prod") -> "subprocess.Popen[str]":
    return classroom.command("provision", classroom.lab, "--env", environment)


def lock(classroom: Classroom) -> str:
    return str(classroom.lxd.get("projects", classroom.project("prod"))["config"].get(KEY, ""))


def is_ready(thing: dict[str, Any]) -> bool:
    return READY in thing["config"]


def test_killed_at_several_moments_the_next_run_ends_as_an_undisturbed_one(promoted: Classroom) -> None:
    promoted.provision("prod")
    whole = prod(promoted)
    assert set(promoted.instances("prod")) == MACHINES
    promoted.wipe("prod")
    project, bridge = promoted.project("prod"), promoted.bridge("prod", "prof")
    moments: list[Callable[[], bool]] = [
        lambda: promoted.lxd.find("projects", project) is not None,
        lambda: promoted.lxd.find("networks", bridge) is not None,
        lambda: len(machines(promoted, project)) >= 1,
        lambda: len(machines(promoted, project)) >= 3,
        lambda: any(map(is_ready, machines(promoted, project))),
    ]
    held = 0
    for moment in moments:
        run = started(promoted)
        until(lambda moment=moment, run=run: moment() or run.poll() is not None, "the moment to kill")
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        assert run.returncode == -signal.SIGKILL
        held += bool(lock(promoted))
    assert held >= 3
    asked = promoted.say("provision", promoted.lab, "--env", "prod")
    assert (asked.returncode, asked.stderr) == (0, asked.stderr)
    assert prod(promoted) == whole
    assert lock(promoted) == ""
    assert promoted.provision("prod").plan.actions == ()
    assert promoted.smoke("prod") == {"prof": [], "s001": [], "s002": []}


def test_an_interrupted_run_says_so_and_the_next_one_converges(promoted: Classroom) -> None:
    project = promoted.project("prod")
    run = started(promoted)
    until(lambda: machines(promoted, project), "a machine")
    run.send_signal(signal.SIGINT)
    _, words = run.communicate(timeout=60)
    assert (run.returncode, "interrupted" in words) == (130, True)
    assert lock(promoted) == ""
    assert sum(map(is_ready, machines(promoted, project))) < len(MACHINES)
    promoted.provision("prod")
    assert set(promoted.instances("prod")) == MACHINES
    assert all(map(is_ready, promoted.instances("prod").values()))
    assert promoted.provision("prod").plan.actions == ()


def test_of_two_runs_at_once_one_gives_way(promoted: Classroom) -> None:
    project = promoted.project("prod")
    first = started(promoted)
    until(lambda: KEY in (promoted.lxd.find("projects", project) or {"config": {}})["config"], "the lease")
    second = promoted.say("provision", promoted.lab, "--env", "prod")
    assert (second.returncode, "lease" in second.stderr) == (75, True)
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert set(promoted.instances("prod")) == MACHINES

    config = promoted.lxd.get("projects", project)["config"]
    for expires, code in ((time.time() + 600, 75), (time.time() - 1, 0)):
        elsewhere = json.dumps({"owner": "another-host:1:ab", "expires": round(expires)})
        promoted.lxd.patch("projects", project, body={"config": {**config, KEY: elsewhere}})
        assert promoted.say("provision", promoted.lab, "--env", "prod").returncode == code


def test_a_killed_run_leaves_a_machine_of_the_professor_that_is_resumed(open_classroom: OpenClassroom) -> None:
    classroom = open_classroom(SPEC)
    commit_lab(classroom.workspace, classroom.lab)
    run = started(classroom, "dev")
    until(lambda: "prof-web" in classroom.instances("dev"), "the professor's machine")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    until(lambda: not running(classroom, "dev"), "the end of what LXD does")
    half = classroom.instances("dev")["prof-web"]
    assert READY not in half["config"]
    classroom.provision("dev")
    done = classroom.instances("dev")["prof-web"]
    assert done["config"]["volatile.uuid"] == half["config"]["volatile.uuid"]
    assert is_ready(done)
    assert classroom.provision("dev").plan.actions == ()
    assert classroom.smoke("dev") == {"prof": []}
    assert classroom.read("dev", "prof-web", "stat -c %u /home/student; cat /home/student/.profile") == (
        "1000\n# from the image"
    )


def running(classroom: Classroom, environment: str) -> list[Any]:
    found = classroom.lxd.get("operations", project=classroom.project(environment), recursion=1)
    return [one for one in found.get("running", []) if one["class"] == "task"]
