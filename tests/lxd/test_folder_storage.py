"""Volumes in a folder of the host, as on a mounted NFS export: seeded, kept, written out, brought back, removed."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from classroom import SPEC, Classroom
from lxd_fixtures import OpenClassroom

from practicum.errors import PracticumError, UnavailableError
from practicum.stages.destroy import destroy
from practicum.stages.export import export
from practicum.stages.imports import import_work, verified
from practicum.stages.provision import plan_only

pytestmark = pytest.mark.lxd

HOME = {"size": "32MiB", "mount": "/home/student", "machines": ["desk"], "storage": "nfs"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain folder, which stands in for a mount; machines must be able to reach what is in it."""
    folder = tmp_path_factory.mktemp("mount")
    for one in (folder, *folder.parents):
        one.chmod(one.stat().st_mode | 0o011)
    return folder


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom, root: Path) -> Classroom:
    classroom = open_shared({**SPEC, "students": 1, "volumes": {"home": HOME}})
    changes = {}
    for environment in ("dev", "prod"):
        path = f"environments/{environment}/platform.yaml"
        platform = yaml.safe_load(classroom.repository.sources("HEAD").read(path))
        platform["storage"] = {"local": classroom.pool, "nfs": {"host_path": str(root)}}
        changes[path] = yaml.safe_dump(platform).encode()
    classroom.repository.commit(changes, "A folder for volumes")
    classroom.repository.publish()
    return classroom


def volume(lab: Classroom, root: Path, environment: str, name: str) -> Path:
    return root / lab.installation / environment / lab.lab / name


def test_the_life_of_volumes_in_a_folder(lab: Classroom, root: Path, tmp_path: Path) -> None:
    aside = root.rename(root.with_name("not-mounted"))
    with pytest.raises(UnavailableError, match="is not on this host; nothing was done"):
        lab.pipeline()
    aside.rename(root)

    lab.pipeline()
    assert lab.committed("prod", "shared")["needs"] == []
    prof, student = volume(lab, root, "dev", "prof-home"), volume(lab, root, "prod", "s001-home")
    checkpoint = volume(lab, root, "-", "c1-home")
    assert {prof, student, checkpoint} <= {file.parent for file in root.rglob("volume.json")}
    # Seeded from the image, then from the checkpoint; owners are the machines' own.
    for instance, environment in (("prof-desk", "dev"), ("s001-desk", "prod")):
        assert lab.read(environment, instance, "stat -c '%U %a' /home/student") == "student 755"
        assert "firewall" in lab.read(environment, instance, "cat /home/student/task.md")
    assert plan_only(lab.workspace, lab.lab, "prod").actions == ()

    lab.read(
        "prod", "s001-desk", "cd /home/student && echo mine > thesis && chown 1000:1000 thesis && ln -s thesis link"
    )
    os.setxattr(student / "work/thesis", "user.course", b"net101")
    look = "cd /home/student && stat -c '%n %f %u %g %s %Y' thesis link && cat thesis"
    before = lab.read("prod", "s001-desk", look)
    assert "thesis 81a4 1000 1000 5" in before

    done = export(lab.workspace, lab.lab, "prod", tmp_path, datetime.now(UTC))
    assert done.failed == [], [(one.error, one.error and one.error.details) for one in done.failed]
    lab.read("prod", "s001-desk", "rm /home/student/thesis && echo later > /home/student/later")
    (back,) = import_work(lab.workspace, lab.lab, "prod", verified(lab.lab, tmp_path))
    assert back.error is None, (back.error, back.error and back.error.details)
    assert lab.read("prod", "s001-desk", look) == before
    assert os.getxattr(student / "work/thesis", "user.course") == b"net101"
    assert (volume(lab, root, "prod", "prev-s001-home") / "work/later").read_text() == "later\n"

    # A new system, the same work.
    lab.set_state("prod", "s001-desk", "stop")
    lab.lxd.delete("instances", "s001-desk", project=lab.project("prod"))
    lab.provision("prod")
    assert lab.read("prod", "s001-desk", look) == before

    with pytest.raises(PracticumError, match="the work of students in net101/small is not exported"):
        destroy(lab.workspace, lab.lab, ["prod"])
    said = lab.say(
        "destroy", lab.lab, "--env", "all", "--without-export", "--report", str(tmp_path / "r.json"), "--yes"
    )
    assert said.returncode == 0, said.stderr
    assert list(root.iterdir()) == []
    report = json.loads((tmp_path / "r.json").read_text())
    assert ["volume", f"{lab.project('prod')}/{root}", "s001-home"] in [one[:3] for one in report["removed"]]
    assert lab.documents() == {}
