"""What an operator decides stays decided: stopped labs stay stopped, and an exam has no internet."""

from typing import Any

import pytest
from classroom import Classroom

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
        assert classroom.say("deliver", lab).returncode == 0
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


def test_an_exam_closes_the_internet(classroom: Classroom) -> None:
    acl = classroom.committed("prod", "shared")["acls"][0]["name"]
    before = rules(classroom, acl)
    assert before["egress"]
    path = f"environments/prod/{classroom.lab}/operation.yaml"
    try:
        classroom.repository.commit({path: b"internet: none\n"}, "Exam")
        classroom.provision("prod")
        assert rules(classroom, acl) == {**before, "egress": []}
        assert classroom.provision("prod").plan.actions == ()
    finally:
        classroom.repository.commit({path: b"internet: spec\n"}, "The exam is over")
        classroom.repository.publish()
    classroom.provision("prod")
    assert rules(classroom, acl) == before


def rules(classroom: Classroom, acl: str) -> dict[str, Any]:
    found = classroom.lxd.get("network-acls", acl)
    return {"egress": found["egress"], "ingress": found["ingress"]}
