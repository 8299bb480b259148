"""A timer makes labs ready before their time and stops them after it, whatever was missed in between."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from classroom import LONE, Classroom

from practicum.lxd.lock import lease
from practicum.stages.alerts import MEMORY
from practicum.stages.operate import stop
from practicum.stages.pace import KEY, read_pace
from practicum.stages.schedule import HONOURED, Turn, schedule

pytestmark = pytest.mark.lxd

READY_BY = datetime(2030, 9, 14, 8, 0, tzinfo=UTC)
ENDS = datetime(2030, 12, 20, tzinfo=UTC)
TIMES = {"ready_by": READY_BY.isoformat(), "ends": ENDS.isoformat()}


@pytest.fixture
def scheduled(open_classroom) -> Classroom:
    """A delivered lab with a schedule, and a command that writes down what operators are told."""
    classroom = open_classroom({**LONE, "schedule": TIMES})
    told = classroom.repository.root.parent / "told.jsonl"
    path = "environments/prod/platform.yaml"
    platform = yaml.safe_load(classroom.repository.sources("HEAD").read(path))
    script = f"cat >> {told}; echo >> {told}"
    platform["alerts"] = {"command": ["sh", "-c", script]}
    classroom.repository.commit({path: yaml.safe_dump(platform).encode()}, "Tell operators")
    classroom.repository.publish()
    classroom.pipeline()
    return classroom


def run(classroom: Classroom, now: datetime, *, dry_run: bool = False) -> Turn:
    (turn,) = schedule(classroom.workspace, now, dry_run=dry_run)
    return turn


def states(classroom: Classroom) -> set[str]:
    return {found["status"] for found in classroom.instances("prod").values()}


def config(classroom: Classroom) -> dict[str, str]:
    return classroom.lxd.get("projects", classroom.project("prod"))["config"]


def told(classroom: Classroom) -> list[dict[str, str]]:
    path = classroom.repository.root.parent / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def operation(classroom: Classroom) -> dict[str, str]:
    return yaml.safe_load(
        classroom.repository.sources("HEAD").read(f"environments/prod/{classroom.lab}/operation.yaml")
    )


def test_a_lab_is_ready_in_time_and_stopped_after_its_end(scheduled: Classroom) -> None:
    lab, workspace = scheduled.lab, scheduled.workspace
    pace = read_pace(config(scheduled))
    assert pace.measured
    assert 0 < pace.seconds < 60
    stop(workspace, lab, "prod")

    early = run(scheduled, READY_BY - timedelta(days=1))
    assert early.error is None
    assert early.times.starts_at == READY_BY - pace.estimate(3) - timedelta(minutes=30)
    assert (early.state, early.done, states(scheduled)) == ("stopped", "nothing: it is too early", {"Stopped"})

    head = scheduled.repository.head()
    would = run(scheduled, early.times.starts_at, dry_run=True)
    assert (would.done, states(scheduled), scheduled.repository.head()) == ("would start", {"Stopped"}, head)

    started = run(scheduled, early.times.starts_at)
    assert started.error is None
    assert started.done.startswith("started: ")
    assert (started.state, states(scheduled), operation(scheduled)["power"]) == ("running", {"Running"}, "running")
    assert config(scheduled)[HONOURED] == READY_BY.isoformat()

    head = scheduled.repository.head()
    again = run(scheduled, early.times.starts_at + timedelta(minutes=5))
    assert (again.done, scheduled.repository.head()) == ("nothing: it was made ready", head)

    stop(workspace, lab, "prod")
    night = run(scheduled, READY_BY + timedelta(days=1))
    assert (night.state, states(scheduled)) == ("stopped", {"Stopped"})
    assert scheduled.say("start", lab, "--env", "prod").returncode == 0

    before = scheduled.documents().keys()
    ended = run(scheduled, ENDS + timedelta(seconds=1))
    assert (ended.error, ended.done, ended.state) == (None, "stopped 4 machines", "stopped")
    assert (states(scheduled), operation(scheduled)["power"]) == ({"Stopped"}, "stopped")
    assert scheduled.documents().keys() == before
    head = scheduled.repository.head()
    assert run(scheduled, ENDS + timedelta(days=1)).done == "nothing: it has ended"
    assert scheduled.repository.head() == head
    assert told(scheduled) == []


def test_a_lab_that_fails_is_told_once_a_day_and_a_locked_one_is_not(scheduled: Classroom) -> None:
    lab, project = scheduled.lab, scheduled.project("prod")
    stop(scheduled.workspace, lab, "prod")
    with lease(scheduled.lxd, project):
        locked = run(scheduled, READY_BY)
        assert locked.error is not None
        assert (locked.error.exit_code, locked.done) == (75, "another run works on it")
        assert operation(scheduled)["power"] == "stopped"
    assert told(scheduled) == []

    # The checkpoint goes behind Practicum's back: nothing can be made, and no commit says otherwise.
    release = json.loads(scheduled.repository.sources("HEAD").read(f"environments/prod/{lab}/release.json"))
    for fingerprint in release["images"].values():
        scheduled.lxd.delete("images", fingerprint)
    head = scheduled.repository.head()
    for minutes in (0, 5):
        failed = run(scheduled, READY_BY + timedelta(minutes=minutes))
        assert failed.error is not None
        assert "is gone from LXD" in failed.error.message
    assert scheduled.repository.head() == head
    assert KEY in config(scheduled)
    (alert,) = told(scheduled)
    assert (alert["cause"], alert["environment"]) == (f"lab {lab}", "prod")
    assert alert["installation"] == scheduled.installation
    assert "is gone from LXD" in alert["message"]
    run(scheduled, READY_BY + timedelta(days=1, minutes=1))
    assert [one["cause"] for one in told(scheduled)] == [f"lab {lab}"] * 2
    assert MEMORY not in scheduled.repository.uncommitted()


def test_the_command_shows_a_table_and_exits_as_promised(scheduled: Classroom) -> None:
    said = scheduled.say("schedule", "--dry-run")
    assert (said.returncode, said.stderr) == (0, "")
    assert "2030-09-14 08:00+0000" in said.stdout
    assert "nothing: it is too early" in said.stdout
    (row,) = json.loads(scheduled.say("--json", "schedule").stdout)
    assert (row["lab"], row["state"], row["error"]) == (scheduled.lab, "running", None)
