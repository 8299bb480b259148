"""The lease of a lab: one run at a time, across terminals and hosts, and no dead run in the way."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from fake_lxd import FakeLxd

from practicum.errors import TryAgainError
from practicum.lxd import lock
from practicum.lxd.lock import KEY, holder, lease

NAME = "pabc-dev-net101-firewalls"
FEATURES = {"features.profiles": "true", "user.practicum": "one/dev/net101/firewalls/-"}


@pytest.fixture
def lxd():
    fake = FakeLxd()
    fake.objects["projects"][NAME] = {"name": NAME, "config": dict(FEATURES)}
    return fake


def config(lxd):
    return lxd.objects["projects"][NAME]["config"]


def hold(lxd, owner, seconds):
    config(lxd)[KEY] = json.dumps({"owner": owner, "expires": time.time() + seconds})


def dead_process():
    """Return the id of a process that was there and is not any more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return str(process.pid)


@pytest.fixture
def ours(lxd):
    """The parts of this process's name as an owner: host, process, its beginning, a random end."""
    with lease(lxd, NAME):
        return holder(config(lxd)).split(":")


def test_a_lease_is_held_and_given_back_without_touching_other_keys(lxd):
    with lease(lxd, NAME):
        owner = holder(config(lxd))
        assert owner.startswith(socket.gethostname())
        assert f":{os.getpid()}:" in owner
        assert FEATURES.items() <= config(lxd).items()
    assert config(lxd) == FEATURES
    assert holder(config(lxd)) is None


def test_it_is_given_back_after_a_failure_too(lxd):
    with pytest.raises(RuntimeError, match="work"), lease(lxd, NAME):
        raise RuntimeError("work")
    assert config(lxd) == FEATURES


def test_it_lasts_for_a_minute(lxd):
    before = time.time()
    with lease(lxd, NAME):
        expires = json.loads(config(lxd)[KEY])["expires"]
        assert before + lock.LEASE_SECONDS - 1 <= expires <= time.time() + lock.LEASE_SECONDS + 1


def test_a_lease_that_somebody_else_holds_is_not_taken(lxd):
    hold(lxd, "other-host:4711:abcd", 30)
    with pytest.raises(TryAgainError) as caught, lease(lxd, NAME):
        pytest.fail("two runs at once")
    assert caught.value.exit_code == 75
    assert "other-host:4711:abcd" in caught.value.details
    assert caught.value.resolution
    assert holder(config(lxd)) == "other-host:4711:abcd"


def test_a_run_of_this_host_that_lives_is_not_pushed_aside(lxd, ours):
    hold(lxd, ":".join([*ours[:-1], "abcd"]), 30)
    with pytest.raises(TryAgainError), lease(lxd, NAME):
        pytest.fail("two runs at once")


def test_a_second_lease_of_the_same_process_is_refused(lxd):
    with lease(lxd, NAME), pytest.raises(TryAgainError), lease(lxd, NAME):
        pytest.fail("two runs at once")


def test_a_run_of_this_host_that_died_is_not_waited_for(lxd, ours):
    hold(lxd, ":".join([ours[0], dead_process(), *ours[2:]]), 3000)
    with lease(lxd, NAME):
        assert f":{os.getpid()}:" in holder(config(lxd))


def test_a_younger_process_with_the_number_of_the_dead_one_keeps_nobody_waiting(lxd, ours):
    hold(lxd, ":".join([ours[0], ours[1], "1", ours[3]]), 3000)
    with lease(lxd, NAME):
        assert holder(config(lxd)).split(":")[2] == ours[2]


def test_a_process_of_another_host_with_the_same_number_is_not_ours(lxd, ours):
    hold(lxd, ":".join([f"other-{ours[0]}", dead_process(), *ours[2:]]), 30)
    with pytest.raises(TryAgainError), lease(lxd, NAME):
        pytest.fail("two runs at once")


def test_an_expired_lease_is_taken_over(lxd):
    hold(lxd, "other-host:1:abcd", -1)
    assert holder(config(lxd)) is None
    with lease(lxd, NAME):
        assert holder(config(lxd)) != "other-host:1:abcd"


def test_of_two_that_begin_at_the_same_moment_one_is_refused(lxd):
    lxd.before_write.append(lambda: hold(lxd, "faster:1:abcd", 60))
    with pytest.raises(TryAgainError, match="another run"), lease(lxd, NAME):
        pytest.fail("two runs at once")
    assert holder(config(lxd)) == "faster:1:abcd"


def test_a_lease_that_another_run_took_over_is_not_given_back(lxd):
    with lease(lxd, NAME):
        hold(lxd, "successor:1:abcd", 60)
    assert holder(config(lxd)) == "successor:1:abcd"


def test_a_run_that_deleted_the_project_ends_well(lxd):
    with lease(lxd, NAME):
        del lxd.objects["projects"][NAME]
    assert lxd.objects["projects"] == {}


class Counting(FakeLxd):
    """Tells how often a project was written."""

    def __init__(self):
        super().__init__()
        self.writes = threading.Semaphore(0)

    def patch(self, *path, body, project="", etag=""):
        super().patch(*path, body=body, project=project, etag=etag)
        self.writes.release()


@pytest.fixture
def fast(monkeypatch):
    """A project whose leases beat a hundred times a second."""
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.01)
    fake = Counting()
    fake.objects["projects"][NAME] = {"name": NAME, "config": dict(FEATURES)}
    return fake


def test_the_heart_beats_while_the_work_goes_on(fast):
    with lease(fast, NAME):
        owner = holder(config(fast))
        assert all(fast.writes.acquire(timeout=20) for _ in range(4))
        assert holder(config(fast)) == owner
    assert config(fast) == FEATURES


def test_a_missed_beat_ends_nothing(fast):
    with lease(fast, NAME):
        fast.before_write.append(lambda: config(fast).update({"user.other": "changed meanwhile"}))
        assert all(fast.writes.acquire(timeout=20) for _ in range(3))
        assert holder(config(fast))
    assert config(fast) == {**FEATURES, "user.other": "changed meanwhile"}


def test_a_run_that_lost_its_lease_does_not_take_it_back(fast):
    with lease(fast, NAME) as lost:
        hold(fast, "successor:1:abcd", 60)
        assert lost.wait(20)
        assert holder(config(fast)) == "successor:1:abcd"
