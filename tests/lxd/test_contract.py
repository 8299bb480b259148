"""What Practicum relies on in LXD, held against the fake and the real one alike: the fake's habits are LXD's.

Where a sentence of LXD is compared, Practicum or the fake depends on it. A later LXD that says it otherwise fails here
first.
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from busybox import write_rootfs

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdError, LxdNotFound
from practicum.lxd.images import import_image

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))
from lxd_server import FakeLxd

FILE_HEADERS = {"X-LXD-mode": "0640", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}


@dataclass
class Room:
    """A project on one LXD, real or fake, with names that nobody else uses."""

    lxd: Lxd
    project: str
    pool: str
    network: str
    address: str
    image: str = ""

    @property
    def marker(self) -> dict[str, str]:
        return {"user.practicum": f"{self.project}/-/-/-/-"}

    @property
    def volumes(self) -> tuple[str, ...]:
        return ("storage-pools", self.pool, "volumes", "custom")

    def machine(self, name: str, **changes: Any) -> dict[str, Any]:
        source = {"type": "image", "fingerprint": self.image}
        body = {"name": name, "type": "container", "profiles": ["small"], "config": self.marker, "source": source}
        return {**body, "devices": {}, **changes}

    def create(self, name: str, **changes: Any) -> None:
        self.lxd.post("instances", body=self.machine(name, **changes), project=self.project)

    def state(self, name: str, action: str) -> None:
        body = {"action": action, "force": True, "timeout": 30}
        self.lxd.put("instances", name, "state", body=body, project=self.project)

    def get(self, *path: str) -> Any:
        return self.lxd.get(*path, project=self.project)

    def volume(self, name: str, **changes: Any) -> None:
        body = {"name": name, "type": "custom", "config": {**self.marker, "size": "32MiB"}, **changes}
        self.lxd.post(*self.volumes, body=body, project=self.project)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lxd)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """Return a room with an image, a profile, an ACL and a network."""
    name = f"test{secrets.token_hex(4)}"
    if request.param == "fake":
        with FakeLxd(tmp_path / "lxd.socket") as fake:
            made = Room(Lxd(str(fake.path)), name, "practicum", f"pz{name[-6:]}-a", "10.223.1.1/28")
            yield furnished(made, tmp_path)
        return
    block = str(next(request.getfixturevalue("blocks"))).split("/")[0]
    address = block.rpartition(".")[0] + ".1/28"
    made = Room(request.getfixturevalue("lxd"), name, request.getfixturevalue("pool"), f"pz{name[-6:]}-a", address)
    try:
        yield furnished(made, tmp_path)
    finally:
        clear(made)


def furnished(room: Room, folder: Path) -> Room:
    rootfs = folder / "busybox.tar"
    write_rootfs(rootfs)
    room.image = import_image(room.lxd, rootfs, {**room.marker, "practicum.recipe": "contract"})
    features = {"features.images": "false", "features.profiles": "true", "features.storage.volumes": "true"}
    room.lxd.post("projects", body={"name": room.project, "config": {**features, **room.marker}})
    root = {"root": {"type": "disk", "pool": room.pool, "path": "/", "size": "256MiB"}}
    room.lxd.post("profiles", body={"name": "small", "config": {}, "devices": root}, project=room.project)
    rule = {"action": "allow", "state": "enabled", "destination": "198.51.100.7"}
    acl = {"name": room.network, "config": room.marker, "egress": [rule], "ingress": []}
    room.lxd.post("network-acls", body=acl)
    config = {"ipv4.address": room.address, "ipv6.address": "none", "security.acls": room.network}
    network = {"name": room.network, "type": "bridge", "description": "a", "config": {**room.marker, **config}}
    room.lxd.post("networks", body=network)
    return room


def clear(room: Room) -> None:
    for found in room.lxd.get("instances", project=room.project, recursion=1):
        if found["status"] != "Stopped":
            room.state(found["name"], "stop")
        room.lxd.delete("instances", found["name"], project=room.project)
    for found in room.lxd.get(*room.volumes, project=room.project, recursion=1):
        room.lxd.delete(*room.volumes, found["name"], project=room.project)
    for image in room.lxd.get("images", recursion=1):
        if image["properties"].get("user.practicum", "").startswith(room.project):
            room.lxd.delete("images", image["fingerprint"])
    room.lxd.delete("profiles", "small", project=room.project)
    room.lxd.delete("networks", room.network)
    room.lxd.delete("network-acls", room.network)
    room.lxd.delete("projects", room.project)


def refused(error: type[LxdError], words: str, work: Callable[[], object]) -> None:
    with pytest.raises(error) as caught:
        work()
    assert type(caught.value) is error
    assert words in caught.value.details


def once(room: Room, *path: str, project: str = "") -> None:
    """Delete without the patience of `Lxd.delete`."""
    room.lxd._finish(room.lxd._call("delete", path, project, {}))


def test_projects_are_changed_as_a_whole_and_only_by_who_read_them_last(room: Room) -> None:
    found, etag = room.lxd.get_with_etag("projects", room.project)
    refused(LxdConflict, "already exists", lambda: room.lxd.post("projects", body={"name": room.project, "config": {}}))
    config = {**found["config"], "user.a": "1"}
    room.lxd.patch("projects", room.project, body={"config": config}, etag=etag)
    stale = {"config": {**config, "user.a": "2"}}
    refused(LxdConflict, "ETag doesn't match", lambda: room.lxd.patch("projects", room.project, body=stale, etag=etag))
    room.lxd.patch("projects", room.project, body={"config": found["config"]})
    assert room.lxd.get("projects", room.project)["config"] == found["config"]
    refused(LxdError, "Only empty projects can be removed", lambda: once(room, "projects", room.project))
    refused(LxdNotFound, "Project not found", lambda: room.lxd.get("projects", "no-such-project"))


def test_what_is_in_use_is_not_deleted(room: Room) -> None:
    room.volume("data")
    nic = {"type": "nic", "network": room.network, "name": "eth0"}
    disk = {"type": "disk", "pool": room.pool, "source": "data", "path": "/srv"}
    room.create("m", devices={"eth0": nic, "data": disk})
    users = [f"/1.0/instances/m?project={room.project}"]
    assert room.lxd.get("networks", room.network)["used_by"] == users
    assert room.get("profiles", "small")["used_by"] == users
    assert room.get(*room.volumes, "data")["used_by"] == users
    assert room.lxd.get("network-acls", room.network)["used_by"] == [f"/1.0/networks/{room.network}"]
    refused(LxdError, "currently in use", lambda: once(room, "networks", room.network))
    refused(LxdError, "in use", lambda: once(room, "network-acls", room.network))
    refused(LxdError, "currently in use", lambda: once(room, "profiles", "small", project=room.project))
    refused(LxdError, "still in use", lambda: once(room, *room.volumes, "data", project=room.project))


def test_names_are_given_once(room: Room) -> None:
    room.volume("data")
    room.create("m")
    for work in (
        lambda: room.lxd.post("network-acls", body={"name": room.network, "config": {}, "egress": [], "ingress": []}),
        lambda: room.lxd.post("networks", body={**room.lxd.get("networks", room.network), "used_by": None}),
        lambda: room.lxd.post("profiles", body={"name": "small"}, project=room.project),
        lambda: room.volume("data"),
        lambda: room.create("m"),
    ):
        with pytest.raises(LxdConflict):
            work()


def test_what_is_not_there_is_not_found(room: Room) -> None:
    for path in (("networks", "nope"), ("network-acls", "nope"), ("images", "a" * 64), ("operations", "0" * 32)):
        with pytest.raises(LxdNotFound):
            room.lxd.get(*path)
    for path in (("instances", "nope"), ("profiles", "nope"), (*room.volumes, "nope")):
        with pytest.raises(LxdNotFound):
            room.get(*path)
        with pytest.raises(LxdNotFound):
            once(room, *path, project=room.project)
    room.lxd.delete("instances", "nope", project=room.project)


def test_a_network_forgets_a_description_that_a_patch_does_not_repeat(room: Room) -> None:
    room.lxd.patch("networks", room.network, body={"config": {"user.a": "1"}})
    found = room.lxd.get("networks", room.network)
    assert (found["description"], found["config"]["user.a"], found["config"]["ipv4.address"]) == ("", "1", room.address)
    wrong = {"config": {"security.acls": "nope"}}
    refused(LxdError, 'Network ACL "nope" does not exist', lambda: room.lxd.patch("networks", room.network, body=wrong))


def test_a_machine_needs_what_it_names(room: Room) -> None:
    refused(LxdError, 'Requested profile "nope" doesn\'t exist', lambda: room.create("m", profiles=["nope"]))
    refused(LxdError, "No root device could be found", lambda: room.create("m", profiles=[]))
    nic = {"eth0": {"type": "nic", "network": "nope"}}
    refused(LxdNotFound, "Network not found", lambda: room.create("m", devices=nic))
    disk = {"data": {"type": "disk", "pool": room.pool, "source": "nope", "path": "/srv"}}
    refused(LxdNotFound, "Storage volume not found", lambda: room.create("m", devices=disk))
    gone = {"type": "image", "fingerprint": "a" * 64}
    refused(LxdError, "Image not provided", lambda: room.create("m", source=gone))
    assert room.get("instances") == []


def test_the_life_of_a_machine(room: Room) -> None:
    room.create("m")
    assert room.get("instances", "m")["config"]["volatile.base_image"] == room.image
    refused(LxdError, "is not running", lambda: room.lxd.run("m", ["true"], project=room.project))
    refused(LxdError, "already stopped", lambda: room.state("m", "stop"))
    room.state("m", "start")
    refused(LxdError, "already running", lambda: room.state("m", "start"))
    found = room.get("instances", "m")
    assert (found["status"], found["config"]["volatile.last_state.power"]) == ("Running", "RUNNING")
    refused(LxdError, "Instance is running", lambda: once(room, "instances", "m", project=room.project))
    room.state("m", "stop")
    assert room.get("instances", "m")["config"]["volatile.last_state.power"] == "STOPPED"
    room.lxd.post("instances", "m", body={"name": "n"}, project=room.project)
    assert room.get("instances") == [f"/1.0/instances/n?project={room.project}"]
    room.lxd.put("instances", body={"state": {"action": "start", "timeout": 30}}, project=room.project)
    assert room.get("instances", "n")["status"] == "Running"
    room.state("n", "stop")
    once(room, "instances", "n", project=room.project)
    assert room.get("instances") == []


def test_two_machines_with_one_address_can_be_made_but_not_started(room: Room) -> None:
    address = room.address.replace(".1/28", ".2")
    nic = {"type": "nic", "network": room.network, "name": "eth0", "ipv4.address": address}
    room.create("m", devices={"eth0": nic})
    room.create("n", devices={"eth0": nic})
    refused(LxdError, f'IP address "{address}" already defined on another NIC', lambda: room.state("n", "start"))


def test_a_patch_of_a_machine_adds_and_a_put_replaces(room: Room) -> None:
    room.create("m")
    room.lxd.patch("instances", "m", body={"config": {"user.a": "1", "user.b": "2"}}, project=room.project)
    room.lxd.patch("instances", "m", body={"config": {"user.b": ""}}, project=room.project)
    found, etag = room.lxd.get_with_etag("instances", "m", project=room.project)
    assert (found["config"]["user.a"], "user.b" in found["config"]) == ("1", False)
    wrong = {"config": {"nonsense": "1"}}
    refused(
        LxdError, "nknown configuration key", lambda: room.lxd.patch("instances", "m", body=wrong, project=room.project)
    )
    kept = {key: found[key] for key in ("architecture", "devices", "profiles", "description", "ephemeral")}
    config = {key: value for key, value in found["config"].items() if key != "user.a"}
    body = {**kept, "config": config}
    room.lxd.put("instances", "m", body=body, project=room.project, etag=etag)
    assert "user.a" not in room.get("instances", "m")["config"]
    stale = lambda: room.lxd.put("instances", "m", body=body, project=room.project, etag=etag)  # noqa: E731
    refused(LxdConflict, "ETag doesn't match", stale)


def test_a_copy_of_a_snapshot_inherits_config_and_devices_but_no_profiles(room: Room) -> None:
    room.create("m", config={**room.marker, "user.a": "1"}, devices={"none": {"type": "none"}})
    room.lxd.post("instances", "m", "snapshots", body={"name": "s"}, project=room.project)
    again = lambda: room.lxd.post("instances", "m", "snapshots", body={"name": "s"}, project=room.project)  # noqa: E731
    refused(LxdConflict, "already exists", again)
    source = {"type": "copy", "source": "m/s", "project": room.project}
    room.create("n", source=source, config={"user.b": "2"})
    found = room.get("instances", "n")
    assert {"user.a": "1", "user.b": "2"}.items() <= found["config"].items()
    assert (found["devices"], found["config"]["volatile.base_image"]) == ({"none": {"type": "none"}}, room.image)
    refused(LxdError, "No root device", lambda: room.create("o", source=source, profiles=[]))
    lost = {**source, "source": "m/nope"}
    refused(LxdNotFound, "InstanceSnapshot not found", lambda: room.create("o", source=lost))
    once(room, "instances", "m", "snapshots", "s", project=room.project)
    refused(LxdNotFound, "InstanceSnapshot not found", lambda: room.get("instances", "m", "snapshots", "s"))


def test_commands_files_and_what_they_say(room: Room) -> None:
    room.create("m")
    room.state("m", "start")
    result = room.lxd.run("m", ["sh", "-c", "echo hi; echo no >&2; exit 3"], project=room.project)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "hi\n", "no\n")
    refused(LxdNotFound, "Command not found", lambda: room.lxd.run("m", ["no-such-command"], project=room.project))

    def push(path: str) -> None:
        target = ("instances", "m", "files")
        room.lxd.upload(*target, data=b"hello", headers=FILE_HEADERS, project=room.project, path=path)

    push("/etc/x")
    assert room.lxd.download("instances", "m", "files", project=room.project, path="/etc/x").content == b"hello"
    refused(LxdNotFound, "Not Found", lambda: push("/no/such/folder/x"))
    missing = lambda: room.lxd.download("instances", "m", "files", project=room.project, path="/etc/y")  # noqa: E731
    refused(LxdNotFound, "Not Found", missing)


def test_a_copied_volume_with_a_config_of_its_own_inherits_none(room: Room) -> None:
    room.volume("data")
    path = {"data": {"type": "disk", "pool": room.pool, "source": "data", "path": "/srv"}}
    room.create("m", devices=path)
    room.state("m", "start")
    assert "volatile.idmap.last" in room.get(*room.volumes, "data")["config"]
    room.state("m", "stop")
    source = {"type": "copy", "name": "data", "pool": room.pool, "project": room.project}
    room.volume("copy", config=room.marker, source=source)
    assert room.get(*room.volumes, "copy")["config"] == room.marker
    lost = {**source, "name": "nope"}
    refused(LxdNotFound, "Storage volume not found", lambda: room.volume("other", source=lost))
    room.lxd.post(*room.volumes, "copy", body={"name": "moved"}, project=room.project)
    assert room.lxd.find(*room.volumes, "copy", project=room.project) is None
    room.lxd.patch(*room.volumes, "moved", body={"config": {"user.a": "1"}}, project=room.project)
    assert room.get(*room.volumes, "moved")["config"] == {**room.marker, "user.a": "1"}


def test_only_stopped_machines_become_images(room: Room) -> None:
    room.create("m")
    room.state("m", "start")
    properties = {**room.marker, "practicum.checkpoint": "1"}
    source = {"type": "instance", "name": "m"}
    body = {"source": source, "properties": properties, "compression_algorithm": "none", "public": False}
    refused(
        LxdError, "Cannot export a running instance", lambda: room.lxd.post("images", body=body, project=room.project)
    )
    room.state("m", "stop")
    made = room.lxd.post("images", body=body, project=room.project)["fingerprint"]
    assert room.lxd.get("images", made)["properties"] == properties
    assert made in {image["fingerprint"] for image in room.lxd.get("images", recursion=1)}
    room.lxd.delete("images", made)
    assert room.lxd.find("images", made) is None


def test_the_fake_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with FakeLxd(tmp_path / "lxd.socket") as fake, pytest.raises(PracticumError, match="LXD refused GET") as caught:
        Lxd(str(fake.path)).get("cluster")
    assert "the fake knows no GET /1.0/cluster" in caught.value.details
