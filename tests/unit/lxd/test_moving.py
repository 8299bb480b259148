"""A project moves between members of a cluster, killed at any change: nothing is lost, nothing is twice."""

import copy
import io
from types import SimpleNamespace

import pytest

from practicum.lxd.errors import LxdError
from practicum.lxd.moving import move_project, used_space

PROJECT = "p1"


class Killed(BaseException):
    """The end of a run, as SIGKILL would end it."""


class Body(SimpleNamespace):
    """An answer of LXD that is read as a stream."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


class Cluster:
    """Two members with volumes by member and name, and machines that use them; one volume is used by two machines."""

    def __init__(self):
        self.volumes = {("m1", f"v{number}"): f"work {number}" for number in range(3)} | {("", "shared"): "ceph"}
        self.machines = {name: ("m1", volumes) for name, volumes in (("a", ["v0", "v1"]), ("b", ["v1"]), ("c", []))}
        self.member, self.changes, self.kill = "", 0, 0

    def on(self, member):
        self.member = member
        return self

    def wait_until_idle(self, project):
        assert project == PROJECT

    def get(self, *path, project="", recursion=0, target=""):
        if path == ("storage-pools",):
            return ["/1.0/storage-pools/fast"]
        if path == ("instances",):
            return [self._machine(name, *found) for name, found in self.machines.items()]
        if path[-1] == "state":
            return {"usage": {"used": len(self.volumes[target, path[4]])}}
        if path[-1] == "backups":
            return [] if self._only(path[4]) else None
        return [{"name": name, "location": member} for member, name in self.volumes]

    def download(self, *path, project, stream):
        return Body(headers={}, raw=io.BytesIO(self.volumes[self._only(path[4]), path[4]].encode()))

    def upload(self, *path, data, headers, project):
        content = b"".join(data).decode()

        def make():
            self.volumes[self.member, headers["X-LXD-name"]] = content

        self._change(make)

    def post(self, *path, body, project, target=""):
        if path[-1] == "backups":
            return
        if path[0] == "instances":
            assert all(
                (target, name) in self.volumes or ("", name) in self.volumes for name in self.machines[path[1]][1]
            )
            self._change(lambda: self.machines.update({path[1]: (target, self.machines[path[1]][1])}))
        else:
            member = self._only(path[4])
            self._change(lambda: self.volumes.update({(member, body["name"]): self.volumes.pop((member, path[4]))}))

    def delete(self, *path, project, target=""):
        if "backups" in path:
            self._only(path[4])
            return
        member = target or next((one for one, name in self.volumes if name == path[4]), "")
        if any(place == member and path[4] in volumes for place, volumes in self.machines.values()):
            raise LxdError("The storage volume is still in use")
        self._change(lambda: self.volumes.pop((member, path[4]), None))

    def _machine(self, name, member, volumes):
        devices = {"root": {"pool": "fast"}, **{one: {"pool": "fast", "source": one} for one in volumes}}
        return {
            "name": name,
            "location": member,
            "expanded_devices": devices,
            "state": {"disk": {"root": {"usage": 7}}},
        }

    def _only(self, name):
        (member,) = [member for member, other in self.volumes if other == name]
        return member

    def _change(self, change):
        self.changes += 1
        if self.changes == -self.kill:
            raise Killed
        change()
        if self.changes == self.kill:
            raise Killed


def moved(cluster):
    move_project(cluster, PROJECT, "m2", lambda what: None)


MOVED = {("m2", "v0"): "work 0", ("m2", "v1"): "work 1", ("m2", "v2"): "work 2", ("", "shared"): "ceph"}


@pytest.mark.parametrize("sign", [1, -1], ids=["after", "before"])
def test_killed_at_any_change_the_next_run_moves_the_rest(sign):
    number, ended = 0, False
    while not ended:
        number += 1
        cluster = Cluster()
        cluster.kill = sign * number
        try:
            moved(cluster)
            ended = True
        except Killed:
            cluster.kill = 0
            moved(cluster)
        assert cluster.volumes == MOVED, number
        assert {member for member, _ in cluster.machines.values()} == {"m2"}
    assert number > 12


def test_what_was_written_between_two_runs_is_not_lost():
    cluster = Cluster()
    cluster.kill = 3
    with pytest.raises(Killed):
        moved(cluster)
    assert ("m2", "v0") in cluster.volumes
    cluster.kill, cluster.volumes["m1", "v0"] = 0, "more work"
    moved(cluster)
    assert cluster.volumes["m2", "v0"] == "more work"


def test_a_second_run_changes_nothing_and_needs_no_space():
    cluster = Cluster()
    assert used_space(cluster, PROJECT, "m2") == {"fast": 3 * len("work 0") + 3 * 7}
    moved(cluster)
    before, cluster.changes = copy.deepcopy((cluster.volumes, cluster.machines)), 0
    moved(cluster)
    assert ((cluster.volumes, cluster.machines), cluster.changes) == (before, 0)
    assert used_space(cluster, PROJECT, "m2") == {}
