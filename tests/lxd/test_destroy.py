"""Work that is not written out stays; what killed runs left is found; the proof of a destruction tells all of it."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from classroom import SPEC, Classroom, until
from lxd_fixtures import OpenClassroom

from practicum.errors import PracticumError
from practicum.lxd.lock import lease
from practicum.lxd.replacement import UNTIL
from practicum.stages.destroy import require_exported
from practicum.stages.export import export
from practicum.stages.orphans import orphans, remove_orphans

pytestmark = pytest.mark.lxd


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    classroom = open_shared({**SPEC, "students": 1})
    classroom.pipeline()
    return classroom


def refused(lab: Classroom) -> str:
    with pytest.raises(PracticumError, match="1 of 1 volumes; nothing was done") as caught:
        require_exported(lab.workspace, lab.lab, ["prod", "dev"])
    return caught.value.details


def blank(lab: Classroom, project: str, name: str, **config: str) -> None:
    """Make a machine that was never filled."""
    root = {"root": {"type": "disk", "path": "/", "pool": lab.pool}}
    body = {"name": name, "profiles": [], "devices": root, "config": config, "source": {"type": "none"}}
    lab.lxd.post("instances", body=body, project=project)


def golden(lab: Classroom) -> str:
    return str(lab.committed("prod", "shared")["golden_project"])


def test_work_that_may_be_newer_than_its_archive_is_not_destroyed(lab: Classroom, tmp_path: Path) -> None:
    require_exported(lab.workspace, lab.lab, ["dev"])
    assert refused(lab) == "1 never exported"
    before = lab.documents().keys()
    said = lab.say("destroy", lab.lab, "--env", "all", "--yes")
    assert (said.returncode, "practicum export net101/small --env prod" in said.stderr) == (1, True)
    assert lab.documents().keys() == before

    export(lab.workspace, lab.lab, "prod", tmp_path, datetime.now(UTC))
    assert refused(lab) == "1 exported while their machines ran, or running now"
    lab.set_state("prod", "s001-desk", "stop")
    assert refused(lab) == "1 exported while their machines ran, or running now"
    export(lab.workspace, lab.lab, "prod", tmp_path, datetime.now(UTC))
    require_exported(lab.workspace, lab.lab, ["prod"])
    lab.set_state("prod", "s001-desk", "start")
    assert refused(lab) == "1 exported while their machines ran, or running now"
    lab.set_state("prod", "s001-desk", "stop")
    assert refused(lab) == "1 used again after the export"
    lab.set_state("prod", "s001-desk", "start")


def test_orphans_are_what_killed_runs_left_and_nothing_else(lab: Classroom) -> None:
    assert orphans(lab.workspace) == []
    before = lab.documents()
    prod, dev = lab.project("prod"), lab.project("dev")
    checkpoints = next(key.split()[1] for key in before if key.startswith("project ") and "-checkpoints-" in key)
    blank(lab, prod, "next-s001-desk")
    blank(lab, prod, "next-s001-gone")
    blank(lab, prod, "prev-s001-desk", **{UNTIL: "2020-01-01T00:00:00+00:00"})
    blank(lab, prod, "prev-s001-web", **{UNTIL: "2099-01-01T00:00:00+00:00"})
    blank(lab, checkpoints, "c9-web")
    blank(lab, golden(lab), "web-000000000000")
    lab.lxd.post("instances", "prof-desk", "snapshots", body={"name": "checkpoint-9"}, project=dev)
    lab.lxd.post("instances", "prof-desk", "snapshots", body={"name": "mine"}, project=dev)
    place = ("storage-pools", lab.pool, "volumes", "custom")
    for name in ("s001-home-incoming", "s009-home"):
        lab.lxd.post(*place, body={"name": name, "type": "custom", "config": {}}, project=prod)
    foreign = {"name": f"{lab.installation}-foreign", "config": {"user.practicum": "another/prod/a/b/-"}}
    lab.lxd.post("projects", body=foreign)
    try:
        wanted = {
            ("instance", "next-s001-desk"),
            ("instance", "prev-s001-desk"),
            ("instance", "c9-web"),
            ("instance", "web-000000000000"),
            ("snapshot", "prof-desk/checkpoint-9"),
            ("volume", "s001-home-incoming"),
        }
        found = orphans(lab.workspace)
        assert {(thing.kind, thing.name) for thing in found} == wanted
        with lease(lab.lxd, prod):
            assert {thing.name for thing in orphans(lab.workspace)} == {"c9-web", "prof-desk/checkpoint-9"}
            assert remove_orphans(lab.workspace, found) == []
        lab.repository.commit({"labs/note.md": b"not published\n"}, "A note")
        with pytest.raises(PracticumError, match="commits that origin has not"):
            orphans(lab.workspace)
        lab.repository.publish()
        said = lab.say("orphans", "--delete", "--yes")
        assert (said.returncode, "6 orphans removed" in said.stderr) == (0, True), said.stderr
        left = {key.split()[-1] for key in lab.documents().keys() - before.keys()}
        assert left == {"next-s001-gone", "prev-s001-web", "s009-home"}
        snapshots = lab.lxd.get("instances", "prof-desk", "snapshots", project=dev)
        assert [address.rsplit("/", 1)[-1].split("?")[0] for address in snapshots] == ["mine"]
    finally:
        lab.lxd.delete("projects", foreign["name"])


def test_the_proof_covers_what_a_killed_run_removed(lab: Classroom, tmp_path: Path) -> None:
    lab.set_state("prod", "s001-desk", "stop")
    export(lab.workspace, lab.lab, "prod", tmp_path, datetime.now(UTC))
    before = lab.documents()
    report = tmp_path / "proof.md"
    arguments = ("--yes", "destroy", lab.lab, "--env", "all", "--report", str(report))
    process = lab.command(*arguments)
    until(lambda: len(lab.documents()) < len(before) or process.poll() is not None, "the first object goes", 120)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not report.exists()
    assert lab.documents()

    said = lab.say(*arguments)
    assert said.returncode == 0, said.stderr
    assert lab.documents() == {}
    text = report.read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    told = {(row[0], row[2]) for row in rows[1:]}
    gone = {(key.split()[0], key.split()[-1]) for key in before if not key.endswith(" default")}
    assert told == gone
    assert "net101-small-s001.tar" in text
    assert f"* removed: {len(rows) - 1} objects" in text
    assert text.count("* begun:") == 4
    assert f"the archives in {tmp_path}" in text
    assert sorted(file.name for file in tmp_path.glob("proof*")) == ["proof.md"]

    said = lab.say("destroy", lab.lab, "--env", "all", "--report", str(tmp_path / "again.json"))
    assert said.returncode == 0, said.stderr
    assert "is not in it" in (tmp_path / "again.json").read_text()
    said = lab.say("destroy", lab.lab, "--env", "all", "--report", str(tmp_path / "proof.pdf"))
    assert (said.returncode, "a report is .md or .json" in said.stderr) == (2, True)
