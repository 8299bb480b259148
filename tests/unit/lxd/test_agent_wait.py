"""Virtual machines as LXD tells of them: support, the wait for the agent, golden machines."""

from collections.abc import Iterator
from typing import Any

import pytest

from practicum.errors import PracticumError
from practicum.lxd import power
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.golden import GoldenMachines, waiting
from practicum.lxd.power import start
from practicum.lxd.vm_support import inoperable, runs_virtual_machines

REASON = "KVM support is missing (no /dev/kvm)"


class Server:
    """LXD as far as these tests ask it: `processes` is what the state says, one number a question."""

    def __init__(self, *processes: int, kind: str = "virtual-machine", driver: str = "lxc") -> None:
        self.processes: Iterator[int] = iter(processes)
        self.kind = kind
        self.driver = driver
        self.log: list[tuple[str, tuple[str, ...], Any]] = []

    def get(self, *path: str, project: str = "", recursion: int = 0) -> Any:
        if not path:
            return {"environment": {"driver": self.driver}}
        if path == ("warnings",):
            kind = "Instance type not operational"
            return [
                {"type": kind, "status": "new", "last_message": REASON},
                {"type": kind, "status": "resolved", "last_message": "no /dev/vsock"},
                {"type": "Missing virtiofsd", "status": "new", "last_message": "Using 9p as a fallback"},
            ]
        if path[-1] == "state":
            return {"processes": next(self.processes)}
        return {"status": "Running", "type": self.kind}

    def find(self, *path: str, project: str = "") -> Any:
        return None

    def put(self, *path: str, body: Any, project: str = "", etag: str = "") -> None:
        self.log.append(("put", path, body))

    def post(self, *path: str, body: Any, project: str = "") -> None:
        self.log.append(("post", path, body))

    def patch(self, *path: str, body: Any, project: str = "", etag: str = "") -> None:
        self.log.append(("patch", path, body))

    def delete(self, *path: str, project: str = "") -> None:
        self.log.append(("delete", path, None))

    def download(self, *path: str, project: str = "") -> Any:
        raise LxdNotFound("LXD refused GET", status=404)

    def posted(self, kind: str) -> Any:
        return next(body for verb, path, body in self.log if verb == "post" and path[-1] == kind)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(power, "LOOK_SECONDS", 0.0)


def machine(kind: str) -> Instance:
    return Instance("s001-old", "s001", "old", kind, "f" * 64, True, ("old",), {}, {}, ())


def desired(**profile: str) -> Desired:
    entry = {"name": "old", "devices": {"root": {"type": "disk"}}, "config": {"limits.cpu": "1", **profile}}
    project = {"name": "p", "description": "d", "config": {}}
    return Desired("i/prod/c/l/-", project, "golden", (), (entry,), machine("container"), ())


def test_lxd_says_itself_whether_it_runs_virtual_machines() -> None:
    assert runs_virtual_machines(Server(driver="lxc | qemu"))
    assert not runs_virtual_machines(Server())
    assert inoperable(Server()) == (REASON,)


def test_a_virtual_machine_has_started_when_its_agent_answers() -> None:
    server = Server(-1, -1, 23)
    start(server, "p", "s001-old")
    assert list(server.processes) == []


def test_a_container_has_no_agent_to_wait_for() -> None:
    start(Server(kind="container"), "p", "s001-web")


def test_an_agent_that_never_answers_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "AGENT_SECONDS", -1)
    with pytest.raises(PracticumError) as failed:
        start(Server(-1), "p", "s001-old")
    assert "agent" in failed.value.message
    assert "lxc console s001-old --project p" in failed.value.resolution


def test_a_golden_virtual_machine_never_runs_before_its_snapshot() -> None:
    server = Server()
    source = GoldenMachines(server, desired(**{"security.secureboot": "false"})).source(machine("virtual-machine"))
    assert source == {"type": "copy", "source": "old-ffffffffffff/golden", "project": "golden"}
    assert server.posted("instances")["type"] == "virtual-machine"
    assert "raw.lxc" not in server.posted("instances")["config"]
    assert server.posted("profiles")["config"]["security.secureboot"] == "false"
    assert server.posted("snapshots")
    assert not [body for verb, _, body in server.log if verb == "put" and body.get("action") == "start"]


def test_a_golden_container_waits_while_its_ids_are_shifted() -> None:
    server = Server()
    GoldenMachines(server, desired()).source(machine("container"))
    assert server.posted("instances")["config"]["raw.lxc"] == waiting("container")["raw.lxc"]
    assert [body for verb, _, body in server.log if verb == "put" and body.get("action") == "start"]
