"""Seats in use keep their system until somebody's time has come; who left is kept, written out, and removed."""

import io
import json
import tarfile
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from laboratory import LAB, TOKEN
from life import GROWN

from practicum.lxd.plan import BASE_IMAGE, READY, STEPS
from practicum.stages.leaving import LEFT
from practicum.stages.pipeline import commit_lab
from practicum.stages.wishes import WISHES
from practicum.stages.workspace import Workspace

AT_ONCE = {"practicum.lxd.activity.LOOK_SECONDS": 0.01}
BOTH = ("--seat", "s001", "--seat", "s002")
SEATS = f"labs/{LAB}.seats.yaml"
PLATFORM = "environments/prod/platform.yaml"


@pytest.fixture
def grown(laboratory):
    """A class that runs the first release, with the second one promoted; seats get it when they are named."""
    laboratory.back("grown and promoted")
    laboratory.run = quick(laboratory, type(laboratory).run)
    yield laboratory
    del laboratory.run


def quick(laboratory, run):
    return lambda *arguments, **task: run(laboratory, *arguments, **{"settings": AT_ONCE, **task})


def prod(laboratory):
    (name,) = [name for name in laboratory.lxd.world.projects if "-prod-" in name]
    return name


def config(laboratory):
    return laboratory.lxd.world.projects[prod(laboratory)]["config"]


def machine(laboratory, name):
    return laboratory.lxd.world.instances[prod(laboratory), name]


def images(laboratory):
    """Return which of the two students' machines have the checkpoint of the second release."""
    release = json.loads(laboratory.repository.committed("environments/prod")[f"environments/prod/{LAB}/release.json"])
    wanted = release["images"]["web"]
    found = {name: machine(laboratory, f"{name}-web")["config"][BASE_IMAGE] for name in ("s001", "s002")}
    return {name for name, image in found.items() if image == wanted}


def soon(**delta):
    return (datetime.now(UTC) + timedelta(**delta)).isoformat(timespec="seconds")


def make_due(laboratory):
    """Let the time of every wish have come."""
    wishes = json.loads(config(laboratory)[WISHES])
    for wish in wishes:
        wish["when"]["by"] = "2026-01-01T00:00:00+00:00"
    config(laboratory)[WISHES] = json.dumps(wishes)


def test_a_seat_in_use_is_left_until_it_is_idle(grown):
    grown.lxd.operations.open_terminal(prod(grown), "s001-web")
    by = soon(hours=8)
    ended = grown.done("deliver", LAB, *BOTH, "--when", "idle", "--by", by)
    assert images(grown) == {"s002"}
    assert "pending: s001-web: a terminal is open; it comes when nobody works on it" in ended.words
    assert "1 pending, 1 replaced" in ended.words
    assert machine(grown, "s001-web")["status"] == "Running"
    seen = grown.done("status", LAB, "--env", "prod").words
    assert f"an older release; the new one comes when nobody works on it, at {by[:10]}" in seen

    assert "no lab of the class" not in grown.done("schedule").words
    assert images(grown) == {"s002"}
    grown.lxd.operations.known.clear()
    assert "would deliver to s001" in grown.done("schedule", "--dry-run").words
    assert "delivered to s001" in grown.done("schedule").words
    assert images(grown) == {"s001", "s002"}
    assert WISHES not in config(grown)
    assert "no lab of the class has a schedule" in grown.done("schedule").words


def test_when_its_time_has_come_a_busy_seat_is_replaced_all_the_same(grown):
    grown.lxd.world.busy = {"s001-web", "s002-web"}
    theses = grown.theses()
    ended = grown.done("deliver", LAB, *BOTH, "--when", "idle", "--by", soon(hours=8))
    assert "s002-web: its processor is busy" in ended.words
    assert images(grown) == set()
    make_due(grown)
    assert "delivered to s001, s002" in grown.done("schedule").words
    assert images(grown) == {"s001", "s002"}
    assert theses.items() <= grown.theses().items()


def test_a_delivery_for_a_time_waits_for_it_on_all_seats_but_new_ones(grown):
    by = soon(hours=8)
    ended = grown.done("deliver", LAB, *BOTH, "--seat", "s003", "--when", by)
    assert (images(grown), machine(grown, "s003-web")["status"]) == (set(), "Running")
    assert "2 pending, 1 new" in ended.words
    assert "1 seats wait" not in grown.done("schedule").words
    assert images(grown) == set()
    make_due(grown)
    grown.done("schedule")
    assert images(grown) == {"s001", "s002"}


def test_the_whole_way_stops_nobody_at_work_either(grown):
    grown.write_spec(**GROWN, update="keep", checkpoint="auto")
    grown.lxd.operations.open_terminal(prod(grown), "s001-web")
    ended = grown.done("pipeline", LAB, "--when", "idle", "--by", soon(hours=8))
    assert images(grown) == {"s002"}
    assert "s001: s001-web: a terminal is open; it comes when nobody works on it" in ended.words
    grown.done("pipeline", LAB, "--stage", "deliver", "--when", "idle")
    assert images(grown) == {"s002"}
    grown.done("pipeline", LAB, "--stage", "deliver")
    assert images(grown) == {"s001", "s002"}
    assert "--when is for" in grown.run("pipeline", LAB, "--stage", "promote", "--when", "idle").words


@pytest.mark.parametrize("again", [("undo", LAB), ("deliver", LAB, *BOTH), ("promote", LAB, "--rollback")])
def test_an_undo_a_newer_delivery_or_release_ends_the_waiting(grown, again):
    grown.lxd.operations.open_terminal(prod(grown), "s001-web")
    grown.done("deliver", LAB, *BOTH, "--when", "idle")
    grown.done(*again)
    grown.lxd.operations.known.clear()
    before = machine(grown, "s001-web")["config"][BASE_IMAGE]
    grown.done("schedule")
    assert machine(grown, "s001-web")["config"][BASE_IMAGE] == before
    assert "the new one comes" not in grown.done("status", LAB, "--env", "prod").words


def test_who_changed_something_since_is_left_and_told_once(grown):
    grown.done("deliver", LAB, *BOTH, "--when", soon(hours=8))
    machine(grown, "s002-web")["files"]["/etc/mine"] = (b"x", 0, 0, 0o644)
    make_due(grown)
    ended = grown.run("schedule")
    assert (ended.code, images(grown)) == (1, {"s001"})
    assert "s002-web: /etc/mine" in ended.words
    assert f"practicum deliver {LAB} --seat s002 with --changed carry or overwrite" in ended.words
    assert grown.done("schedule").code == 0
    done = grown.done("deliver", LAB, "--seat", "s002", "--changed", "overwrite")
    assert "s002: replaced: overwritten, changed by hand: s002-web: /etc/mine" in done.words


def test_a_failed_seat_is_named_with_the_command_that_tries_it_alone(grown):
    grown.lxd.world.dying = {"next-s002-web"}
    ended = grown.run("deliver", LAB, "--seat", "s002", "--seat", "s001", "--changed", "carry")
    assert ended.code == 1
    grown.lxd.world.dying = {"s003-web"}
    ended = grown.run("deliver", LAB, "--changed", "carry")
    assert "s003" in ended.words
    assert "1 failed" in ended.words
    assert f"practicum deliver {LAB} --seat s003 --changed carry" in ended.words


def deliver_other_file(laboratory, text):
    """Let a machine look as if an older release had delivered another file from the same checkpoint."""
    laboratory.back("delivered")
    found = machine(laboratory, "s001-web")
    steps = json.loads(found["config"][STEPS])
    # The digest of {"kind": "file", "to": "/etc/me.txt", "mode": "0640", "content": "older\n"}.
    steps["file /etc/me.txt"] = "67NU57DGSI3LV3EO"
    found["config"] |= {STEPS: json.dumps(steps, sort_keys=True), READY: "older"}
    found["files"]["/etc/me.txt"] = (text, 0, 0, 0o640)


def own_file(laboratory):
    return machine(laboratory, "s001-web")["files"]["/etc/me.txt"][0]


def test_new_files_come_without_a_stop_where_nobody_touched_them(grown):
    deliver_other_file(grown, b"older\n")
    grown.lxd.operations.open_terminal(prod(grown), "s001-web")
    ended = grown.done("deliver", LAB, "--seat", "s001", "--when", "idle")
    assert "files only" in ended.words
    assert own_file(grown) == b"s001 s001\n"
    assert not any(call.endswith("/state") for call in grown.lxd.log)


@pytest.mark.parametrize(
    ("changed", "content", "words"),
    [
        ("ask", b"mine\n", "left"),
        ("carry", b"mine\n", "carried over"),
        ("overwrite", b"s001 s001\n", "overwritten"),
        ("skip", b"mine\n", "left alone: left"),
    ],
)
def test_a_delivered_file_that_somebody_changed_is_told_and_left_unless_chosen(grown, changed, content, words):
    deliver_other_file(grown, b"mine\n")
    ended = grown.done("deliver", LAB, "--seat", "s001", "--changed", changed)
    assert f"{words}, changed by hand: s001-web: /etc/me.txt" in ended.words
    assert own_file(grown) == content
    again = grown.done("deliver", LAB, "--seat", "s001", "--changed", "skip").words
    assert ("/etc/me.txt" in again) == (changed in ("ask", "skip"))


@pytest.mark.parametrize(("changed", "content"), [("carry", b"mine\n"), ("overwrite", b"s002 s002\n")])
def test_a_new_system_takes_a_changed_file_along_only_when_that_was_chosen(grown, changed, content):
    machine(grown, "s002-web")["files"]["/etc/me.txt"] = (b"mine\n", 0, 0, 0o640)
    refused = grown.run("deliver", LAB, "--seat", "s002")
    assert (refused.code, "s002-web: /etc/me.txt" in refused.words) == (1, True)
    grown.done("deliver", LAB, "--seat", "s002", "--changed", changed)
    assert images(grown) == {"s002"}
    assert machine(grown, "s002-web")["files"]["/etc/me.txt"][0] == content
    assert "1 unchanged" in grown.done("deliver", LAB, "--seat", "s002").words


# Who leaves.


def left(laboratory):
    """Take the second student off the list, and deliver that."""
    laboratory.back("delivered")
    machine(laboratory, "s002-web")["files"]["/etc/mine"] = (b"my work", 0, 0, 0o644)
    laboratory.write_spec(students=1)
    roster(laboratory)


def roster(laboratory):
    commit_lab(Workspace.open(laboratory.root), LAB)
    laboratory.done("promote", LAB)
    return laboratory.done("deliver", LAB)


def end_grace(laboratory):
    repository = laboratory.repository
    book = yaml.safe_load(repository.committed("labs")[SEATS])
    book["s002"]["until"] = (date.today() - timedelta(days=1)).isoformat()
    repository.commit({SEATS: yaml.safe_dump(book).encode()}, "Let time pass")
    repository.publish()


def back_up(laboratory):
    target = laboratory.folder / "site" / "backups"
    target.mkdir()
    platform = yaml.safe_load(laboratory.repository.committed("environments")[PLATFORM])
    platform["backup"] = {"target": str(target)}
    laboratory.repository.commit({PLATFORM: yaml.safe_dump(platform).encode()}, "Name a disk for backups")
    laboratory.repository.publish()
    return target


def of_seat(laboratory, seat):
    world = laboratory.lxd.snapshot()
    kinds = (world.instances, world.volumes, world.networks, world.acls)
    return sorted(
        str(key)
        for kind in kinds
        for key, one in kind.items()
        if one["config"].get("user.practicum", "").endswith(seat)
    )


def test_who_left_is_stopped_at_once_and_listed(grown):
    grown.back("delivered")
    grown.write_spec(students=1)
    ended = roster(grown)
    assert "stopped: left the class" in ended.words
    assert (machine(grown, "s001-web")["status"], machine(grown, "s002-web")["status"]) == ("Running", "Stopped")
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    assert (
        f"left the class; machines and files are kept until {until}" in grown.done("status", LAB, "--env", "prod").words
    )
    theses = grown.theses()
    assert "s002" not in grown.done("schedule").words
    grown.write_spec(students=2)
    roster(grown)
    assert machine(grown, "s002-web")["status"] == "Running"
    assert grown.theses() == theses


def test_after_the_end_work_is_written_out_before_a_seat_goes(grown):
    left(grown)
    end_grace(grown)
    there, theses = of_seat(grown, "/s002"), grown.theses()
    ended = grown.run("schedule")
    assert (ended.code, of_seat(grown, "/s002")) == (1, there)
    assert "names no folder where backups go" in ended.words
    target = back_up(grown)
    assert "would remove s002, who left" in grown.done("schedule", "--dry-run").words
    assert of_seat(grown, "/s002") == there
    ended = grown.done("schedule")
    assert of_seat(grown, "/s002") == []
    (archive,) = target.rglob("*-s002.tar")
    assert str(archive) in ended.words
    with tarfile.open(archive) as found:
        assert sorted(found.getnames()) == ["home.tar", "manifest.json", "system-web.tar", "work.tar"]
        assert TOKEN in found.extractfile("home.tar").read().decode()
        with tarfile.open(fileobj=io.BytesIO(found.extractfile("system-web.tar").read())) as system:
            assert [one.name for one in system] == ["./etc/mine"]
            assert system.extractfile("./etc/mine").read() == b"my work"
    kept = {key: thesis for key, thesis in theses.items() if not key[2].startswith("s002-")}
    assert grown.theses() == kept
    assert f"was removed; the files are in {archive}" in grown.done("status", LAB, "--env", "prod").words
    assert "no lab of the class" in grown.done("schedule").words

    addresses = grown.repository.committed("environments/prod")[f"environments/prod/{LAB}/lxd/s002.yaml"]
    grown.write_spec(students=2)
    ended = roster(grown)
    assert f"practicum import {LAB} {archive} --seat s002" in " ".join(ended.words.split())
    assert machine(grown, "s002-web")["status"] == "Running"
    again = grown.repository.committed("environments/prod")[f"environments/prod/{LAB}/lxd/s002.yaml"]
    assert again.replace(b"power: running", b"power: stopped") == addresses
    assert yaml.safe_load(grown.repository.committed("labs")[SEATS])["s002"]["state"] == "active"


def test_killed_while_a_seat_goes_the_next_run_loses_nothing(grown):
    left(grown)
    end_grace(grown)
    target = back_up(grown)
    grown.keep("overdue")
    grown.back("overdue")
    grown.done("schedule")
    calls = len(grown.lxd.log)
    # In the export, before the first note, and while things go one by one.
    for number in range(calls - 13, calls, 3):
        grown.back("overdue", at=number, kill="after")
        grown.run("schedule")
        grown.back_to_peace()
        grown.done("schedule")
        assert of_seat(grown, "/s002") == [], number
        entry = json.loads(config(grown)[LEFT])["s002"]
        with tarfile.open(entry["archive"]) as found:
            assert sorted(found.getnames()) == ["home.tar", "manifest.json", "system-web.tar", "work.tar"], number
    assert target.is_dir()
