"""The command line on real machines: what it prints, and the codes it ends with."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from classroom import Classroom

pytestmark = pytest.mark.lxd


def test_shell_gives_the_output_and_the_exit_code_of_a_command(classroom: Classroom) -> None:
    asked = classroom.say("shell", classroom.lab, "s001", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (asked.returncode, asked.stdout, asked.stderr) == (7, "out\n", "err\n")
    asked = classroom.say("shell", classroom.lab, "prof", "desk", "--user", "student", "--", "id", "-un")
    assert (asked.returncode, asked.stdout) == (0, "student\n")
    quoted = "a  b 'c' $HOME"
    asked = classroom.say("shell", classroom.lab, "s002", "desk", "--user", "student", "--", "echo", quoted)
    assert asked.stdout == f"{quoted}\n"


def test_shell_names_the_seats_and_machines_that_there_are(classroom: Classroom) -> None:
    asked = classroom.say("shell", classroom.lab, "s009", "web", "--", "true")
    assert (asked.returncode, "s001, s002" in asked.stderr) == (2, True)
    asked = classroom.say("shell", classroom.lab, "s001", "webb", "--", "true")
    assert (asked.returncode, "web, desk" in asked.stderr) == (2, True)


def test_status_shows_every_machine_with_its_address_and_state(classroom: Classroom) -> None:
    classroom.set_state("prod", "s002-desk", "stop")
    asked = classroom.say("status", classroom.lab, "--env", "prod")
    classroom.provision("prod")
    assert asked.returncode == 0
    for seat in ("prof", "s001", "s002"):
        for machine in ("web", "desk"):
            assert classroom.address("prod", seat, machine) in asked.stdout
    assert [line.split()[0] for line in asked.stdout.splitlines() if "stopped" in line] == ["s002"]
    assert f"{classroom.address('prod', 's002', 'desk')} stopped" in asked.stdout


def test_smoke_ends_with_1_and_names_what_failed_in_its_report(classroom: Classroom, tmp_path: Path) -> None:
    classroom.read("prod", "s001-desk", "mv /home/student/task.md /home/student/gone.md")
    try:
        report = tmp_path / "smoke.xml"
        asked = classroom.say("smoke", classroom.lab, "--env", "prod", "--seat", "s002", "--junit", str(report))
        assert asked.returncode == 0
        assert failures(report) == {"s002": []}
        asked = classroom.say("smoke", classroom.lab, "--env", "prod", "--junit", str(report))
        assert (asked.returncode, "task is there" in asked.stderr) == (1, True)
        assert failures(report) == {"prof": [], "s001": ["task is there"], "s002": []}
    finally:
        classroom.read("prod", "s001-desk", "mv /home/student/gone.md /home/student/task.md")


def failures(report: Path) -> dict[str, list[str]]:
    suites = ElementTree.parse(report).getroot()
    return {
        str(suite.get("name")): [str(case.get("name")) for case in suite if case.find("failure") is not None]
        for suite in suites
    }
