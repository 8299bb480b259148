"""Snapshots, restoring and collecting, killed at every kind of call: nobody's work is lost, the next run goes on."""

import csv
import json
import shutil
import signal
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
from laboratory import LAB, TOKEN
from life import kind

from practicum.stages.collect import default_folder
from practicum.stages.deployment import load_deployment
from practicum.stages.hand_in import collect_due
from practicum.stages.workspace import Workspace

HOME = "s001-home"
OLD, NEW = b"as it was", b"as it became"


@pytest.fixture(scope="module")
def snapped(laboratory):
    """A student with a snapshot of both volumes and the system, and another work since."""
    laboratory.back("delivered")
    write(laboratory, OLD)
    laboratory.done("snapshot", LAB, "s001", "-m", "good", "--system")
    write(laboratory, NEW)
    laboratory.keep("snapped")
    return laboratory


def write(laboratory, content):
    """Let a student have one content on both volumes and on the system."""
    world = laboratory.lxd.world
    for key, volume in world.volumes.items():
        if key[2] in (HOME, "s001-work"):
            volume["files"][TOKEN] = (content, 1000, 1000, 0o600)
    machine(laboratory)["files"]["/etc/firewall"] = (content, 0, 0, 0o644)


def machine(laboratory, name="s001-web"):
    return next(one for key, one in laboratory.lxd.world.instances.items() if key[1] == name)


def content(laboratory, volume):
    return next(one["files"][TOKEN][0] for key, one in laboratory.lxd.world.volumes.items() if key[2] == volume)


def listed(laboratory, seat="s001"):
    return json.loads(laboratory.done("--json", "snapshot", "list", LAB, seat).words.splitlines()[-1])


def name_of(laboratory):
    return listed(laboratory)[0]["name"]


def kills(laboratory, moment, *arguments, every=1, forget=lambda: None):
    """Yield after the command was killed at a call of each kind, or of every second or third one.

    `forget` removes what the command leaves outside of LXD, after it ran once undisturbed.
    """
    laboratory.back(moment)
    laboratory.done(*arguments)
    forget()
    kinds = {}
    for number, call in enumerate(laboratory.lxd.log, start=1):
        kinds.setdefault(kind(call), []).append(number)
    for index, numbers in list(enumerate(kinds.values()))[::every]:
        phase = ("before", "after", "later")[index % 3]
        laboratory.back(moment, at=numbers[-1] if index % 2 else numbers[0], kill=phase)
        killed = laboratory.run(*arguments)
        assert killed.code == -signal.SIGKILL, killed.words
        laboratory.back_to_peace()
        yield f"{phase} {laboratory.lxd.log[-1]}"


def test_a_restoration_brings_everything_back_and_keeps_what_was_there(snapped):
    snapped.back("snapped")
    name = name_of(snapped)
    snapped.done("restore", LAB, "s001", name, "--system")
    assert [content(snapped, volume) for volume in (HOME, "s001-work")] == [OLD, OLD]
    assert machine(snapped)["files"]["/etc/firewall"][0] == OLD
    assert machine(snapped)["status"] == "Running"
    first, safety = listed(snapped)
    assert (first["message"], first["kind"], safety["kind"]) == ("good", "personal", "safety")
    assert content(snapped, f"snap-{safety['name']}-{HOME}") == NEW
    snapped.done("restore", LAB, "s001", safety["name"], "--system")
    assert (content(snapped, HOME), machine(snapped)["files"]["/etc/firewall"][0]) == (NEW, NEW)
    before = snapped.facts()
    snapped.done("provision", LAB, "--env", "prod")
    assert snapped.facts() == before


@pytest.mark.timeout(600)
def test_a_restoration_that_is_killed_loses_nothing_and_the_next_one_ends_it(snapped):
    snapped.back("snapped")
    name = name_of(snapped)
    for point in kills(snapped, "snapped", "restore", LAB, "s001", name, "--system"):
        found = {one["files"].get(TOKEN, (b"",))[0] for key, one in snapped.lxd.world.volumes.items() if HOME in key[2]}
        assert {OLD, NEW} <= found, point
        snapped.done("restore", LAB, "s001", name, "--system")
        assert [content(snapped, volume) for volume in (HOME, "s001-work")] == [OLD, OLD], point
        assert machine(snapped)["files"]["/etc/firewall"][0] == OLD, point
        assert machine(snapped)["status"] == "Running", point
        volumes = {key[2]: one for key, one in snapped.lxd.world.volumes.items()}
        kept = {f"snap-{one['name']}-{HOME}" for one in listed(snapped) if one["kind"] == "safety"}
        assert NEW in {volumes[name]["files"][TOKEN][0] for name in kept & set(volumes)}, point


@pytest.mark.timeout(600)
def test_a_snapshot_that_is_killed_leaves_a_whole_one_or_none(snapped):
    for point in kills(snapped, "delivered", "snapshot", LAB, "s001", "--system"):
        before = listed(snapped)
        snapped.done("snapshot", LAB, "s001", "--system")
        names = [one["name"] for one in listed(snapped)]
        assert names[: len(before)] == [one["name"] for one in before], point
        assert len(names) == len(before) + 1, point
        pieces = [key[2] for key in snapped.lxd.world.volumes if key[2].startswith("snap-")]
        assert len(pieces) == 2 * len(names), point
        assert not any("user.practicum.snapshot" in one["config"] for one in snapped.lxd.world.instances.values()), (
            point
        )


def test_a_seat_has_as_many_as_its_quota_and_safety_does_not_count(snapped):
    snapped.back("snapped")
    for _ in range(4):
        snapped.done("snapshot", LAB, "s001")
    refused = snapped.run("snapshot", LAB, "s001")
    assert (refused.code, "may have 5" in refused.words) == (1, True), refused.words
    names = [one["name"] for one in listed(snapped)]
    assert names == sorted(set(names))
    snapped.done("restore", LAB, "s001", names[0])
    snapped.done("snapshot", "delete", LAB, "s001", names[1])
    snapped.done("snapshot", LAB, "s001")
    assert snapped.run("snapshot", "delete", LAB, "s001", "yesterday").code == 2
    snapped.done("snapshot", LAB, "s002")


def test_safety_snapshots_end_with_the_next_delivery_and_others_stay(snapped):
    snapped.back("snapped")
    name = name_of(snapped)
    snapped.done("restore", LAB, "s001", name)
    for key, volume in snapped.lxd.world.volumes.items():
        record = json.loads(volume["config"].get("user.practicum.snapshot", "{}"))
        if key[2].startswith("snap-") and record["until"]:
            old = json.dumps({**record, "until": "2026-01-01T00:00:00+00:00"})
            volume["config"]["user.practicum.snapshot"] = old
    snapped.done("deliver", LAB)
    assert [one["name"] for one in listed(snapped)] == [name]
    assert content(snapped, HOME) == OLD


def test_a_reset_takes_the_files_first_and_personal_snapshots_outlive_a_start_over(snapped):
    snapped.back("snapped")
    name = name_of(snapped)
    snapped.done("reset", LAB, "s001", "--start-over")
    assert content(snapped, HOME) not in (OLD, NEW)
    first, safety = listed(snapped)
    assert (first["name"], safety["message"], bool(safety["until"])) == (name, "before starting over", True)
    told = snapped.done("files", LAB, "s001", safety["name"], f"home{TOKEN}").words
    assert told.endswith(NEW.decode())
    lines = snapped.done("files", LAB, "s001", safety["name"], "home").words.splitlines()
    assert next(line for line in lines if line.endswith("thesis.txt")).split()[:3] == ["-rw-------", "1000:1000", "12"]
    assert "it has: home, work" in snapped.run("files", LAB, "s001", name, "hime").words
    assert snapped.run("files", LAB, "s001", name, "home/nothing").code == 2
    system = snapped.run("restore", LAB, "s001", name, "--system")
    assert (system.code, "has no systems" in system.words) == (69, True), system.words


@pytest.mark.timeout(900)
def test_a_start_over_that_is_killed_and_done_again_keeps_what_the_student_had(snapped):
    for point in kills(snapped, "snapped", "reset", LAB, "s001", "--start-over", every=2):
        # Somebody may provision before the command is given again.
        snapped.done("provision", LAB, "--env", "prod")
        snapped.done("reset", LAB, "s001", "--start-over")
        assert content(snapped, HOME) not in (OLD, NEW), point
        assert machine(snapped)["files"].get("/etc/firewall", (b"",))[0] != NEW, point
        assert machine(snapped, "prev-s001-web")["files"]["/etc/firewall"][0] == NEW, point
        assert content(snapped, f"prev-{HOME}") == NEW, point
        assert not any("user.practicum.again" in one["config"] for one in snapped.lxd.world.instances.values()), point


def test_a_restart_needs_machines_that_are_there(snapped):
    snapped.back("snapped")
    machine(snapped)["status"] = "Stopped"
    assert "restarted: s001-web" in snapped.done("restart", LAB, "s001").words
    assert machine(snapped)["status"] == "Running"
    assert snapped.run("restart", LAB, "s001", "wob").code == 2


# Handing in.


def rows(folder):
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def test_work_is_collected_with_changed_files_and_digests(snapped, tmp_path):
    snapped.back("snapped")
    del machine(snapped)["files"]["/etc/passwd"]
    snapped.done("collect", LAB, "--to", str(tmp_path / "in"))
    assert rows(tmp_path / "in") == [
        ["login", "name", "group", "seat", "points"],
        ["", "", "", "s001", "0"],
        ["", "", "", "s002", "0"],
    ]
    with tarfile.open(tmp_path / "in/net101-small-s001.tar") as archive:
        about = json.load(archive.extractfile("manifest.json"))
        with tarfile.open(fileobj=archive.extractfile("system-web.tar")) as inner:
            assert inner.extractfile("./etc/firewall").read() == NEW
    assert [one["name"] for one in about["volumes"]] == ["home", "work"]
    assert about["systems"][0]["removed"] == ["/etc/passwd"]
    assert "/etc/me.txt" not in json.dumps(about)
    assert not [key for key in snapped.lxd.world.instances if key[1].startswith("collect-")]


@pytest.mark.timeout(600)
def test_a_collection_that_is_killed_goes_on_where_it_was(snapped, tmp_path):
    new = tmp_path / "x"
    points = kills(snapped, "snapped", "collect", LAB, "--to", str(new), every=4, forget=lambda: shutil.rmtree(new))
    for number, point in enumerate(points):
        folder = tmp_path / f"in{number}"
        new.rename(folder)
        snapped.done("collect", LAB, "--to", str(folder))
        manifest = json.loads((folder / "net101-small.manifest.json").read_text())
        assert ([one["seat"] for one in manifest["archives"]], manifest["run"]) == (["s001", "s002"], ""), point
        found = listed(snapped)
        assert [one["kind"] for one in found] == ["personal", "collected"], (point, found)
        assert not list(folder.glob("*.partial")), point


def handed_in(folder, seat):
    """Return what a student's archive has of the work."""
    with (
        tarfile.open(folder / f"net101-small-{seat}.tar") as archive,
        tarfile.open(fileobj=archive.extractfile("home.tar")) as inner,
    ):
        return inner.extractfile(next(one for one in inner.getmembers() if one.name.endswith(TOKEN))).read()


def test_what_is_due_has_nothing_of_a_collection_that_was_cut_off_hours_ago(snapped):
    snapped.back("snapped")
    snapped.done("collect", LAB)
    end = len(snapped.lxd.log)
    snapped.back("snapped", at=end - 2, kill="after")
    assert snapped.run("collect", LAB).code == -signal.SIGKILL
    snapped.back_to_peace()
    write(snapped, b"in the evening")
    workspace = Workspace.open(snapped.root)
    deployment = load_deployment(workspace, LAB, "prod")
    now = datetime.now(UTC)
    due = {seat: (now - timedelta(seconds=1)).isoformat() for seat in ("s001", "s002")}
    collect_due(workspace, workspace.lxd(deployment.platform), deployment, due, now)
    folder = default_folder(workspace, LAB)
    assert handed_in(folder, "s001") == b"in the evening"
    # Who had begun before goes on; what was due stays.
    ended = snapped.done("collect", LAB)
    assert "going on with a collection" in ended.words
    assert "2 of them as they were when due" in ended.words
    assert handed_in(folder, "s001") == b"in the evening"
