"""How doctor looks at a host: what it reads, what it waits for, and what it leaves alone."""

import time
from pathlib import Path

import pytest

from practicum.errors import UnavailableError
from practicum.stages import host
from practicum.stages.doctor import doctor
from practicum.stages.host import Question, foreign_instances, free_space, read_sysctl, subordinate_ids
from practicum.stages.host_record import Places
from practicum.stages.preconditions import GROUPS


def test_an_instance_is_foreign_without_a_marker() -> None:
    instances = [
        {"project": "default", "name": "b", "config": {}},
        {"project": "p", "name": "a", "config": {"user.practicum": "abc/dev/net101/lab/s001"}},
        {"project": "a", "name": "c", "config": {"user.other": "x"}},
    ]
    assert foreign_instances(instances) == ("a/c", "default/b")


def test_reading_files_that_are_not_there_or_not_as_expected(tmp_path: Path) -> None:
    (tmp_path / "subuid").write_text("ada:1:2\nroot:100000:65536\nroot:x\n0:200000:70000\n")
    (tmp_path / "net").mkdir()
    (tmp_path / "net/x").write_text("17\n")
    assert subordinate_ids(tmp_path / "subuid") == 70000
    assert subordinate_ids(tmp_path / "none") == 0
    assert read_sysctl("net.x", tmp_path) == 17
    assert read_sysctl("net.y", tmp_path) is None
    assert free_space(tmp_path / "not/yet/there") == pytest.approx(free_space(tmp_path), rel=0.1)


def test_a_question_without_answer_is_left_alone() -> None:
    def never() -> None:
        time.sleep(5)

    assert Question(never).answer(0.05) == (None, "no answer within 0.05 s")
    assert Question(lambda: 3).answer(5) == (3, "")

    def broken() -> None:
        raise OSError("no route")

    assert Question(broken).answer(5) == (None, "no route")


def test_the_time_of_a_question_counts_from_when_it_was_asked() -> None:
    first, second = (Question(lambda: time.sleep(5)) for _ in range(2))
    began = time.monotonic()
    assert first.answer(0.2)[0] is second.answer(0.2)[0] is None
    assert time.monotonic() - began < 2


def test_doctor_works_without_lxd(tmp_path: Path) -> None:
    checks = {check.name: check for check in doctor(socket=str(tmp_path / "unix.socket"))}
    assert not checks["LXD"].ok
    assert checks["LXD"].found == f"there is no socket {tmp_path}/unix.socket"
    assert "kinds" not in checks
    assert {check.group for check in checks.values()} == set(GROUPS)


def test_an_lxd_that_is_slow_is_said_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unix.socket").touch()
    monkeypatch.setattr(host, "lxd_facts", lambda *_: time.sleep(30))
    began = time.monotonic()
    checks = {check.name: check for check in doctor(socket=str(tmp_path / "unix.socket"))}
    assert time.monotonic() - began < 10
    assert checks["LXD"].state == "warning"
    assert "busy or stuck" in checks["LXD"].found


def test_what_lxd_answers_wrong_is_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UnavailableError("no answer from LXD", details="connection refused")

    (tmp_path / "unix.socket").touch()
    monkeypatch.setattr(host, "lxd_facts", refuse)
    checks = {check.name: check for check in doctor(socket=str(tmp_path / "unix.socket"))}
    assert (checks["LXD"].state, checks["LXD"].found) == ("missing", "connection refused")


def test_root_gets_commands_without_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places = Places(kernel=tmp_path, subuid=tmp_path / "none", subgid=tmp_path / "none")
    for user, command in ((0, "practicum setup"), (1000, "sudo practicum setup")):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        checks = {check.name: check for check in doctor(str(tmp_path / "unix.socket"), places=places)}
        assert checks["subuid"].fix == command
