"""What a machine may use, tried from inside it."""

import os
import secrets
import time
from collections.abc import Iterator

import pytest
from classroom import Classroom
from lxd_fixtures import OpenClassroom

from practicum.lxd.client import Lxd
from practicum.stages.pipeline import commit_lab

pytestmark = pytest.mark.lxd
KILLED = 137


def test_more_memory_than_the_limit_kills_the_taker_and_not_the_machine(classroom: Classroom) -> None:
    take = "dd if=/dev/zero of=/dev/null bs={}M count=1"
    assert classroom.run("prod", "s001-desk", take.format(20))[0] == 0
    assert classroom.run("prod", "s001-desk", take.format(400))[0] == KILLED
    assert classroom.instances("prod")["s001-desk"]["status"] == "Running"


def test_no_more_processes_than_the_limit(classroom: Classroom) -> None:
    many = "i=0; while [ $i -lt 2100 ]; do sleep 60 & echo $!; i=$((i+1)); done"
    script = f"({many}) > /tmp/pids 2> /tmp/words; while read pid; do kill $pid; done < /tmp/pids; wait"
    classroom.run("prod", "s001-web", script)
    started = int(classroom.read("prod", "s001-web", "wc -l < /tmp/pids"))
    assert 1900 < started < 2000
    assert "can't fork" in classroom.read("prod", "s001-web", "cat /tmp/words")


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor is no limit on a host with one")
def test_no_more_processor_time_than_the_limit(classroom: Classroom) -> None:
    def used() -> float:
        state = classroom.lxd.get("instances", "s001-desk", "state", project=classroom.project("prod"))
        return float(state["cpu"]["usage"]) / 10**9

    assert classroom.instances("prod")["s001-desk"]["expanded_config"]["limits.cpu"] == "1"
    began, before = time.monotonic(), used()
    # Its root asks for all processors, and keeps as many busy as there could be.
    busy = "taskset -p ffff $$ >/dev/null; " + "timeout 2 sh -c 'while :; do :; done' & " * 4
    classroom.read("prod", "s001-desk", f"{busy} wait; true")
    spent, elapsed = used() - before, time.monotonic() - began
    assert 0 < spent <= elapsed * 1.1
    allowed = classroom.read("prod", "s001-desk", "grep Cpus_allowed_list /proc/self/status | cut -f 2")
    assert allowed.isdigit()


@pytest.fixture
def fresh_pool(lxd: Lxd) -> Iterator[str]:
    """A pool of this test: btrfs keeps no quota once its accounts are inconsistent, and another's may be."""
    name = f"pt{secrets.token_hex(4)}"
    lxd.post("storage-pools", body={"name": name, "driver": "btrfs", "config": {"size": "7GiB"}})
    yield name
    lxd.delete("storage-pools", name)


def test_disks_and_volumes_end(fresh_pool: str, open_classroom: OpenClassroom) -> None:
    classroom = open_classroom(storage=fresh_pool)
    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")
    for folder, size in (("/root", 256), ("/home/student", 32)):
        file = f"{folder}/big"
        fill = f"dd if=/dev/zero of={file} bs=1M count={size * 3 // 2}; code=$?; sync; stat -c %s {file}; exit $code"
        code, words = classroom.run("dev", "prof-desk", fill)
        assert (code, "quota" in words.lower()) == (1, True)
        written = next(int(line) for line in words.splitlines() if line.isdigit())
        assert size / 2 < written / 2**20 <= size


def test_students_machines_have_the_sizes_of_the_spec(classroom: Classroom) -> None:
    project = classroom.project("prod")
    for name, found in classroom.instances("prod").items():
        assert found["expanded_devices"]["root"]["size"] == ("2GiB" if name == "probe" else "256MiB")
    volumes = classroom.lxd.get("storage-pools", classroom.pool, "volumes", "custom", project=project, recursion=1)
    assert {volume["name"]: volume["config"]["size"] for volume in volumes} == {
        f"{seat}-home": "32MiB" for seat in ("prof", "s001", "s002")
    }


def test_root_of_a_machine_is_nobody_on_the_host(classroom: Classroom) -> None:
    for environment in ("dev", "prod"):
        for name, found in classroom.instances(environment).items():
            config = found["expanded_config"]
            assert config.get("security.privileged", "false") == "false"
            assert config.get("security.nesting", "false") == "false"
            inside, outside, count = classroom.read(environment, name, "cat /proc/self/uid_map").split()
            assert (inside, int(outside) >= 100000, int(count) >= 65536) == ("0", True, True)
            code, words = classroom.run(environment, name, "echo 1 > /proc/sys/kernel/panic")
            assert (code, "panic" in words) == (1, True)
