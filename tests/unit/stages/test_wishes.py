"""When seats get a release: what the command line may say, and what stands on the project."""

from datetime import UTC, datetime, timedelta

import pytest

from practicum.errors import UsageError
from practicum.stages.wishes import NOW, WISHES, When, parse_when, read_wishes

NOON = datetime(2030, 9, 14, 12, tzinfo=UTC)
FOUR = datetime(2030, 9, 15, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock_of_utc(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("when", "by", "meant"),
    [
        ("now", "", NOW),
        ("idle", "", When(idle=True)),
        ("idle", "4:00", When(idle=True, by=FOUR)),
        ("idle", "2030-09-15T06:00+02:00", When(idle=True, by=FOUR)),
        ("04:00", "", When(by=FOUR)),
        ("12:30", "", When(by=NOON + timedelta(minutes=30))),
        ("12:00", "", When(by=NOON + timedelta(days=1))),
        ("2030-09-15T04:00Z", "", When(by=FOUR)),
    ],
)
def test_what_can_be_said(when, by, meant):
    assert parse_when(when, by, NOON) == meant


@pytest.mark.parametrize(
    ("when", "by", "words"),
    [
        ("now", "04:00", "--by is for '--when idle'"),
        ("04:00", "05:00", "--by is for '--when idle'"),
        ("idle", "later", "'later' is no time"),
        ("25:00", "", "'25:00' is no time"),
        ("2030-09-15T04:00", "", "has no offset from UTC"),
        ("2030-09-14T11:59Z", "", "is over"),
        ("tonight", "", "'tonight' is no time"),
    ],
)
def test_what_cannot_be_meant(when, by, words):
    with pytest.raises(UsageError, match=words):
        parse_when(when, by, NOON)


@pytest.mark.parametrize(
    ("when", "before", "after", "words"),
    [
        (NOW, True, True, "now"),
        (When(idle=True), False, False, "when nobody works on it"),
        (When(idle=True, by=FOUR), False, True, "when nobody works on it, at 2030-09-15 04:00+0000 at the latest"),
        (When(by=FOUR), False, True, "at 2030-09-15 04:00+0000"),
    ],
)
def test_when_its_time_has_come(when, before, after, words):
    assert (when.has_come(NOON), when.has_come(FOUR), when.words) == (before, after, words)


def test_a_project_without_wishes_has_none():
    assert read_wishes({}) == read_wishes({WISHES: ""}) == []
