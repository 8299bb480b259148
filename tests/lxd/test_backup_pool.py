"""Backups in a second pool: only what changed is sent, what comes back is as it was, and a killed one is none."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from classroom import SPEC, Classroom
from lxd_fixtures import OpenClassroom
from student_work import LOOK, MAKE

from practicum.errors import InputError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import inventory
from practicum.lxd.observe import tail
from practicum.stages.backup import backup, store_of
from practicum.stages.deployment import load_deployment
from practicum.stages.restore import backups, choose, restore_beside, restore_checkpoint, restore_in_place

pytestmark = [pytest.mark.lxd, pytest.mark.root]

NOW = datetime(2030, 9, 14, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PLATFORM = "environments/prod/platform.yaml"
MIB = 2**20


@pytest.fixture(scope="module")
def second(lxd: Lxd) -> Iterator[str]:
    """Return another btrfs pool, on a file of its own."""
    name = f"practicum-test-{secrets.token_hex(3)}"
    lxd.post("storage-pools", body={"name": name, "driver": "btrfs", "config": {"size": "1GiB"}})
    yield name
    lxd.delete("storage-pools", name)


@pytest.fixture(scope="module")
def lab(second: str, open_shared: OpenClassroom) -> Classroom:
    """A delivered lab whose platform file names the other pool for backups, two of which are kept."""
    classroom = open_shared({**SPEC, "students": 2})
    name_pool(classroom, second)
    classroom.pipeline()
    return classroom


def name_pool(lab: Classroom, pool: str) -> None:
    platform = yaml.safe_load(lab.repository.sources("HEAD").read(PLATFORM))
    lab.repository.commit(
        {PLATFORM: yaml.safe_dump({**platform, "backup": {"pool": pool, "keep": 2}}).encode()}, "Pool"
    )
    lab.repository.publish()


def take(lab: Classroom, when: datetime) -> dict:
    (done,) = backup(lab.workspace, "prod", [], when)
    assert done.error is None, (done.error, done.error and done.error.details)
    return dict(done.manifest or {})


def scope(lab: Classroom):
    return load_deployment(lab.workspace, lab.lab, "prod").scope


def copies(lab: Classroom, second: str, project: str = "") -> set[str]:
    """Return the volumes, with their snapshots, in the project of backups."""
    found = lab.lxd.get(
        "storage-pools", second, "volumes", "custom", project=project or scope(lab).backup_project, recursion=1
    )
    return {one["name"] for one in found}


def used(lab: Classroom, second: str) -> int:
    os.sync()
    return int(lab.lxd.get("storage-pools", second, "resources")["space"]["used"])


def snapshots(lab: Classroom, volume: str) -> list[str]:
    path = ("storage-pools", lab.pool, "volumes", "custom", volume, "snapshots")
    return [tail(one) for one in lab.lxd.get(*path, project=lab.project("prod"))]


def test_only_what_changed_is_sent_and_the_newest_stay(lab: Classroom, second: str) -> None:
    lab.read("prod", "s001-desk", "head -c 16000000 /dev/urandom > /home/student/film")
    empty = used(lab, second)
    take(lab, NOW)
    whole = used(lab, second) - empty
    lab.read("prod", "s001-desk", "echo more > /home/student/notes")
    take(lab, NOW + DAY)
    more = used(lab, second) - empty - whole
    assert (whole > 16 * MIB, more < 4 * MIB) == (True, True), (whole, more)
    # Two more nights: the newest two stay, and nothing of the others.
    taken = [take(lab, NOW + number * DAY)["taken"] for number in (2, 3)]
    assert [one["taken"] for one in backups(lab.workspace, "prod", lab.lab)] == taken
    volumes = [f"{seat}-home" for seat in ("prof", "s001", "s002")]
    # A copy has the snapshot that its volume has, and the one before it, which the difference was sent to.
    mirrors = {*volumes, *(f"{name}/backup-{at}" for name in volumes for at in taken)}
    assert copies(lab, second) == mirrors | {f"{name}-{at}" for name in (*volumes, "manifest") for at in taken}
    assert snapshots(lab, "s001-home") == [f"backup-{taken[-1]}"]
    # The definitions hold as before, and no verb that removes things sees backups.
    assert lab.provision("prod").plan.actions == ()
    ours = {thing.place.split("/")[0] for thing in inventory(lab.lxd, lab.installation)}
    assert ours & {scope(lab).backup_project, scope(lab).checkpoints.backup_project} == set()


def test_volumes_come_back_as_they_were(lab: Classroom, second: str) -> None:
    lab.read("prod", "s001-desk", MAKE)
    before = lab.read("prod", "s001-desk", LOOK)
    manifest = take(lab, NOW + 10 * DAY)
    lab.read("prod", "s001-desk", "rm -rf /home/student/* && echo lost > /home/student/lost")
    wanted = choose(lab.workspace, "prod", lab.lab, manifest["taken"], ["s001-home"])
    (beside,) = restore_beside(lab.workspace, wanted)
    (done,) = restore_in_place(lab.workspace, wanted, NOW + 10 * DAY)
    assert lab.read("prod", "s001-desk", LOOK) == before
    assert lab.provision("prod").plan.actions == ()
    assert lab.smoke("prod", "s001") == {"s001": []}
    # What comes next begins anew with the volume that came back, and older backups stay.
    later = take(lab, NOW + 11 * DAY)
    assert [one["taken"] for one in backups(lab.workspace, "prod")] == [manifest["taken"], later["taken"]]
    assert lab.smoke("prod", "s001") == {"s001": []}
    for name in (beside.name, done.aside):
        lab.lxd.delete("storage-pools", lab.pool, "volumes", "custom", name, project=lab.project("prod"))


def test_a_lost_checkpoint_comes_back(lab: Classroom, second: str) -> None:
    manifest = take(lab, NOW + 20 * DAY)
    images = [one["name"] for one in manifest["checkpoint"] if one["kind"] == "image"]
    before = {name: lab.lxd.get("images", name)["properties"] for name in images}
    for entry in manifest["checkpoint"]:
        if entry["kind"] == "image":
            lab.lxd.delete("images", entry["name"])
        else:
            lab.lxd.delete("storage-pools", entry["pool"], "volumes", "custom", entry["name"], project=entry["project"])
    assert [restore_checkpoint(lab.workspace, choose(lab.workspace, "prod", lab.lab)) for _ in range(2)] == [4, 0]
    assert {name: lab.lxd.get("images", name)["properties"] for name in images} == before
    for kind, name in (("instances", "s002-desk"), ("storage-pools", "s002-home")):
        path = (kind, name) if kind == "instances" else (kind, lab.pool, "volumes", "custom", name)
        if kind == "instances":
            lab.set_state("prod", name, "stop")
        lab.lxd.delete(*path, project=lab.project("prod"))
    lab.provision("prod")
    assert lab.smoke("prod", "s002") == {"s002": []}


def test_a_killed_backup_is_none_and_the_next_one_goes_on(lab: Classroom, second: str) -> None:
    take(lab, NOW + 30 * DAY)
    there = copies(lab, second)
    signs: list[Callable[[], object]] = [
        lambda: len(snapshots(lab, "prof-home")) > 1,
        lambda: any(name.startswith("s002-home-") for name in copies(lab, second) - there),
    ]
    codes = [killed(lab, sign) for sign in signs]
    assert -9 in codes
    newest = take(lab, NOW + 31 * DAY)["taken"]
    found = {one["taken"] for one in backups(lab.workspace, "prod")}
    assert (len(found), newest in found) == (2, True)
    assert {name.rsplit("-", 1)[1] for name in copies(lab, second) if name.count("-") > 1 and "/" not in name} == found
    assert snapshots(lab, "s001-home") == [f"backup-{newest}"]


def killed(lab: Classroom, sign: Callable[[], object]) -> int:
    """Begin a backup, kill it when the sign is seen, and return how it ended."""
    process = lab.command("backup", "--env", "prod")
    while not sign() and process.poll() is None:
        pass
    process.kill()
    process.communicate()
    return process.returncode


def test_bad_requests_change_nothing(lab: Classroom, second: str) -> None:
    manifest = take(lab, NOW + 40 * DAY)
    there = copies(lab, second)
    platform = load_deployment(lab.workspace, lab.lab, "prod").platform
    with store_of(lab.lxd, platform).writing(load_deployment(lab.workspace, lab.lab, "prod"), "x"):
        (locked,) = backup(lab.workspace, "prod", [lab.lab], NOW + 41 * DAY)
    assert isinstance(locked.error, TryAgainError)
    project, name = manifest["volumes"][0]["copy"].split("/")
    lab.lxd.delete("storage-pools", second, "volumes", "custom", name, project=project)
    with pytest.raises(InputError, match="has gone from the pool"):
        restore_in_place(lab.workspace, choose(lab.workspace, "prod", lab.lab), NOW)
    assert copies(lab, second) == there - {name}
    name_pool(lab, "no-such-pool")
    with pytest.raises(UnavailableError, match="LXD has no pool 'no-such-pool' for backups; nothing was done"):
        backup(lab.workspace, "prod", [], NOW)
