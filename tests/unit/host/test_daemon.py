"""What a killed LXD leaves behind, told from what is in use, on a made-up /proc."""

import os
import signal
from pathlib import Path

import pytest

from practicum.lxd import daemon
from practicum.lxd.daemon import clear_leftovers, dnsmasq_processes, own_daemon, running_daemon, start_time


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("boot\n")
    return tmp_path / "proc"


@pytest.fixture
def lxd(tmp_path: Path) -> Path:
    (tmp_path / "lxd").mkdir()
    return tmp_path / "lxd"


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    return signals


def process(proc: Path, pid: int, *command: str, state: str = "S", started: int = 7, **environment: str) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "cmdline").write_text("".join(f"{word}\0" for word in command))
    (folder / "environ").write_text("".join(f"{key}={value}\0" for key, value in environment.items()))
    (folder / "stat").write_text(f"{pid} (a) b) {state} " + " ".join(["0"] * 18) + f" {started} 0\n")


def dnsmasq(proc: Path, pid: int, lxd: Path, network: str) -> None:
    process(proc, pid, "dnsmasq", "--keep-in-foreground", f"--conf-file={lxd}/networks/{network}/dnsmasq.raw")


def pid_file(lxd: Path, network: str, pid: int) -> Path:
    path = lxd / "networks" / network / "dnsmasq.pid"
    path.parent.mkdir(parents=True)
    path.write_text(f"name: dnsmasq\nargs: [--pid-file=]\npid: {pid}\nuid: 0\n")
    return path


def test_a_pid_file_of_a_process_that_is_something_else_now_is_removed(
    proc: Path, lxd: Path, killed: list[tuple[int, int]]
) -> None:
    path = pid_file(lxd, "p1", 40)
    process(proc, 40, "postgres", "-D", "/var/lib/postgresql")
    assert clear_leftovers(lxd, proc) == [f"removed {path}, its process 40 is gone"]
    assert not path.exists()
    assert killed == []


def test_a_dnsmasq_that_lxd_knows_is_left_to_lxd(proc: Path, lxd: Path, killed: list[tuple[int, int]]) -> None:
    path = pid_file(lxd, "p1", 40)
    dnsmasq(proc, 40, lxd, "p1")
    assert clear_leftovers(lxd, proc) == []
    assert path.exists()
    assert killed == []


def test_a_dnsmasq_that_lxd_forgot_is_ended_and_those_of_others_are_not(
    proc: Path, lxd: Path, killed: list[tuple[int, int]]
) -> None:
    dnsmasq(proc, 40, lxd, "p1")
    dnsmasq(proc, 41, Path("/var/lib/libvirt"), "default")
    process(proc, 42, "grep", f"--conf-file={lxd}/networks/p1/dnsmasq.raw")
    assert dnsmasq_processes(lxd, proc) == [40]
    assert clear_leftovers(lxd, proc) == ["ended the leftover dnsmasq 40"]
    assert killed == [(40, signal.SIGTERM)]


def test_a_damaged_pid_file_is_removed(proc: Path, lxd: Path) -> None:
    path = pid_file(lxd, "p1", 1)
    path.write_text("")
    clear_leftovers(lxd, proc)
    assert not path.exists()


def test_the_daemon_is_told_from_its_helpers_and_from_another_folders(proc: Path, lxd: Path) -> None:
    process(proc, 50, "/usr/bin/lxd", "forkproxy", "--", LXD_DIR=str(lxd))
    process(proc, 51, "/usr/bin/lxd", "--group", "lxd")
    process(proc, 52, "lxc", "list")
    assert running_daemon(lxd, proc) is None
    assert running_daemon(daemon.FOLDER, proc) == 51
    process(proc, 53, "lxd", LXD_DIR=str(lxd))
    assert running_daemon(lxd, proc) == 53


def test_a_daemon_is_ours_by_its_log_file(proc: Path, lxd: Path) -> None:
    process(proc, os.getpid(), "lxd", "--group", "root", "--logfile", "/var/log/lxd/lxd.log", LXD_DIR=str(lxd))
    assert own_daemon(lxd, proc) is None
    (proc / str(os.getpid()) / "cmdline").write_text(f"lxd\0--group\0root\0--logfile\0{daemon.LOG}\0")
    found = own_daemon(lxd, proc)
    assert found is not None
    assert found.pid == os.getpid()


def test_a_process_is_recognised_by_number_and_start(proc: Path) -> None:
    process(proc, 60, "lxd", started=1234)
    process(proc, 61, "lxd", state="Z")
    assert start_time(60, proc) == "boot:1234"
    assert start_time(61, proc) == ""
    assert start_time(62, proc) == ""


def test_a_daemon_of_another_start_is_not_stopped() -> None:
    assert daemon.stop_daemon(daemon.Daemon(os.getpid(), "boot:1")) is False
