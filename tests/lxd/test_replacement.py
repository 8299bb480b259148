"""A second release reaches running seats: systems are replaced, what students did on volumes and kept paths stays."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from classroom import SPEC, Classroom
from lxd_fixtures import OpenClassroom

from practicum.errors import PracticumError
from practicum.lxd import replacement
from practicum.stages.checkpoint import prove, take_checkpoint
from practicum.stages.checkpoint_view import differences
from practicum.stages.deliver import Changed, Delivery, deliver
from practicum.stages.promote import promote
from practicum.stages.provision import provision
from practicum.stages.reset import reset
from practicum.stages.undo import undo

# Many deliveries one after the other: fourteen minutes on a slow host that does other work too.
pytestmark = [pytest.mark.lxd, pytest.mark.timeout(1800)]

KEPT = "/srv/answers"
SEATS = ("s001", "s002", "s003")
LESSON: dict[str, Any] = {
    **SPEC,
    "students": 3,
    "machines": {**SPEC["machines"], "web": {**SPEC["machines"]["web"], "keep": [KEPT]}},
}
WORK = """
set -e
mkdir -p /srv/answers; echo "answer of $1" > /srv/answers/one
chown -R 1000:1000 /srv/answers; chmod 600 /srv/answers/one
mkdir -p /etc/ssh; echo "key of $1" > /etc/ssh/ssh_host_ed25519_key; chmod 600 /etc/ssh/ssh_host_ed25519_key
echo "id of $1" > /etc/machine-id
"""
SEEN = """
cat /srv/answers/one /etc/ssh/ssh_host_ed25519_key /etc/machine-id /sys/class/net/eth0/address
stat -c '%u:%g %a' /srv/answers /srv/answers/one /etc/ssh/ssh_host_ed25519_key
"""
HOME = "find /home/student -type f -exec sha256sum {} + | sort; stat -c '%u:%g %a %n' /home/student/*"


LESSONS = count(2)


def release(classroom: Classroom, script: str = "") -> str:
    """Change the professor's copy by hand, prove a checkpoint of it and promote it; return what /etc/lesson says."""
    lesson = str(next(LESSONS))
    classroom.read("dev", "prof-web", f"echo {lesson} > /etc/lesson; {script}")
    take_checkpoint(classroom.workspace, classroom.lab, "by hand")
    assert prove(classroom.workspace, classroom.lab).release is not None
    promote(classroom.workspace, classroom.lab)
    return lesson


def delivered(classroom: Classroom, changed: Changed = "ask", *seats: str) -> Delivery:
    done = deliver(classroom.workspace, classroom.lab, seats, changed)
    assert done.provisioned.failed == []
    assert [result for result in done.results if not result.ok] == []
    return done


@pytest.fixture(scope="module")
def school(open_shared: OpenClassroom) -> Classroom:
    """Return a delivered class; one for all tests of this file."""
    classroom = open_shared(LESSON)
    classroom.pipeline()
    return classroom


@pytest.fixture
def taught(school: Classroom) -> Classroom:
    """Return a class that has the newest release and has worked on its machines."""
    delivered(school, "overwrite")
    for seat in SEATS:
        school.read("prod", f"{seat}-web", f"set -- {seat}\n{WORK}")
        school.read("prod", f"{seat}-desk", f"echo {seat} > /home/student/mine; chmod 640 /home/student/mine")
    return school


def test_a_new_release_replaces_systems_and_keeps_the_work(taught: Classroom) -> None:
    seen = {seat: taught.read("prod", f"{seat}-web", SEEN) for seat in SEATS}
    homes = {seat: taught.read("prod", f"{seat}-desk", HOME) for seat in SEATS}
    addresses = {name: taught.addresses("prod", name) for name in ("s001-web", "s003-desk")}
    lesson = release(taught)

    done = delivered(taught)

    assert sorted(done.replaced) == ["prof", *SEATS]
    assert done.drifts == ()
    for seat in SEATS:
        assert taught.read("prod", f"{seat}-web", "cat /etc/lesson") == lesson
        assert taught.read("prod", f"{seat}-web", SEEN) == seen[seat]
        assert taught.read("prod", f"{seat}-desk", HOME) == homes[seat]
        assert seat in taught.read("prod", f"{seat}-web", "cat /etc/me.txt")
    assert {name: taught.addresses("prod", name) for name in addresses} == addresses
    states = {name: found["status"] for name, found in taught.instances("prod").items()}
    assert {states[f"prev-{seat}-{machine}"] for seat in SEATS for machine in ("web", "desk")} == {"Stopped"}
    assert not any(name.startswith("next-") for name in states)
    again = delivered(taught)
    assert (again.replaced, again.provisioned.plan.actions) == ((), ())


def test_undo_brings_systems_back_and_leaves_volumes(taught: Classroom) -> None:
    before = taught.read("prod", "s002-web", "cat /etc/lesson")
    lesson = release(taught)
    delivered(taught)
    taught.read("prod", "s002-desk", "echo later > /home/student/later")
    assert undo(taught.workspace, taught.lab, ["s002"]) == ["s002"]
    assert taught.read("prod", "s002-web", "cat /etc/lesson") == before
    assert taught.read("prod", "s001-web", "cat /etc/lesson") == lesson
    assert taught.read("prod", "s002-desk", "cat /home/student/mine /home/student/later") == "s002\nlater"
    assert taught.smoke("prod", "s002") == {"s002": []}
    # A run that only repairs leaves it so; the next delivery brings the release again.
    assert provision(taught.workspace, taught.lab, "prod").plan.outdated == ("s002-web", "s002-desk")
    assert delivered(taught).replaced == ("s002",)
    assert taught.read("prod", "s002-web", "cat /etc/lesson") == lesson


def test_what_students_changed_elsewhere_is_asked_about(taught: Classroom) -> None:
    for seat in ("s001", "s002"):
        taught.read("prod", f"{seat}-web", "echo mine > /etc/firewall; mkdir -p /opt/tool; echo x > /opt/tool/x")
    older = taught.read("prod", "s003-web", "cat /etc/lesson")
    lesson = release(taught)
    before = taught.documents()
    with pytest.raises(PracticumError) as refused:
        delivered(taught)
    assert "s001-web: /etc/firewall, /opt/tool/x\ns002-web: /etc/firewall, /opt/tool/x" in refused.value.details
    assert "s003" not in refused.value.details
    assert set(taught.documents()) - {"golden"} >= set(before)
    assert taught.read("prod", "s003-web", "cat /etc/lesson") == older

    skipped = delivered(taught, "skip")
    assert skipped.skipped == ("s001", "s002")
    assert sorted(skipped.replaced) == ["prof", "s003"]
    assert delivered(taught, "carry", "s001").replaced == ("s001",)
    assert taught.read("prod", "s001-web", "cat /etc/lesson /etc/firewall /opt/tool/x") == f"{lesson}\nmine\nx"
    assert delivered(taught, "overwrite").replaced == ("s002",)
    assert taught.run("prod", "s002-web", "cat /etc/lesson; test ! -e /etc/firewall") == (0, lesson)
    undo(taught.workspace, taught.lab, ["s002"])
    assert taught.read("prod", "s002-web", "cat /etc/firewall") == "mine"
    reset(taught.workspace, taught.lab, ["s001", "s002"])


@pytest.mark.parametrize("moments", [("carry", "_rename", "delete"), ("attach", "halt", "start")])
def test_killed_in_a_switch_the_next_run_ends_it(
    taught: Classroom, moments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = release(taught)
    for seat, moment in zip(SEATS, moments, strict=True):
        seen = taught.read("prod", f"{seat}-web", SEEN)
        real = getattr(replacement, moment)

        def dies(*arguments: Any, real: Callable[..., None] = real, **options: Any) -> None:
            real(*arguments, **options)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(replacement, moment, dies)
            with pytest.raises(KeyboardInterrupt):
                deliver(taught.workspace, taught.lab, [seat])
        taught.provision("prod", seat)
        assert taught.read("prod", f"{seat}-web", "cat /srv/answers/one") == f"answer of {seat}"
        delivered(taught, "ask", seat)
        assert taught.read("prod", f"{seat}-web", "cat /etc/lesson") == lesson
        assert taught.read("prod", f"{seat}-web", SEEN) == seen
    assert not any(name.startswith("next-") for name in taught.instances("prod"))


def test_a_bad_release_stops_at_the_first_seat_and_is_rolled_back(taught: Classroom) -> None:
    good = release(taught)
    older = taught.run("prod", "s001-web", "cat /etc/lesson")
    # The pilot cannot see what breaks only beside the work of a student.
    trap = "echo '[ -e /srv/answers ] && rm -rf /var/www/html' > /etc/boot; sed -i '2i . /etc/boot' /sbin/init"
    release(taught, trap)
    taught.read("dev", "prof-web", "sed -i 2d /sbin/init; rm /etc/boot")
    taught.read("prod", "prof-web", "mkdir -p /srv/answers")
    with pytest.raises(PracticumError) as stopped:
        delivered(taught)
    assert "1 of the first 1 seats fail what they passed before" in stopped.value.message
    assert "3 seats were not touched" in stopped.value.message
    assert "practicum undo net101/small --seat prof" in stopped.value.resolution
    assert taught.run("prod", "s001-web", "cat /etc/lesson") == older
    promote(taught.workspace, taught.lab, rollback=True)
    # What the bad release removed on the professor's machine is a change like any other.
    delivered(taught, "overwrite")
    for seat in ("prof", *SEATS):
        assert taught.read("prod", f"{seat}-web", "cat /etc/lesson") == good
    assert taught.read("prod", "s001-web", "cat /srv/answers/one") == "answer of s001"


def test_a_reset_gives_the_release_anew_and_starting_over_the_files_too(taught: Classroom) -> None:
    taught.read("prod", "s001-web", "rm -rf /var/www /etc/passwd; echo broken > /etc/broken")
    reset(taught.workspace, taught.lab, ["s001"])
    assert taught.run("prod", "s001-web", "test ! -e /etc/broken; cat /srv/answers/one") == (0, "answer of s001")
    assert taught.read("prod", "s001-desk", "cat /home/student/mine") == "s001"
    reset(taught.workspace, taught.lab, ["s001"], start_over=True)
    assert taught.run("prod", "s001-web", "test ! -e /srv/answers") == (0, "")
    assert taught.run("prod", "s001-desk", "test ! -e /home/student/mine; cat /home/student/task.md") == (
        0,
        "Build a firewall.",
    )
    assert taught.smoke("prod", "s001") == {"s001": []}
    assert taught.read("prod", "s002-desk", "cat /home/student/mine") == "s002"
    volumes = taught.lxd.get(
        "storage-pools", taught.pool, "volumes", "custom", project=taught.project("prod"), recursion=1
    )
    assert "prev-s001-home" in {volume["name"] for volume in volumes}


def test_checkpoints_can_be_compared(taught: Classroom) -> None:
    release(taught)  # what it is compared with must not hold what another test did to the professor's machine
    release(taught, "rm -f /etc/shadow; echo more >> /etc/group; echo new > /etc/new")
    found = [
        f"{change.sign} {change.machine} {change.path}"
        for change in differences(taught.workspace, taught.lab, None, None)
    ]
    assert {"~ web /etc/group", "+ web /etc/new", "- web /etc/shadow"} <= set(found)
    assert {line.split()[-1] for line in found} <= {"/etc/group", "/etc/new", "/etc/shadow", "/etc/lesson"}
    said = taught.say("checkpoint", "list", taught.lab)
    assert "by hand" in said.stdout
