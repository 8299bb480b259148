"""The real images: the demo lab of this repository from spec to class, and the one-line start. The slow tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from classroom import Classroom, sweep
from lxd_fixtures import OpenClassroom

from practicum.git.repository import Repository
from practicum.lxd.client import Lxd
from practicum.stages.orphans import orphans

pytestmark = [pytest.mark.lxd, pytest.mark.alone, pytest.mark.timeout(900)]

LABS = Path(__file__).parents[2] / "labs"
STUDENTS = ("s001", "s002", "s003", "s004", "s005", "s006")


def test_the_demo_lab_from_spec_to_class(nothing_left: Callable[[], set[str]], open_classroom: OpenClassroom) -> None:
    classroom = open_classroom(real=True)
    classroom.lab = "net101/firewalls"
    folder = classroom.repository.root / "labs/net101"
    shutil.rmtree(folder)
    shutil.copytree(LABS / "net101", folder)
    asked = classroom.say("pipeline", classroom.lab)
    assert asked.returncode == 0, asked.stderr
    for seat in ("prof", *STUDENTS):
        page = classroom.read("prod", "probe", f"curl -sf http://{classroom.address('prod', seat, 'web')}/")
        assert seat in page
        assert not any(other in page for other in STUDENTS if other != seat)
        assert classroom.read("prod", f"{seat}-desk", "stat -c %U /home/student/starter.nft") == "student"
    for path in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        assert len({classroom.read("prod", f"{seat}-web", f"cat {path}") for seat in STUDENTS}) == len(STUDENTS)

    before = classroom.documents()
    asked = classroom.say("pipeline", classroom.lab)
    assert (asked.returncode, "nothing had to change" in asked.stderr) == (0, True)
    assert classroom.documents() == before

    asked = classroom.say("destroy", classroom.lab, "--env", "all", "--without-export", "--yes")
    assert asked.returncode == 0, asked.stderr
    assert orphans(classroom.workspace) == []
    assert nothing_left() == set()


def test_one_line_makes_a_machine_in_an_empty_folder(
    lxd: Lxd, pool: str, nothing_left: Callable[[], set[str]], tmp_path: Path
) -> None:
    if pool != "practicum":
        pytest.skip("'practicum create' in an empty folder uses the pool that setup makes")
    repository = tmp_path / "practicum-labs"
    maker = Classroom(lxd, Repository(tmp_path), "", pool, "scratch/machines")
    try:
        asked = maker.say("create", "webserver", "--memory", "128MiB")
        assert asked.returncode == 0, asked.stderr
        classroom = Classroom(lxd, Repository.open(repository), "", pool, "scratch/machines")
        address = classroom.address("dev", "prof", "webserver")
        assert f"webserver is running at {address}" in asked.stdout
        inside = classroom.say(
            "shell", classroom.lab, "prof", "webserver", "--", "sh", "-c", "curl -sf localhost; free -m"
        )
        assert inside.returncode == 0
        assert "nginx" in inside.stdout
        assert classroom.instances("dev")["prof-webserver"]["expanded_config"]["limits.memory"] == "128MiB"
        second = maker.say("create", "webserver", "--memory", "lots")
        assert (second.returncode, "'lots' is not a size" in second.stderr) == (2, True)
        asked = classroom.say("destroy", classroom.lab, "--env", "all", "--without-export", "--yes")
        assert asked.returncode == 0, asked.stderr
        assert nothing_left() == set()
    finally:
        platform = repository / "environments/dev/platform.yaml"
        if platform.exists():
            sweep(lxd, yaml.safe_load(platform.read_text())["installation"] + "/")
