"""What students made comes back as it was: bytes, owners, modes, links, attributes; and a killed backup is none."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from classroom import SPEC, Classroom, until
from lxd_fixtures import OpenClassroom, missing
from student_work import LOOK, MAKE

from practicum.errors import InputError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.volume_backups import digest_of, packed, restore_volume, write
from practicum.lxd.volumes import Place
from practicum.stages.backup import ASIDE, backup
from practicum.stages.backup_folder import PARTIAL, FolderStore
from practicum.stages.deployment import load_deployment
from practicum.stages.restore import choose, restore_beside, restore_checkpoint, restore_in_place

pytestmark = pytest.mark.lxd

NOW = datetime(2030, 9, 14, 2, 0, tzinfo=UTC)
FIRST = "20300914t020000z"


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """A delivered lab whose platform file names a folder for backups, two of which are kept."""
    classroom = open_shared({**SPEC, "students": 2})
    path = "environments/prod/platform.yaml"
    platform = yaml.safe_load(classroom.repository.sources("HEAD").read(path))
    platform["backup"] = {"target": str(tmp_path_factory.mktemp("disk")), "keep": 2}
    classroom.repository.commit({path: yaml.safe_dump(platform).encode()}, "A second disk")
    classroom.repository.publish()
    classroom.pipeline()
    return classroom


@pytest.fixture(autouse=True)
def empty_disk(lab: Classroom) -> None:
    shutil.rmtree(root(lab), ignore_errors=True)


def root(lab: Classroom) -> Path:
    platform = yaml.safe_load(lab.repository.sources("HEAD").read("environments/prod/platform.yaml"))
    return Path(platform["backup"]["target"]) / lab.installation


def take(lab: Classroom, when: datetime = NOW) -> dict:
    (done,) = backup(lab.workspace, "prod", [], when)
    assert done.error is None, (done.error, done.error and done.error.details)
    return dict(done.manifest or {})


def look(lab: Classroom, instance: str = "s001-desk") -> str:
    return lab.read("prod", instance, LOOK)


def volumes(lab: Classroom) -> dict[str, dict]:
    project = lab.project("prod")
    found = lab.lxd.get("storage-pools", lab.pool, "volumes", "custom", project=project, recursion=1)
    return {one["name"]: one for one in found}


def test_volumes_come_back_in_place_as_they_were(lab: Classroom) -> None:
    lab.read("prod", "s001-desk", MAKE)
    before, other = look(lab), look(lab, "s002-desk")
    assert before.count("thesis/hard") == 2
    manifest = take(lab)
    assert [entry["name"] for entry in manifest["volumes"]] == ["prof-home", "s001-home", "s002-home"]
    lab.read("prod", "s001-desk", "rm -rf /home/student/* && echo lost > /home/student/lost")
    lab.read("prod", "s002-desk", "echo later > /home/student/later")
    later = look(lab, "s002-desk")

    wanted = choose(lab.workspace, "prod", lab.lab, "", ["s001-home"])
    (done,) = restore_in_place(lab.workspace, wanted, NOW + timedelta(hours=6))
    assert look(lab) == before
    assert look(lab, "s002-desk") == later != other
    assert done.aside == "s001-home-before-20300914t080000z"
    found = volumes(lab)
    assert found[done.aside]["config"][ASIDE] == "true"
    assert found["s001-home"]["config"].keys() == found["s002-home"]["config"].keys()
    assert lab.provision("prod").plan.actions == ()
    assert lab.smoke("prod") == {"prof": [], "s001": [], "s002": []}
    # What was put aside is nobody's work: it is not copied again, and it goes with the lab.
    assert [entry["name"] for entry in take(lab, NOW + timedelta(days=1))["volumes"]] == sorted(
        {"prof-home", "s001-home", "s002-home"}
    )
    lab.lxd.delete("storage-pools", lab.pool, "volumes", "custom", done.aside, project=lab.project("prod"))


def test_volumes_come_back_beside_for_looking(lab: Classroom) -> None:
    lab.read("prod", "s001-desk", "echo kept > /home/student/kept")
    take(lab)
    before = look(lab)
    for _ in range(2):
        (done,) = restore_beside(lab.workspace, choose(lab.workspace, "prod", lab.lab, FIRST, ["s001-home"]))
    assert (done.name, look(lab)) == (f"s001-home-{FIRST}", before)
    path = Path("/var/lib/lxd/storage-pools") / lab.pool / "custom" / f"{lab.project('prod')}_{done.name}"
    if os.geteuid() == 0 and path.exists():
        assert (path / "kept").read_text() == "kept\n"
    assert lab.provision("prod").plan.actions == ()
    lab.lxd.delete("storage-pools", lab.pool, "volumes", "custom", done.name, project=lab.project("prod"))


def test_what_has_not_changed_is_one_file_and_old_backups_go(lab: Classroom) -> None:
    taken = []
    for day in range(3):
        second = int(time.time())
        taken.append(take(lab, NOW + timedelta(days=day)))
        # A header with the time of the backup would differ from now on.
        until(lambda before=second: int(time.time()) > before + 1, "the next second")
    folder = FolderStore(lab.lxd, root(lab), 2).lab("prod", lab.lab)
    assert sorted(path.name for path in folder.iterdir()) == [one["taken"] for one in taken[1:]]
    unchanged = [root(lab) / one["volumes"][2]["file"] for one in taken[1:]]
    assert unchanged[0].samefile(unchanged[1])
    lab.read("prod", "s002-desk", "date > /home/student/today")
    changed = take(lab, NOW + timedelta(days=3))["volumes"][2]
    assert not unchanged[1].samefile(root(lab) / changed["file"])
    assert digest_of(root(lab) / changed["file"]) == changed["sha256"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in root(lab).rglob("*.tar"))


def test_a_lost_checkpoint_comes_back(lab: Classroom) -> None:
    manifest = take(lab)
    kinds = [entry["kind"] for entry in manifest["checkpoint"]]
    assert kinds == ["image", "image", "image", "volume"]
    before = {key: one for key, one in lab.documents().items() if "-checkpoints-" in key or key.startswith("image ")}
    for entry in manifest["checkpoint"]:
        if entry["kind"] == "image":
            lab.lxd.delete("images", entry["name"])
        else:
            lab.lxd.delete("storage-pools", entry["pool"], "volumes", "custom", entry["name"], project=entry["project"])
    assert restore_checkpoint(lab.workspace, choose(lab.workspace, "prod", lab.lab)) == 4
    assert restore_checkpoint(lab.workspace, choose(lab.workspace, "prod", lab.lab)) == 0
    after = {key: one for key, one in lab.documents().items() if "-checkpoints-" in key or key.startswith("image ")}
    assert after.keys() == before.keys()
    assert all(after[key].get("properties") == one.get("properties") for key, one in before.items())
    # A new student is made of what came back.
    lab.set_state("prod", "s002-desk", "stop")
    lab.lxd.delete("instances", "s002-desk", project=lab.project("prod"))
    lab.lxd.delete("storage-pools", lab.pool, "volumes", "custom", "s002-home", project=lab.project("prod"))
    lab.provision("prod")
    assert lab.smoke("prod", "s002") == {"s002": []}


def test_a_killed_backup_is_none_and_the_next_one_is_whole(lab: Classroom) -> None:
    folder = FolderStore(lab.lxd, root(lab), 2).lab("prod", lab.lab)
    process = lab.command("backup", "--env", "prod")
    while not list(folder.glob(f"*{PARTIAL}/*.tar")):
        assert process.poll() is None, process.communicate()
    process.kill()
    process.wait()
    assert json.loads(lab.say("--json", "backup", "list").stdout) == []
    take(lab)
    assert sorted(path.name for path in folder.iterdir()) == [FIRST]
    (listed,) = json.loads(lab.say("--json", "backup", "list", lab.lab).stdout)
    assert listed["taken"] == FIRST


def test_bad_requests_change_nothing(lab: Classroom) -> None:
    manifest = take(lab)
    before = volumes(lab).keys()
    with pytest.raises(InputError, match="has no volume s009-home"):
        choose(lab.workspace, "prod", lab.lab, "", ["s009-home"])
    with pytest.raises(InputError, match="there is no backup of 2001"):
        choose(lab.workspace, "prod", lab.lab, "2001")
    with (root(lab) / manifest["volumes"][1]["file"]).open("r+b") as file:
        file.write(b"x")
    for again in (restore_beside, lambda *args: restore_in_place(*args, NOW)):
        with pytest.raises(InputError, match="is not what the backup wrote"):
            again(lab.workspace, choose(lab.workspace, "prod", lab.lab))
    refused = lab.say("backup", "restore", lab.lab, "--in-place")
    assert (refused.returncode, "nobody can be asked here" in refused.stderr) == (2, True)
    assert volumes(lab).keys() == before
    with FolderStore(lab.lxd, root(lab), 2).writing(load_deployment(lab.workspace, lab.lab, "prod"), FIRST):
        (locked,) = backup(lab.workspace, "prod", [lab.lab], NOW + timedelta(days=1))
        assert isinstance(locked.error, TryAgainError)
    shutil.move(root(lab).parent, root(lab).parent.with_name("unmounted"))
    try:
        with pytest.raises(UnavailableError, match="is not there; nothing was done"):
            backup(lab.workspace, "prod", [], NOW)
        assert not root(lab).parent.exists()
    finally:
        shutil.move(root(lab).parent.with_name("unmounted"), root(lab).parent)


@pytest.mark.root
def test_extended_attributes_and_formats(lxd: Lxd, pool: str, project: str, tmp_path: Path) -> None:
    place = Place(project, pool, "work")
    folder = Path("/var/lib/lxd/storage-pools") / pool / "custom"
    if not folder.is_dir():
        missing("lxd", f"{folder} is not there: LXD keeps its pools elsewhere")
    lxd.post(*place.parent, body={"name": place.name, "config": {"user.x": "y"}}, project=project)
    names = [place.name]
    try:
        own = folder / f"{project}_work"
        (own / "file").write_bytes(os.urandom(2_500_000))
        os.setxattr(own / "file", "user.note", b"hello")
        os.chown(own / "file", 101000, 101001)
        for optimised, compression in ((False, "none"), (False, "gzip"), (True, "none")):
            file = tmp_path / f"{optimised}-{compression}.tar"
            with packed(lxd, place, compression=compression, optimised=optimised) as chunks:
                written = write(file, chunks)
            assert (written.size, written.sha256) == (file.stat().st_size, digest_of(file))
            target = Place(project, pool, f"copy-{optimised}-{compression}".lower())
            restore_volume(lxd, file, target)
            names.append(target.name)
            copy = folder / f"{project}_{target.name}" / "file"
            assert copy.read_bytes() == (own / "file").read_bytes()
            assert (copy.stat().st_uid, copy.stat().st_gid) == (101000, 101001)
            assert os.getxattr(copy, "user.note") == b"hello"
            assert lxd.get(*target.path, project=project)["config"]["user.x"] == "y"
        assert lxd.get(*place.path, "backups", project=project) == []
    finally:
        for name in names:
            lxd.delete(*place.parent, name, project=project)
