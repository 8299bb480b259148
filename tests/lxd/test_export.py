"""Student work goes out to archives and comes back as it was; a destruction wants it out first."""

import hashlib
import json
import os
import signal
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from classroom import SPEC, Classroom, until
from lxd_fixtures import OpenClassroom
from student_work import LOOK, MAKE

from practicum.errors import InputError
from practicum.stages.export import EXPORTED, export
from practicum.stages.imports import IMPORTED, import_work, verified

pytestmark = pytest.mark.lxd

DETAILS = {"user.course": b"net101", "user.empty": b""}


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    classroom = open_shared({**SPEC, "students": 2})
    classroom.pipeline()
    return classroom


def take(lab: Classroom, folder: Path, *seats: str) -> dict:
    done = export(lab.workspace, lab.lab, "prod", folder, datetime.now(UTC), seats)
    assert done.failed == [], [(one.seat, one.error, one.error and one.error.details) for one in done.failed]
    return json.loads((folder / "net101-small.manifest.json").read_text())


def back(lab: Classroom, path: Path, *seats: str) -> None:
    for one in import_work(lab.workspace, lab.lab, "prod", verified(lab.lab, path, seats)):
        assert one.error is None, (one.error, one.error and one.error.details)


def volumes(lab: Classroom) -> dict[str, dict]:
    found = lab.lxd.get("storage-pools", lab.pool, "volumes", "custom", project=lab.project("prod"), recursion=1)
    return {one["name"]: one for one in found}


def on_host(lab: Classroom, volume: str) -> Path:
    return Path("/var/lib/lxd/storage-pools") / lab.pool / "custom" / f"{lab.project('prod')}_{volume}"


def attributes(lab: Classroom, volume: str) -> dict[str, bytes]:
    file = on_host(lab, volume) / "thesis/data"
    return {name: os.getxattr(file, name) for name in os.listxattr(file)}


def test_work_comes_back_as_it_was(lab: Classroom, tmp_path: Path) -> None:
    lab.read("prod", "s001-desk", MAKE)
    for name, value in DETAILS.items():
        os.setxattr(on_host(lab, "s001-home") / "thesis/data", name, value)
    before = lab.read("prod", "s001-desk", LOOK)
    assert "thesis/hard" in before
    manifest = take(lab, tmp_path)
    assert [(one["seat"], one["file"]) for one in manifest["archives"]] == [
        ("s001", "net101-small-s001.tar"),
        ("s002", "net101-small-s002.tar"),
    ]
    assert manifest["failed"] == []
    for one in manifest["archives"]:
        assert hashlib.sha256((tmp_path / one["file"]).read_bytes()).hexdigest() == one["sha256"]
    with tarfile.open(tmp_path / "net101-small-s001.tar") as archive:
        assert archive.getnames() == ["home.tar", "manifest.json"]
        inner = json.load(archive.extractfile("manifest.json"))
        assert (inner["seat"], inner["release"], inner["volumes"][0]["name"]) == ("s001", 1, "home")
        assert hashlib.sha256(archive.extractfile("home.tar").read()).hexdigest() == inner["volumes"][0]["sha256"]
        with tarfile.open(fileobj=archive.extractfile("home.tar")) as volume:
            assert "backup/volume/thesis/deep/a name with spaces äöü" in volume.getnames()

    lab.read("prod", "s001-desk", "rm -rf /home/student/* && echo later > /home/student/later")
    other = lab.read("prod", "s002-desk", LOOK)
    back(lab, tmp_path, "s001")
    assert lab.read("prod", "s001-desk", LOOK) == before
    assert lab.read("prod", "s002-desk", LOOK) == other
    assert attributes(lab, "s001-home") == DETAILS
    assert (on_host(lab, "prev-s001-home") / "later").read_text() == "later\n"
    assert not {IMPORTED, EXPORTED} & set(volumes(lab)["s001-home"]["config"])
    assert lab.provision("prod").plan.actions == ()
    assert lab.smoke("prod") == {"prof": [], "s001": [], "s002": []}

    # One archive alone does it as well.
    lab.read("prod", "s001-desk", "rm -rf /home/student/thesis")
    back(lab, tmp_path / "net101-small-s001.tar")
    assert lab.read("prod", "s001-desk", LOOK) == before


def test_an_export_that_is_killed_leaves_no_half_archive(lab: Classroom, tmp_path: Path) -> None:
    process = lab.command("export", lab.lab, "--to", str(tmp_path / "out"))
    until(lambda: list((tmp_path / "out").glob("*")) or process.poll() is not None, "the first file", 120)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out/net101-small.manifest.json").exists()
    for file in (tmp_path / "out").glob("*.tar"):
        tarfile.open(file).close()
    said = lab.say("export", lab.lab, "--to", str(tmp_path / "out"))
    assert said.returncode == 0, said.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "net101-small-s001.tar",
        "net101-small-s002.tar",
        "net101-small.manifest.json",
    ]
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()} == {0o600}


def test_an_import_goes_on_where_it_was_killed(lab: Classroom, tmp_path: Path) -> None:
    """Killed between the two renames: the old volume has its second name only, and nothing is lost."""
    lab.read("prod", "s002-desk", "echo first > /home/student/thesis")
    take(lab, tmp_path, "s002")
    lab.read("prod", "s002-desk", "echo second > /home/student/thesis")
    place = ("storage-pools", lab.pool, "volumes", "custom")
    lab.set_state("prod", "s002-desk", "stop")
    lab.lxd.post(*place, "s002-home", body={"name": "prev-s002-home"}, project=lab.project("prod"))
    back(lab, tmp_path)
    assert lab.read("prod", "s002-desk", "cat /home/student/thesis") == "first"
    assert (on_host(lab, "prev-s002-home") / "thesis").read_text() == "second\n"


def test_what_is_no_export_changes_nothing(lab: Classroom, tmp_path: Path) -> None:
    take(lab, tmp_path, "s001")
    before = volumes(lab)
    file = tmp_path / "net101-small-s001.tar"
    whole = file.read_bytes()
    at = whole.index(b"backup/volume") + 4096
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for path in (tmp_path, file):
        with pytest.raises(InputError, match="is not what the export wrote"):
            verified(lab.lab, path)
    file.write_bytes(whole[:600])
    with pytest.raises(InputError, match="no archive of an export"):
        verified(lab.lab, file)
    file.write_bytes(whole)
    with pytest.raises(InputError, match="not of net101/other"):
        verified("net101/other", file)
    with pytest.raises(InputError, match=r"no archive of s002"):
        verified(lab.lab, tmp_path, ["s002"])
    said = lab.say("export", lab.lab, "--to", str(lab.repository.root / "out"))
    assert (said.returncode, "must not come into git" in said.stderr) == (2, True)
    said = lab.say("import", lab.lab, str(file))
    assert (said.returncode, "nobody can be asked here" in said.stderr) == (2, True)
    assert volumes(lab) == before
