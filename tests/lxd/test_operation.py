"""What an operator decides stays decided: stopped labs stay stopped, and an exam has no internet."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from classroom import Classroom, until
from lxd_fixtures import missing

from practicum.lxd.lock import lease
from practicum.stages.operate import stop

pytestmark = pytest.mark.lxd


def states(classroom: Classroom, environment: str = "prod") -> set[str]:
    return {found["status"] for found in classroom.instances(environment).values()}


def test_a_stopped_lab_stays_stopped_until_it_is_started(classroom: Classroom) -> None:
    before = classroom.instances("prod").keys()
    lab = classroom.lab
    try:
        assert classroom.say("stop", lab, "--env", "prod").returncode == 0
        assert states(classroom) == {"Stopped"}
        assert classroom.say("provision", lab, "--env", "prod").returncode == 0
        assert classroom.say("pipeline", lab).returncode == 0
        assert states(classroom) == {"Stopped"}
        assert states(classroom, "dev") == {"Running"}
        asked = classroom.say("smoke", lab, "--env", "prod")
        assert (asked.returncode, f"practicum start {lab} --env prod" in asked.stderr) == (69, True)
    finally:
        started = classroom.say("start", lab, "--env", "prod")
    assert started.returncode == 0
    assert states(classroom) == {"Running"}
    assert classroom.instances("prod").keys() == before
    assert classroom.smoke("prod") == {"prof": [], "s001": [], "s002": []}


def test_what_is_so_already_is_said_with_its_size(classroom: Classroom) -> None:
    lab = classroom.lab
    head = classroom.repository.head()
    # Addresses of this host that come and go with other tests are news for the access lists.
    classroom.provision("prod")
    said = classroom.say("start", lab, "--env", "prod").stderr
    assert said in ("already running (6 machines)\n", "3 changes made\n", "2 changes made\n")
    assert classroom.repository.head() == head
    try:
        first = classroom.say("stop", lab, "--env", "prod")
        assert (first.returncode, first.stderr) == (0, "stopped 7 machines\n")
        # What LXD brings back after the host starts again is what ran at last.
        last = {found["config"]["volatile.last_state.power"] for found in classroom.instances("prod").values()}
        assert last == {"STOPPED"}
        head = classroom.repository.head()
        assert classroom.say("stop", lab, "--env", "prod").stderr == "already stopped (7 machines)\n"
        assert classroom.repository.head() == head
    finally:
        classroom.say("start", lab, "--env", "prod")
    assert states(classroom) == {"Running"}


def test_a_machine_that_ignores_the_shutdown_is_stopped_too(classroom: Classroom, monkeypatch) -> None:
    monkeypatch.setattr("practicum.lxd.bulk.STOP_SECONDS", 2)
    classroom.read("prod", "s001-web", "kill -STOP 1 || true")
    classroom.set_state("prod", "s001-desk", "freeze")
    try:
        done = stop(classroom.workspace, classroom.lab, "prod")
        assert (done.machines, done.changed, states(classroom)) == (7, 7, {"Stopped"})
    finally:
        classroom.say("start", classroom.lab, "--env", "prod")
    assert states(classroom) == {"Running"}


def test_a_start_that_is_refused_leaves_no_commit(classroom: Classroom) -> None:
    lab, path = classroom.lab, "environments/prod/platform.yaml"
    platform = classroom.repository.sources("HEAD").read(path)
    assert classroom.say("stop", lab, "--env", "prod").returncode == 0
    try:
        classroom.repository.commit({path: platform + b"capacity: {memory: 1MiB}\n"}, "Too small")
        head = classroom.repository.head()
        refused = classroom.say("start", lab, "--env", "prod")
        assert (refused.returncode, "does not fit" in refused.stderr) == (69, True)
        assert classroom.repository.head() == head
        with lease(classroom.lxd, classroom.project("prod")):
            for verb in (["stop", lab, "--env", "prod"], ["exam", "on", lab]):
                assert classroom.say(*verb).returncode == 75
        assert classroom.repository.head() == head
    finally:
        classroom.repository.commit({path: platform}, "Large enough")
        classroom.repository.publish()
        assert classroom.say("start", lab, "--env", "prod").returncode == 0
    assert states(classroom) == {"Running"}


@pytest.fixture
def outside() -> Iterator[tuple[str, int]]:
    """An address and port beyond this host that answers, in a network namespace of its own."""
    name, start = f"out{secrets.token_hex(3)}", 4 * secrets.randbelow(64)
    here, there = f"198.51.100.{start + 1}", f"198.51.100.{start + 2}"
    shell(f"ip netns add {name}")
    try:
        shell(f"ip link add {name} type veth peer name eth0 netns {name}")
        shell(f"ip addr add {here}/30 dev {name} && ip link set {name} up")
        shell(f"ip -n {name} addr add {there}/30 dev eth0 && ip -n {name} link set eth0 up")
        server = ["ip", "netns", "exec", name, "busybox", "nc", "-ll", "-p", "8080", "-e", "cat"]
        process = subprocess.Popen(server, start_new_session=True)
        yield there, 8080
        # Its children, one a connection, would keep the namespace alive.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        shell(f"ip link del {name} || true; ip netns del {name}")


def shell(line: str) -> None:
    subprocess.run(["sh", "-ec", line], check=True)


@pytest.mark.root
@pytest.mark.alone
def test_an_exam_closes_the_internet(classroom: Classroom, outside: tuple[str, int]) -> None:
    lab, acl = classroom.lab, classroom.committed("prod", "shared")["acls"][0]["name"]
    # The namespace gave this host one more address, which the access list names.
    classroom.provision("prod")
    before, machines = rules(classroom, acl), ("s001-web", "s002-desk")
    assert before["egress"]
    inside = {(classroom.address("prod", "s001", "desk"), 22)}
    until(lambda: classroom.opens("prod", "s001-web", {outside}) == {outside}, "the way out")
    if shutil.which("conntrack") is None:
        missing("lxd", "cutting open connections needs conntrack")
    talk = f"(while sleep 0.2; do echo x; done) | nc {outside[0]} {outside[1]} > /tmp/echo 2>/dev/null &"
    classroom.read("prod", "s001-web", talk)
    until(lambda: size(classroom) > 2, "the echo")
    try:
        said = classroom.say("exam", "on", lab)
        assert (said.returncode, "has no internet: 3 seats" in said.stderr) == (0, True), said.stderr
        assert (silent(classroom), said.stderr.count("warning")) == (True, 0)
        assert operation(classroom)["internet"] == "none"
        assert rules(classroom, acl) == {**before, "egress": []}
        assert all(resolver(classroom, seat) == "no-resolv" for seat in ("s001", "s002"))
        assert [classroom.opens("prod", machine, {outside}) for machine in machines] == [set(), set()]
        assert classroom.opens("prod", "s001-web", inside) == inside
        head = classroom.repository.head()
        assert classroom.say("exam", "on", lab).returncode == 0
        assert classroom.repository.head() == head
        assert {action.kind for action in classroom.provision("prod").plan.actions} <= {"acl"}
        assert set(classroom.smoke("prod")) == {"prof", "s001", "s002"}
    finally:
        over = classroom.say("exam", "off", lab)
    assert over.returncode == 0
    assert operation(classroom)["internet"] == "spec"
    assert rules(classroom, acl) == before
    assert all(resolver(classroom, seat) == "" for seat in ("s001", "s002"))
    assert all(classroom.opens("prod", machine, {outside}) == {outside} for machine in machines)
    assert {action.kind for action in classroom.provision("prod").plan.actions} <= {"acl"}


def operation(classroom: Classroom) -> dict[str, str]:
    path = f"environments/prod/{classroom.lab}/operation.yaml"
    return yaml.safe_load(classroom.repository.sources("HEAD").read(path))


def rules(classroom: Classroom, acl: str) -> dict[str, Any]:
    found = classroom.lxd.get("network-acls", acl)
    # What is refused are the addresses of this host, which come and go with other tests.
    return {side: [rule for rule in found[side] if rule["action"] == "allow"] for side in ("egress", "ingress")}


def resolver(classroom: Classroom, seat: str) -> str:
    """Return what the resolver of a seat's gateway is told beyond LXD's own settings."""
    return str(classroom.lxd.get("networks", classroom.bridge("prod", seat))["config"].get("raw.dnsmasq", ""))


def size(classroom: Classroom) -> int:
    """Return how much of an open connection's echo has come back."""
    return int(classroom.read("prod", "s001-web", "wc -c < /tmp/echo"))


def silent(classroom: Classroom) -> bool:
    """Say whether no echo comes back for ten times as long as one takes."""
    return bool(
        classroom.read("prod", "s001-web", "a=$(wc -c < /tmp/echo); sleep 2; [ $(wc -c < /tmp/echo) = $a ]; echo $?")
        == "0"
    )
