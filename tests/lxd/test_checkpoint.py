"""What a professor did by hand reaches students through a checkpoint and a promotion, and nothing else does."""

from typing import Any

import pytest
import yaml
from classroom import SPEC, Classroom
from lxd_fixtures import OpenClassroom

from practicum.lxd.errors import LxdNotFound
from practicum.stages.checkpoint import prove, releases, take_checkpoint
from practicum.stages.deliver import deliver
from practicum.stages.pipeline import commit_lab
from practicum.stages.promote import promote

pytestmark = pytest.mark.lxd

OWN_FILE = {"from": "files/me.txt.j2", "to": "/home/student/me.txt"}
LESSON: dict[str, Any] = {
    **SPEC,
    "students": 2,
    "machines": {
        **SPEC["machines"],
        "desk": {**SPEC["machines"]["desk"], "files": [*SPEC["machines"]["desk"]["files"], OWN_FILE]},
    },
}
BY_HAND = """
set -e
umask 022
echo tuned > /etc/tuned
mkdir /srv/data; echo rows > /srv/data/table; chown -R 1000:1000 /srv/data; chmod 600 /srv/data/table
mkdir -p /etc/ssh /root/.ssh /var/log
echo 0123456789abcdef > /etc/machine-id
for file in /etc/ssh/ssh_host_ed25519_key /root/.bash_history /root/.ssh/authorized_keys /var/log/auth.log; do
  echo "the professor's" > $file
done
"""
AT_HOME = """
set -e
cd /home/student
mkdir -p .ssh notes
echo "look here" > notes/hint; chmod 640 notes/hint
for file in .bash_history .ssh/authorized_keys; do echo "the professor's" > $file; done
chown -R 1000:1000 .ssh notes .bash_history
"""
PRIVATE = {
    "web": (
        "/etc/ssh/ssh_host_ed25519_key",
        "/root/.bash_history",
        "/root/.ssh/authorized_keys",
        "/var/log/auth.log",
    ),
    "desk": ("/home/student/.bash_history", "/home/student/.ssh/authorized_keys"),
}


@pytest.fixture(scope="module")
def taught(open_shared: OpenClassroom) -> Classroom:
    """Return a lab that a professor changed by hand and delivered."""
    classroom = open_shared(LESSON)
    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")
    classroom.read("dev", "prof-web", BY_HAND)
    classroom.read("dev", "prof-desk", AT_HOME)
    before = professors(classroom)
    take_checkpoint(classroom.workspace, classroom.lab, "by hand")
    assert professors(classroom) == before
    assert prove(classroom.workspace, classroom.lab).release == 1
    assert professors(classroom) == before
    promote(classroom.workspace, classroom.lab)
    assert deliver(classroom.workspace, classroom.lab).provisioned.failed == []
    return classroom


def professors(classroom: Classroom) -> dict[str, Any]:
    """Return the documents of the professor's own machines and volumes: when they ran last, and their snapshots."""
    project = classroom.project("dev")
    found = classroom.documents().items()
    kept = {key: thing for key, thing in found if key.startswith((f"instance {project} prof", f"volume {project}"))}
    machines = [thing["name"] for key, thing in kept.items() if key.startswith("instance")]
    snapshots = {name: classroom.lxd.get("instances", name, "snapshots", project=project) for name in machines}
    return {**kept, "snapshots": snapshots}


def prods(classroom: Classroom, leave_out: str = "") -> dict[str, Any]:
    """Return the documents of prod's seats, without those of one seat; who uses shared objects is left out."""
    found = {}
    for key, thing in taught_objects(classroom):
        environment, *_, seat = thing["config"]["user.practicum"].split("/")[1:]
        if environment == "prod" and seat != leave_out:
            found[key] = {name: value for name, value in thing.items() if name != "used_by"}
    return found


def taught_objects(classroom: Classroom) -> list[tuple[str, Any]]:
    """Return everything but projects and images, whose records change with a delivery."""
    kinds = ("instance", "network", "acl", "volume", "profile")
    found = [(key, thing) for key, thing in classroom.documents().items() if key.split()[0] in kinds]
    return [(key, thing) for key, thing in found if "user.practicum" in thing["config"]]


def test_hand_changes_reach_every_student_with_their_owners(taught: Classroom) -> None:
    for seat in ("prof", "s001", "s002"):
        assert taught.read("prod", f"{seat}-web", "cat /etc/tuned /srv/data/table") == "tuned\nrows"
        assert taught.read("prod", f"{seat}-web", "stat -c '%u:%g %a' /srv/data/table") == "1000:1000 600"
        notes = "/home/student/notes"
        assert taught.read("prod", f"{seat}-desk", f"cat {notes}/hint") == "look here"
        assert taught.read("prod", f"{seat}-desk", f"stat -c '%u:%g %a' {notes} {notes}/hint") == (
            "1000:1000 755\n1000:1000 640"
        )


@pytest.mark.parametrize("machine", ["web", "desk"])
def test_what_is_the_professors_own_reaches_nobody_and_stays(taught: Classroom, machine: str) -> None:
    for path in PRIVATE[machine]:
        assert taught.read("dev", f"prof-{machine}", f"cat {path}") == "the professor's"
        for seat in ("prof", "s001", "s002"):
            assert taught.run("prod", f"{seat}-{machine}", f"test ! -e {path}") == (0, ""), (seat, path)


def test_every_seat_has_an_identity_of_its_own(taught: Classroom) -> None:
    assert taught.read("dev", "prof-web", "cat /etc/machine-id") == "0123456789abcdef"
    lines = {}
    for seat in ("prof", "s001", "s002"):
        assert "0123456789abcdef" not in taught.read("prod", f"{seat}-web", "cat /etc/machine-id")
        lines[seat] = taught.read("prod", f"{seat}-web", "cat /etc/me.txt")
        assert lines[seat].split()[0] == seat
        assert taught.read("prod", f"{seat}-desk", "cut -d' ' -f1,3 /home/student/me.txt") == (
            f"{seat} {lines[seat].split()[2]}"
        )
    secrets = {taught.read("dev", "prof-web", "cat /etc/me.txt").split()[2]}
    secrets |= {lines[seat].split()[2] for seat in ("s001", "s002")}
    assert len(secrets) == 3


def test_the_images_carry_no_file_of_the_professors_seat(taught: Classroom) -> None:
    golden = taught.committed("prod", "shared")["golden_project"]
    names = {one["name"].split("-")[0]: one["name"] for one in taught.lxd.get("instances", project=golden, recursion=1)}
    read = ("instances", names["web"], "files")
    assert taught.lxd.download(*read, project=golden, path="/etc/tuned").content == b"tuned\n"
    for path in ("/etc/me.txt", *PRIVATE["web"]):
        with pytest.raises(LxdNotFound):
            taught.lxd.download(*read, project=golden, path=path)


def test_files_of_prod_that_were_edited_by_hand_are_refused(taught: Classroom) -> None:
    path = f"environments/prod/{taught.lab}/lxd/s001.yaml"
    proved, before = taught.repository.sources("HEAD").read(path), prods(taught)
    seat = yaml.safe_load(proved)
    seat["networks"][0]["config"]["security.acls"] = ""
    try:
        taught.repository.commit({path: yaml.safe_dump(seat).encode()}, "Open the network")
        asked = taught.say("deliver", taught.lab)
        assert (asked.returncode, "not what a pilot proved" in asked.stderr) == (65, True)
        assert prods(taught) == before
    finally:
        taught.repository.commit({path: proved}, "Close it again")
        taught.repository.publish()
    assert taught.say("deliver", taught.lab).returncode == 0
    assert prods(taught) == before


def test_a_new_student_gets_the_checkpoint_and_no_other_seat_is_touched(taught: Classroom) -> None:
    for environment, name in (("prod", "prof-web"), ("prod", "s001-web"), ("dev", "prof-web")):
        taught.read(environment, name, "echo later > /etc/later")
    taught.read("prod", "s001-desk", "echo mine > /home/student/mine")
    before = prods(taught)
    taught.write_spec({**LESSON, "students": 3})
    commit_lab(taught.workspace, taught.lab)
    assert promote(taught.workspace, taught.lab).release == 2
    delivery = deliver(taught.workspace, taught.lab)
    assert {action.seat for action in delivery.provisioned.plan.actions} == {"s003"}
    assert {result.seat for result in delivery.results if result.ok} == {"prof", "s001", "s002", "s003"}
    assert prods(taught, leave_out="s003") == before
    assert taught.read("prod", "s003-web", "cat /etc/tuned; ls /etc/later 2>/dev/null || true") == "tuned"
    assert taught.read("prod", "s003-desk", "cat /home/student/notes/hint") == "look here"
    assert taught.run("prod", "s003-desk", "test ! -e /home/student/mine")[0] == 0
    assert taught.read("prod", "s001-desk", "cat /home/student/mine") == "mine"


def test_a_checkpoint_tells_what_changed_since_the_last_and_no_machine_is_made_for_it(taught: Classroom) -> None:
    by_hand = "rm -f /etc/later; echo other > /etc/tuned; rm /srv/data/table; ln -s /etc/tuned /srv/link"
    taught.read("dev", "prof-web", f"{by_hand}; echo 1 > '/srv/data/a b'")
    taught.read("dev", "prof-desk", "chmod 600 /home/student/notes/hint; touch /tmp/noise")
    proof = taught.checkpoint()
    assert proof.release is not None
    assert "since 1: +2 ~2 -1 files" in taught.say("checkpoint", "list", taught.lab).stdout
    before = taught.documents()
    told = taught.say("checkpoint", "diff", taught.lab)
    assert told.stdout.splitlines() == [
        "~ desk /home/student/notes/hint",
        "~ web /etc/tuned",
        "+ web /srv/data/a b",
        "- web /srv/data/table",
        "+ web /srv/link",
    ]
    assert taught.documents() == before


def test_what_a_pilot_does_not_pass_cannot_be_promoted(taught: Classroom) -> None:
    before, tags = prods(taught), releases(taught.workspace, taught.lab)
    never = {"name": "never", "exec": {"machine": "web", "run": "test -e /never"}, "wait": "1s"}
    taught.write_spec({**LESSON, "students": 3, "checks": [*LESSON["checks"], never]})
    commit_lab(taught.workspace, taught.lab)
    proof = taught.checkpoint()
    assert proof.release is None
    assert [result.name for result in proof.results if not result.ok] == ["never"]
    assert releases(taught.workspace, taught.lab) == tags
    asked = taught.say("promote", taught.lab)
    assert (asked.returncode, "not proved by a pilot" in asked.stderr) == (69, True)
    assert prods(taught) == before
    pilots = [key for key, thing in taught.documents().items() if "/pilot" in str(thing.get("config"))]
    assert pilots == []
