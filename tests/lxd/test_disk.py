"""What uses the pool is told honestly, what may go goes, and what is needed or somebody's own stays."""

import json

import pytest
from classroom import LONE, Classroom
from lxd_fixtures import OpenClassroom

from practicum.errors import UnavailableError
from practicum.lxd.lock import lease
from practicum.stages.disk import disk, free, freeable
from practicum.stages.guards import require_pool_space
from practicum.stages.provision import load_deployment

pytestmark = [pytest.mark.lxd, pytest.mark.alone]

SPEC = {**LONE, "volumes": {"home": {"size": "32MiB", "mount": "/home/student", "machines": ["web"]}}}


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    """A delivered lab with a second checkpoint that nobody promoted, and a third that took its place in dev."""
    classroom = open_shared(SPEC)
    classroom.pipeline()
    for number in (2, 3):
        classroom.read("dev", "prof-web", f"echo {number} > /etc/number")
        classroom.checkpoint()
    return classroom


def images(classroom: Classroom) -> dict[str, list[str]]:
    """Return the images of checkpoints by number: of the machine, and the list of its files."""
    found: dict[str, list[str]] = {}
    for key, one in sorted(classroom.documents().items()):
        if key.startswith("image ") and (number := one["properties"].get("practicum.checkpoint")):
            found.setdefault(number, []).append(one["fingerprint"])
    return found


def test_everything_of_ours_is_counted_by_kind_and_lab(lab: Classroom) -> None:
    found = disk(lab.workspace)
    numbers = {kind: sum(use.kind == kind for use in found.uses) for kind in {use.kind for use in found.uses}}
    things = [key.split()[0] for key in lab.documents()]
    instances = numbers["systems"] + numbers["golden machines"]
    assert instances == things.count("instance")
    assert numbers["volumes"] == 4
    assert numbers["checkpoints"] == 9
    assert numbers["images"] == 2
    assert numbers["snapshots"] == numbers["golden machines"] == 1
    assert all(use.most for use in found.uses if use.kind == "volumes")
    (pool,) = found.pools
    space = lab.lxd.get("storage-pools", lab.pool, "resources")["space"]
    assert (pool.name, pool.total, pool.free) == (lab.pool, space["total"], pool.total - pool.used)
    assert 0 <= found.unattributed(pool.name) <= pool.used
    assert {use.environment for use in disk(lab.workspace, "dev").uses} == {"dev", "-"}


def test_the_command_prints_tables_and_json(lab: Classroom) -> None:
    said = lab.say("disk")
    assert said.returncode == 0
    assert "golden machines" in said.stdout
    assert "reserve" in said.stdout
    document = json.loads(lab.say("--json", "disk", "--env", "prod").stdout)
    assert document["pools"][0]["reserve"] == 5 * 2**30
    assert {use["lab"] for use in document["uses"]} == {lab.lab, "-/-"}


def test_a_pool_below_its_reserve_takes_nothing_new(lab: Classroom) -> None:
    path = "environments/prod/platform.yaml"
    platform = lab.repository.sources("HEAD").read(path)
    try:
        lab.repository.commit({path: platform + b"capacity: {reserve: 900TiB}\n"}, "A large reserve")
        deployment = load_deployment(lab.workspace, lab.lab, "prod")
        with pytest.raises(UnavailableError, match="less than the reserve of 900TiB"):
            require_pool_space(lab.lxd, deployment)
        said = lab.say("status", lab.lab, "--env", "prod")
        assert (said.returncode, "below the reserve, so nothing new is made" in said.stderr) == (0, True)
        assert lab.provision("prod").plan.actions == ()
        assert [event for event in lab.events if event.state == "warning" and "below the reserve" in event.detail]
    finally:
        lab.repository.commit({path: platform}, "The reserve of before")
        lab.repository.publish()


def test_what_no_release_pins_goes_and_all_else_stays(lab: Classroom) -> None:
    pinned = images(lab)
    assert sorted(pinned) == ["1", "2", "3"]
    foreign = {"name": "somebody", "type": "custom", "config": {}}
    lab.lxd.post("storage-pools", lab.pool, "volumes", "custom", body=foreign)
    try:
        before = lab.documents().keys()
        listed = freeable(lab.workspace)
        told = sorted((thing.kind, thing.name.split("-")[0]) for thing in listed)
        both = [("image", one) for one in pinned["2"]]
        assert len(both) == 2
        assert told == [*both, ("instance", "web"), ("profile", "web"), ("volume", "c2")]

        with lease(lab.lxd, lab.project("prod")):
            assert free(lab.workspace, listed) == []
        assert lab.documents().keys() == before
        refused = lab.say("disk", "--free")
        assert (refused.returncode, "nobody can be asked here" in refused.stderr) == (2, True)

        said = lab.say("disk", "--free", "--yes")
        assert (said.returncode, said.stderr) == (0, "5 objects removed\n")
        gone = {key.split()[0] for key in before - lab.documents().keys()}
        assert gone == {"image", "instance", "profile", "volume"}
        assert sorted(images(lab)) == ["1", "3"]
        assert lab.say("disk", "--free").stderr == "nothing may go\n"
        assert lab.lxd.find("storage-pools", lab.pool, "volumes", "custom", "somebody") is not None
    finally:
        lab.lxd.delete("storage-pools", lab.pool, "volumes", "custom", "somebody")

    # What went is made again when it is needed.
    lab.set_state("prod", "s002-web", "stop")
    lab.lxd.delete("instances", "s002-web", project=lab.project("prod"))
    lab.provision("prod")
    assert lab.smoke("prod") == {"prof": [], "s001": [], "s002": []}


def test_an_old_image_and_a_copy_that_a_killed_run_left_go(lab: Classroom) -> None:
    old = next(
        one
        for key, one in lab.documents().items()
        if key.startswith("image ") and "practicum.recipe" in one["properties"]
    )
    release = lab.repository.sources("HEAD").read(f"environments/dev/{lab.lab}/release.json")
    project = json.loads(release)["volume_project"]
    properties = {**old["properties"], "practicum.recipe": "of-last-year"}
    lab.lxd.patch("images", old["fingerprint"], body={"properties": properties})
    root = {"root": {"type": "disk", "path": "/", "pool": lab.pool}}
    body = {"name": "c9-web", "profiles": [], "devices": root, "source": {"type": "none"}}
    lab.lxd.post("instances", body=body, project=project)
    try:
        listed = freeable(lab.workspace)
        assert {(thing.kind, thing.name) for thing in listed} >= {("image", old["fingerprint"]), ("instance", "c9-web")}
        assert "builders" in {use.kind for use in disk(lab.workspace).uses}
        free(lab.workspace, [thing for thing in listed if thing.name == "c9-web"])
        assert lab.lxd.find("instances", "c9-web", project=project) is None
    finally:
        lab.lxd.patch("images", old["fingerprint"], body={"properties": old["properties"]})
        lab.lxd.delete("instances", "c9-web", project=project)
