"""What students do without anybody's help, and how their work is handed in: snapshots, files from before, collect."""

import csv
import hashlib
import io
import json
import signal
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from classroom import FILES, SPEC, Classroom, until
from lxd_fixtures import OpenClassroom

from practicum.cli.main import run
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.stages.own_files import OwnFiles, put_file
from practicum.stages.workspace import Workspace

pytestmark = pytest.mark.lxd

ROSTER = "login,name,group\nada,Ada Lovelace,A\nbo,Bo Ek,B\n"
EXTENSIONS = "login,due\nbo,2099-01-01T00:00:00+00:00\n"
GRADED = {
    "name": "Is it five?",
    "exec": {"machine": "web", "run": "cat /home/student/mine; grep -q five /home/student/mine"},
    "when": "progress",
    "points": 2,
}
LESSON: dict[str, Any] = {
    **SPEC,
    "students": "files/students.csv",
    "machines": {"web": SPEC["machines"]["web"]},
    "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}},
    "checks": [SPEC["checks"][0], GRADED],
    "schedule": {"due": "2026-01-01T00:00:00+00:00"},
}
WORK = "echo $1 > /home/student/mine; chown 1000:1000 /home/student/mine; chmod 640 /home/student/mine; sync"
LOOK = "cat /home/student/mine; stat -c '%u:%g %a' /home/student/mine"


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    classroom = open_shared(LESSON)
    classroom.write_spec(LESSON, {**FILES, "students.csv": ROSTER})
    classroom.repository.write({"labs/net101/small.extensions.csv": EXTENSIONS.encode()})
    classroom.pipeline()
    return classroom


@dataclass(frozen=True)
class Teller:
    """Runs the command line in this process and returns what it printed."""

    lab: Classroom
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> str:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        self.patch.setattr(sys, "stdout", out)
        code = run(["--yes", "-C", str(self.lab.repository.root), *arguments])
        text = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert code == 0, text
        return str(text)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("--json", "snapshot", "list", self.lab.lab, "s001"))
        return found


@pytest.fixture
def say(lab: Classroom, monkeypatch: pytest.MonkeyPatch) -> Teller:
    return Teller(lab, monkeypatch)


def work(lab: Classroom, text: str) -> None:
    lab.read("prod", "s001-web", f"set -- {text}\n{WORK}")


def test_a_snapshot_brings_files_and_systems_back_and_what_was_there_is_kept(lab: Classroom, say: Teller) -> None:
    work(lab, "one")
    lab.read("prod", "s001-web", "echo one > /etc/firewall")
    name = say("snapshot", lab.lab, "s001", "-m", "it works", "--system").strip()
    work(lab, "two")
    lab.read("prod", "s001-web", "echo two > /etc/firewall")

    say("restore", lab.lab, "s001", name, "--system")

    assert lab.read("prod", "s001-web", LOOK) == "one\n1000:1000 640"
    assert lab.read("prod", "s001-web", "cat /etc/firewall") == "one"
    assert lab.smoke("prod", "s001") == {"s001": []}
    first, safety = say.listed()
    assert (first["name"], first["kind"], first["message"]) == (name, "personal", "it works")
    assert (safety["kind"], bool(safety["until"])) == ("safety", True)
    assert say("files", lab.lab, "s001", safety["name"], "home/mine") == "two\n"
    assert lab.provision("prod").plan.actions == ()


def test_files_from_before_outlive_a_start_over(lab: Classroom, say: Teller) -> None:
    work(lab, "three")
    name = say("snapshot", lab.lab, "s001").strip()
    work(lab, "four")
    say("reset", lab.lab, "s001", "--start-over")
    assert lab.run("prod", "s001-web", "cat /home/student/mine")[0] == 1
    safety = say.listed()[-1]
    assert (safety["kind"], safety["message"]) == ("safety", "before starting over")
    assert say("files", lab.lab, "s001", safety["name"], "home/mine") == "four\n"
    folder = say("files", lab.lab, "s001", name, "home").splitlines()
    assert next(line for line in folder if line.endswith(" mine")).startswith("-rw-r-----   1000:1000            6 ")
    say("snapshot", "delete", lab.lab, "s001", name)
    assert name not in [one["name"] for one in say.listed()]
    say("restart", lab.lab, "s001", "web")
    assert lab.smoke("prod", "s001") == {"s001": []}


def test_own_files_are_read_without_a_machine_and_put_in_as_the_students(lab: Classroom) -> None:
    files, name = OwnFiles(Workspace(lab.repository), lab.lab, "s001"), "-rf\n<b>\\.."
    lab.read("prod", "s001-web", "cd /home/student; ln -s /etc/passwd out; mkdir deep; echo two > one; ln one two")
    put_file(files.workspace, lab.lab, "s001", "home/deep", name, io.BytesIO(b"mine\n"))
    assert lab.read("prod", "s001-web", "cd /home/student/deep; stat -c '%u:%g %a' ./-rf*") == "1000:1000 644"
    with pytest.raises(InputError, match="already"):
        put_file(files.workspace, lab.lab, "s001", "home", "out", io.BytesIO(b"root::0:0::/:\n"))
    with pytest.raises(InputError, match="there is no"):
        put_file(files.workspace, lab.lab, "s001", "home/gone", "a", io.BytesIO(b"a"))
    lab.set_state("prod", "s001-web", "stop")
    try:
        assert {"deep/", "out"} <= {one.name for one in files.folder("home")}
        assert b"".join(files.file(f"home/deep/{name}")) == b"mine\n"
        assert [b"".join(files.file(f"home/{one}")) for one in ("one", "two")] == [b"two\n", b"two\n"]
        with pytest.raises(InputError, match="no file that can be read"):
            b"".join(files.file("home/out"))
        with zipfile.ZipFile(io.BytesIO(b"".join(files.archive("home")))) as archive:
            assert archive.read("deep/-rf_<b>_..") == b"mine\n"
            assert "out" in archive.read("left-out.txt").decode().splitlines()
        with pytest.raises(UnavailableError, match="none is running"):
            put_file(files.workspace, lab.lab, "s001", "home", "late", io.BytesIO(b"a"))
    finally:
        lab.set_state("prod", "s001-web", "start")


def test_a_file_that_does_not_fit_is_told_and_nothing_of_it_stays(lab: Classroom) -> None:
    with pytest.raises(PracticumError, match="your disk is full"):
        put_file(Workspace(lab.repository), lab.lab, "s001", "home", "big", io.BytesIO(bytes(2**26)))
    assert lab.read("prod", "s001-web", "ls /home/student | grep -c big || true") == "0"


def test_work_is_collected_after_a_kill_too(lab: Classroom, say: Teller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    work(lab, "five")
    lab.read("prod", "s001-web", "echo mine > /etc/firewall; rm /etc/group")
    before = lab.documents()
    process = lab.command("collect", lab.lab, "--to", str(folder))
    until(lambda: (folder / "net101-small.manifest.json").exists(), "a manifest")
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert "going on" in say("collect", lab.lab, "--to", str(folder))

    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row[:-1] for row in csv.reader(file)]
    assert rows == [
        ["login", "name", "group", "seat", "Is it five?", "points"],
        ["ada", "Ada Lovelace", "A", "s001", "2", "2"],
        ["bo", "Bo Ek", "B", "s002", "0", "0"],
    ]
    manifest = json.loads((folder / "net101-small.manifest.json").read_text())
    assert [(one["seat"], digest(folder / one["file"]) == one["sha256"]) for one in manifest["archives"]] == [
        ("s001", True),
        ("s002", True),
    ]
    (check,) = manifest["grades"]["s001"]["checks"]
    assert (folder / check["file"]).read_text().endswith("\nfive\n")
    assert "Lovelace" not in (folder / "net101-small.manifest.json").read_text()
    with tarfile.open(folder / "net101-small-s001.tar") as archive:
        about = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert archive.getnames()[:2] == ["home.tar", "system-web.tar"]
        with tarfile.open(fileobj=archive.extractfile("system-web.tar")) as inner:
            assert inner.extractfile("./etc/firewall").read() == b"mine\n"  # type: ignore[union-attr]
    web = next(one for one in about["systems"] if one["machine"] == "web")
    assert (web["removed"], web["unknown"]) == (["/etc/group"], "")
    # Nothing of the class has changed, and nothing is left of what was looked into.
    after = {key: one for key, one in lab.documents().items() if " snap-" not in key and not key.startswith("project")}
    assert sorted(after) == sorted(key for key in before if " snap-" not in key and not key.startswith("project"))


def test_the_schedule_collects_what_is_due_once(lab: Classroom, say: Teller) -> None:
    folder = lab.repository.root.parent / "net101-small-collected"
    work(lab, "five")
    first = json.loads(say("--json", "schedule").splitlines()[-1])
    assert first[0]["done"].startswith("collected the work of 1 students in ")
    assert sorted(path.name for path in folder.glob("*.tar")) == ["net101-small-s001.tar"]
    again = json.loads(say("--json", "schedule").splitlines()[-1])
    assert again[0]["done"] == "nothing: it has not ended"
    data = (folder / "net101-small-s001.tar").read_bytes()
    say("collect", lab.lab, "--group", "A")
    assert (folder / "net101-small-s001.tar").read_bytes() == data


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
