"""Nobody's hand changes reach anybody else, a seat in use waits for its release, and who left goes with an archive."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from classroom import SPEC, Classroom, until
from lxd_fixtures import OpenClassroom

from practicum.errors import PracticumError
from practicum.lxd.activity import in_use
from practicum.lxd.archives import member
from practicum.stages.checkpoint import prove, take_checkpoint
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.imports import import_work, verified
from practicum.stages.outcomes import Changed
from practicum.stages.pipeline import commit_lab
from practicum.stages.promote import promote
from practicum.stages.schedule import schedule
from practicum.stages.wishes import NOW, When

pytestmark = pytest.mark.lxd

LESSON: dict[str, Any] = {
    **SPEC,
    "machines": {"web": SPEC["machines"]["web"]},
    "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}},
    "checks": SPEC["checks"][:1],
}
SEATS = ("prof", "s001", "s002", "s003")
HOME = "find /home/student -type f -exec sha256sum {} + | sort; stat -c '%u:%g %a %n' /home/student/*"


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    classroom = open_shared(LESSON)
    classroom.pipeline()
    for seat in SEATS:
        classroom.read("prod", f"{seat}-web", f"head -c 100000 /dev/urandom > /home/student/{seat}; sync")
    return classroom


def delivered(lab: Classroom, changed: Changed = "ask", when: When = NOW) -> Delivery:
    done = deliver(lab.workspace, lab.lab, (), changed, when)
    assert done.provisioned.failed == []
    assert [result for result in done.results if not result.ok] == []
    return done


def words(done: Delivery) -> dict[str, str]:
    return {outcome.seat: outcome.words for outcome in done.outcomes}


def homes(lab: Classroom) -> dict[str, str]:
    return {seat: lab.read("prod", f"{seat}-web", HOME) for seat in SEATS}


@contextmanager
def terminal(lab: Classroom, machine: str) -> Iterator[None]:
    """Sit at an open terminal of a machine."""
    command = ["lxc", "exec", "-t", "--project", lab.project("prod"), machine, "--", "sh"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            until(
                lambda: in_use(lab.lxd, lab.project("prod"), [machine]) == {machine: "a terminal is open"}, "a terminal"
            )
            yield
        finally:
            process.kill()


def test_new_files_come_to_running_machines_where_nobody_touched_them(lab: Classroom) -> None:
    lab.read("prod", "s001-web", "echo mine > /etc/me.txt")
    before = {seat: lab.read("prod", f"{seat}-web", "cat /etc/me.txt") for seat in SEATS}
    used = {name: found["last_used_at"] for name, found in lab.instances("prod").items()}
    # Another key gives everybody other secrets, and nothing else changes.
    (lab.repository.root / ".practicum" / "secret.key").write_text("0123456789abcdef" * 4 + "\n")
    done = delivered(lab)
    after = {seat: lab.read("prod", f"{seat}-web", "cat /etc/me.txt") for seat in SEATS}
    assert {seat for seat in SEATS if after[seat] != before[seat]} == {"prof", "s002", "s003"}
    assert words(done) == {
        **dict.fromkeys(("prof", "s002", "s003"), "files only"),
        "s001": "files only: left, changed by hand: s001-web: /etc/me.txt",
    }
    assert {name: found["last_used_at"] for name, found in lab.instances("prod").items()} == used
    assert words(delivered(lab, "overwrite"))["s001"].startswith("files only: overwritten, changed by hand")
    assert "s001" in lab.read("prod", "s001-web", "cat /etc/me.txt")
    assert set(words(delivered(lab)).values()) == {"unchanged"}


def test_hand_changes_stay_where_they_were_made_and_a_seat_in_use_waits(lab: Classroom) -> None:
    lab.read("prod", "prof-web", "echo by hand > /etc/of-prof")
    lab.read("prod", "s001-web", "echo by hand > /etc/of-s001")
    lab.read("prod", "s002-web", "echo by hand > /home/student/of-s002")
    seen = {seat: lab.read("prod", f"{seat}-web", "ls /etc") for seat in SEATS}
    works = homes(lab)
    assert [seat for seat in SEATS if "of-prof" in seen[seat]] == ["prof"]
    assert [seat for seat in SEATS if "of-s001" in seen[seat]] == ["s001"]
    assert [seat for seat in SEATS if "of-s002" in works[seat]] == ["s002"]

    lab.provision("dev")
    lab.read("dev", "prof-web", "echo 2 > /etc/lesson")
    take_checkpoint(lab.workspace, lab.lab, "by hand")
    assert prove(lab.workspace, lab.lab).release is not None
    promote(lab.workspace, lab.lab)
    with pytest.raises(PracticumError) as refused:
        delivered(lab)
    assert refused.value.details == "prof-web: /etc/of-prof\ns001-web: /etc/of-s001"

    project = lab.project("prod")
    assert in_use(lab.lxd, project, ["s001-web", "s002-web"]) == {}
    lab.read("prod", "s002-web", "(while :; do :; done) >/dev/null 2>&1 </dev/null & echo $! > /run/busy")
    with terminal(lab, "s003-web"):
        by = datetime.now(UTC) + timedelta(hours=8)
        done = words(delivered(lab, "overwrite", When(idle=True, by=by)))
        assert done["prof"] == "replaced: overwritten, changed by hand: prof-web: /etc/of-prof"
        assert done["s001"] == "replaced: overwritten, changed by hand: s001-web: /etc/of-s001"
        assert done["s002"].startswith("pending: s002-web: its processor is busy; it comes when nobody works on it")
        assert done["s003"].startswith("pending: s003-web: a terminal is open; it comes when nobody works on it")
        assert lab.run("prod", "s003-web", "test ! -e /etc/lesson") == (0, "")
        assert f"at {by:%Y-%m-%d %H:%M}" in lab.say("status", lab.lab, "--env", "prod").stdout
        assert homes(lab) == works
        lab.read("prod", "s002-web", "kill $(cat /run/busy)")
        (turn,) = schedule(lab.workspace, datetime.now(UTC))
        assert (turn.error, turn.done) == (None, "delivered to s002; 1 seats wait for the release")
        (turn,) = schedule(lab.workspace, by)
    assert (turn.error, turn.done) == (None, "delivered to s003")
    for seat in SEATS:
        assert lab.read("prod", f"{seat}-web", "cat /etc/lesson") == "2"
        assert lab.run("prod", f"{seat}-web", "test ! -e /etc/of-prof && test ! -e /etc/of-s001") == (0, "")
    assert homes(lab) == works
    assert schedule(lab.workspace, datetime.now(UTC)) == []
    assert set(words(delivered(lab)).values()) == {"unchanged"}


def test_who_left_is_stopped_written_out_and_removed_and_comes_back_to_the_same_seat(lab: Classroom) -> None:
    work, address = lab.read("prod", "s003-web", HOME), lab.address("prod", "s003", "web")
    lab.read("prod", "s003-web", "umask 077; echo my notes > '/etc/my notes'")
    lab.write_spec({**LESSON, "students": 2})
    commit_lab(lab.workspace, lab.lab)
    promote(lab.workspace, lab.lab)
    assert words(delivered(lab))["s003"] == "stopped: left the class"
    found = lab.instances("prod")
    assert found["s003-web"]["status"] == "Stopped"
    path = f"labs/{lab.lab}.seats.yaml"
    book = yaml.safe_load(lab.repository.sources("HEAD").read(path))
    book["s003"]["until"] = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    target = lab.repository.root.parent / "backups"
    target.mkdir()
    place = "environments/prod/platform.yaml"
    platform = yaml.safe_load(lab.repository.sources("HEAD").read(place)) | {"backup": {"target": str(target)}}
    changes = {path: book, place: platform}
    lab.repository.commit({name: yaml.safe_dump(one).encode() for name, one in changes.items()}, "Let time pass")
    lab.repository.publish()

    (turn,) = schedule(lab.workspace, datetime.now(UTC))
    (archive,) = target.rglob("*-s003.tar")
    assert (turn.error, turn.done) == (None, f"removed s003, who left; their files are in {archive}")
    assert [key for key in lab.documents() if "s003" in key] == []
    with member(archive, "system-web.tar") as stream, tarfile.open(fileobj=stream) as system:
        notes = system.extractfile("./etc/my notes")
        assert notes is not None
        assert notes.read() == b"my notes\n"
    assert "was removed; the files are in" in lab.say("status", lab.lab, "--env", "prod").stdout

    lab.write_spec(LESSON)
    commit_lab(lab.workspace, lab.lab)
    promote(lab.workspace, lab.lab)
    assert words(delivered(lab))["s003"] == "new"
    assert any(str(archive) in event.detail for event in lab.events if event.seat == "s003")
    assert lab.address("prod", "s003", "web") == address
    assert lab.run("prod", "s003-web", "test ! -e /home/student/s003") == (0, "")
    for one in import_work(lab.workspace, lab.lab, "prod", verified(lab.lab, archive, ["s003"])):
        assert one.error is None
    assert lab.read("prod", "s003-web", HOME) == work
