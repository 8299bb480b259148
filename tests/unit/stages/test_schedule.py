"""What a lab needs at a moment, and how early it must begin."""

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from generator.spec.platform import default_platform
from practicum.stages.alerts import MEMORY, Alerts
from practicum.stages.pace import KEY, ONCE, Pace, read_pace
from practicum.stages.pools import Pool
from practicum.stages.schedule import Times, due

NOON = datetime(2030, 9, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
READY = NOON.isoformat()
TIMES = Times(ready_by=NOON, starts_at=NOON - HOUR, ends=NOON + 9 * HOUR)


@pytest.mark.parametrize(
    ("state", "honoured", "hours", "what"),
    [
        ("stopped", "", -2, "nothing"),
        ("stopped", "", -1, "start"),
        ("absent", "", 0, "start"),
        ("running", "", 0, "start"),
        ("stopped", "", 8, "start"),
        ("running", READY, 0, "nothing"),
        ("stopped", READY, 1, "nothing"),
        ("stopped", "2029-09-14T12:00:00+00:00", 0, "start"),
        ("running", READY, 9, "stop"),
        ("running", "", 99, "stop"),
        ("stopped", "", 9, "nothing"),
        ("absent", "", 9, "nothing"),
        ("destroyed", "", 0, "nothing"),
        ("destroyed", "", 9, "nothing"),
    ],
)
def test_what_is_due(state, honoured, hours, what):
    assert due(TIMES, state, honoured, NOON + hours * HOUR) == what


def test_a_lab_without_one_of_the_times():
    assert due(Times(ends=NOON), "stopped", "", NOON - HOUR) == "nothing"
    assert due(Times(ends=NOON), "running", "", NOON) == "stop"
    assert due(Times(ready_by=NOON, starts_at=NOON), "running", READY, NOON + 999 * HOUR) == "nothing"
    assert due(Times(due=NOON), "running", "", NOON + HOUR) == "nothing"


def test_the_estimate_grows_with_the_class_and_is_careful():
    assert Pace().estimate(30) == ONCE + timedelta(seconds=300)
    measured = read_pace({KEY: json.dumps({"seconds_per_seat": 1.5, "seats": 30})})
    assert measured == Pace(1.5, seats=30)
    assert measured.estimate(300) == ONCE + timedelta(seconds=900)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"seconds_per_seat": "x"}', "null"])
def test_a_broken_record_is_none(text):
    assert read_pace({KEY: text}) == Pace()


@pytest.mark.parametrize(
    ("used", "reserve", "words"),
    [(79, 0, ""), (80, 0, "80 % full"), (50, 51, "below the reserve"), (99, 5, "below the reserve"), (50, 50, "")],
)
def test_when_a_pool_is_told(used, reserve, words):
    warning = Pool("p", "btrfs", 100 * 2**30, used * 2**30, reserve * 2**30).warning
    assert words in warning
    assert bool(warning) == bool(words)


@pytest.fixture
def alerts(workspace, tmp_path):
    """Return what makes alerts at a time, with the command of the operators."""

    def make(command, now=NOON):
        platform = default_platform("prod")
        settings = {"alerts": {"command": command}} if command else {}
        events = []
        workspace.emit = events.append
        return Alerts(workspace, type(platform)(**{**vars(platform), "settings": settings}), now), events

    return make


def writes(path):
    return [sys.executable, "-c", f"import sys; open({str(path)!r}, 'a').write(sys.stdin.read() + '\\n')"]


def test_a_cause_is_told_once_a_day(alerts, tmp_path):
    told = tmp_path / "told"
    first, _ = alerts(writes(told))
    assert first.tell("pool p", "$(it is full); `now`") is True
    assert first.tell("pool p", "it is full") is False
    assert first.tell("pool q", "it is full too") is True
    assert alerts(writes(told), NOON + 23 * HOUR)[0].tell("pool p", "full") is False
    assert alerts(writes(told), NOON + 25 * HOUR)[0].tell("pool p", "full") is True
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(line["cause"], line["message"]) for line in lines] == [
        ("pool p", "$(it is full); `now`"),
        ("pool q", "it is full too"),
        ("pool p", "full"),
    ]
    assert lines[0].keys() == {"installation", "environment", "time", "cause", "message"}


def test_a_command_that_fails_is_a_warning_and_is_tried_again(alerts, tmp_path, workspace):
    for command, words in ((["/nonexistent/mail"], "No such file"), ([sys.executable, "-c", "exit(3)"], "exit code 3")):
        broken, events = alerts(command)
        assert broken.tell("pool p", "full") is False
        assert (events[0].state, words in events[0].detail) == ("warning", True)
    assert not (workspace.repository.root / MEMORY).exists()
    assert alerts(writes(tmp_path / "told"))[0].tell("pool p", "full") is True


def test_a_broken_memory_tells_once_more(alerts, tmp_path, workspace):
    for text in ("{", "[]", '{"pool p": "yesterday"}', '{"pool p": 5}'):
        (workspace.repository.root / MEMORY).write_text(text)
        assert alerts(writes(tmp_path / "told"))[0].tell("pool p", "full") is True


def test_without_a_command_nobody_is_told(alerts, workspace):
    assert alerts(None)[0].tell("pool p", "full") is False
    assert not (workspace.repository.root / MEMORY).exists()
