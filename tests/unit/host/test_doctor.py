"""What doctor says of a host that looks so and so; pure, but for one look at the host the tests run on."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from practicum.stages.doctor import HostCheck, check_host, doctor
from practicum.stages.host import (
    GIB,
    SYSCTLS,
    HostFacts,
    LxdFacts,
    foreign_instances,
    free_space,
    read_sysctl,
    subordinate_ids,
    within,
)  # fmt: skip

LXD = LxdFacts("5.0.2", "lxc | qemu", ("dir", "btrfs"), {"practicum": "btrfs"}, 20 * GIB, ())
READY = HostFacts(
    root=True, missing=(), sysctls=dict(SYSCTLS), subuid=65536, subgid=65536, disk_free=100 * GIB, resolves=True,
    forward=1, bridge_filter=None, socket="/run/lxd/unix.socket", pool="practicum", lxd=LXD,
)  # fmt: skip


def failed(facts: HostFacts) -> list[HostCheck]:
    return [check for check in check_host(facts) if not check.ok]


def test_a_ready_host_has_nothing_to_fix() -> None:
    assert failed(READY) == []
    assert all(check.fix == "" and not check.automatic for check in check_host(READY))


@pytest.mark.parametrize(
    ("change", "name", "fix", "automatic"),
    [
        (
            {"missing": ("lxd", "zstd")}, "packages",
            "sudo apt-get install --yes --no-install-recommends lxd zstd", True,
        ),
        ({"missing": ("lxd",), "apt": False}, "packages", "install lxd", False),
        (
            {"sysctls": {**SYSCTLS, "fs.inotify.max_user_instances": 128}}, "fs.inotify.max_user_instances",
            "sudo sysctl -w fs.inotify.max_user_instances=8192", True,
        ),
        ({"subuid": 0}, "subuid", "sudo practicum setup", True),
        ({"subgid": 1000}, "subgid", "sudo practicum setup", True),
        ({"lxd": None, "lxd_error": "there is no socket"}, "LXD", "sudo practicum setup", True),
        (
            {"lxd": None, "lxd_error": "this user may not use it"}, "LXD",
            "sudo usermod --append --groups lxd $USER  # then sign in again", False,
        ),
        ({"lxd": replace(LXD, version="4.0.9")}, "LXD", "sudo apt-get install --yes lxd", False),
        ({"lxd": replace(LXD, pools={}, free=-1)}, "pool practicum", "sudo practicum setup", True),
        (
            {"lxd": replace(LXD, free=GIB)}, "pool space",
            "practicum destroy LAB --env …, for labs that have ended", False,
        ),
        ({"resolves": False}, "DNS", "check the nameserver lines of /etc/resolv.conf", False),
    ],
)  # fmt: skip
def test_each_failure_has_its_fix(change: dict[str, Any], name: str, fix: str, automatic: bool) -> None:
    assert [(check.name, check.fix, check.automatic) for check in failed(replace(READY, **change))] == [
        (name, fix, automatic)
    ]


def test_a_setting_that_the_kernel_lacks_is_not_a_failure() -> None:
    assert failed(replace(READY, sysctls=dict.fromkeys(SYSCTLS))) == []


def test_what_is_only_good_to_know_never_fails() -> None:
    facts = replace(READY, forward=0, bridge_filter=1, lxd=replace(LXD, drivers="lxc", foreign=("default/web",)))
    found = {check.name: check.found for check in check_host(facts)}
    assert failed(facts) == []
    assert found["kinds"] == "containers only"
    assert found["instances"] == "1 of others: default/web"
    assert (found["IPv4 forwarding"], found["br_netfilter"]) == ("off", "on")


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

    assert within(0.05, never) == (None, "no answer within 0.05 s")
    assert within(5, lambda: 3) == (3, "")

    def broken() -> None:
        raise OSError("no route")

    assert within(5, broken) == (None, "no route")


def test_doctor_works_without_lxd(tmp_path: Path) -> None:
    checks = {check.name: check for check in doctor(socket=str(tmp_path / "unix.socket"))}
    assert not checks["LXD"].ok
    assert checks["LXD"].found == f"there is no socket {tmp_path}/unix.socket"
    assert "kinds" not in checks
