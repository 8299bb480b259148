"""What is broken by hand is repaired by the next run, and nothing else is touched."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from classroom import Classroom

from practicum.lxd.plan import READY

pytestmark = pytest.mark.lxd

Document = dict[str, Any]


def without(found: Mapping[str, Document], names: Iterable[str]) -> dict[str, Document]:
    """Return the documents of everything but these machines."""
    return {key: thing for key, thing in found.items() if key.split()[0] != "instance" or thing["name"] not in names}


def verbs(done: Any) -> set[tuple[str, str]]:
    return {(action.verb, action.name) for action in done.plan.actions}


def mark(classroom: Classroom, environment: str, name: str, **config: str) -> None:
    changes = {key.replace("_", "."): value for key, value in config.items()}
    classroom.lxd.patch("instances", name, body={"config": changes}, project=classroom.project(environment))


def test_a_stopped_and_a_deleted_machine_come_back_and_no_other_is_touched(classroom: Classroom) -> None:
    classroom.read("prod", "s002-desk", "echo mine > /home/student/work; chown 1000:1000 /home/student/work")
    classroom.read("prod", "s001-web", "echo mine > /root/work")
    before = classroom.documents()
    classroom.set_state("prod", "s001-web", "stop")
    classroom.set_state("prod", "s002-desk", "stop")
    classroom.lxd.delete("instances", "s002-desk", project=classroom.project("prod"))
    done = classroom.provision("prod")
    assert verbs(done) == {
        ("start", "s001-web"),
        ("create", "s002-desk"),
        ("start", "s002-desk"),
        ("complete", "s002-desk"),
    }
    after = classroom.documents()
    assert without(after, ["s001-web", "s002-desk"]) == without(before, ["s001-web", "s002-desk"])
    assert classroom.read("prod", "s001-web", "cat /root/work") == "mine"
    assert classroom.read("prod", "s002-desk", "cd /home/student; cat work; stat -c %u:%g work .") == (
        "mine\n1000:1000\n1000:1000"
    )
    assert classroom.smoke("prod", "s001", "s002") == {"s001": [], "s002": []}


def test_a_deleted_acl_comes_back(classroom: Classroom) -> None:
    before = classroom.documents()
    bridges, acl = [classroom.bridge("prod", "s001", number) for number in (0, 1)], classroom.acl("prod", "s001")
    for bridge in bridges:
        classroom.lxd.patch("networks", bridge, body={"config": {"security.acls": ""}})
    classroom.lxd.delete("network-acls", acl, missing_ok=False)
    assert verbs(classroom.provision("prod")) == {("create", acl), *(("update", bridge) for bridge in bridges)}
    assert classroom.documents() == before


def test_changed_rules_of_an_acl_are_put_right(classroom: Classroom) -> None:
    before = classroom.documents()
    acl = classroom.acl("prod", "s002")
    config = before[f"acl {acl}"]["config"]
    everywhere = {"egress": [{"action": "allow", "state": "enabled"}], "ingress": []}
    classroom.lxd.put("network-acls", acl, body={**everywhere, "config": config})
    assert verbs(classroom.provision("prod")) == {("update", acl)}
    assert classroom.documents() == before


def test_limits_changed_by_hand_are_put_right(classroom: Classroom) -> None:
    project, before = classroom.project("prod"), classroom.documents()
    profile = before[f"profile {project} web"]
    more = {"config": {**profile["config"], "limits.memory": "4GiB", "limits.cpu": "2"}, "devices": profile["devices"]}
    classroom.lxd.put("profiles", "web", body={**more, "description": profile["description"]}, project=project)
    assert verbs(classroom.provision("prod")) == {("update", "web")}
    assert classroom.documents() == before


def test_limits_and_rights_that_one_machine_was_given_by_hand_are_taken_back(classroom: Classroom) -> None:
    before = classroom.documents()
    mark(classroom, "prod", "s001-web", limits_memory="4GiB", security_nesting="true")
    assert verbs(classroom.provision("prod")) == {("update", "s001-web")}
    after = classroom.documents()
    assert without(after, ["s001-web"]) == without(before, ["s001-web"])
    key = f"instance {classroom.project('prod')} s001-web"
    assert after[key]["expanded_config"] == before[key]["expanded_config"]


def test_a_door_that_was_opened_by_hand_is_shut(classroom: Classroom) -> None:
    before = classroom.documents()
    bridge = classroom.bridge("prod", "s001")
    door = {"security.acls.default.egress.action": "allow"}
    classroom.lxd.patch("networks", bridge, body={"config": door})
    assert verbs(classroom.provision("prod")) == {("update", bridge)}
    assert classroom.documents() == before


def test_an_incomplete_student_machine_is_made_again(classroom: Classroom) -> None:
    classroom.read("prod", "s001-desk", "echo half > /root/half; echo mine > /home/student/work")
    before = classroom.documents()
    mark(classroom, "prod", "s001-desk", **{READY: ""})
    done = classroom.provision("prod")
    assert ("delete", "s001-desk") in verbs(done)
    after = classroom.documents()
    assert without(after, ["s001-desk"]) == without(before, ["s001-desk"])
    key = f"instance {classroom.project('prod')} s001-desk"
    assert after[key]["config"]["volatile.uuid"] != before[key]["config"]["volatile.uuid"]
    assert after[key]["config"][READY] == before[key]["config"][READY]
    assert classroom.read("prod", "s001-desk", "cat /home/student/work; ls /root") == "mine"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_incomplete_machine_of_the_professor_is_resumed(classroom: Classroom, environment: str) -> None:
    classroom.read(environment, "prof-web", "echo by hand > /root/tuned; rm /etc/me.txt")
    before = classroom.documents()
    mark(classroom, environment, "prof-web", **{READY: "", "user.practicum.steps": ""})
    assert verbs(classroom.provision(environment)) == {("complete", "prof-web")}
    after = classroom.documents()
    key = f"instance {classroom.project(environment)} prof-web"
    assert after[key]["config"] == before[key]["config"]
    assert after[key]["last_used_at"] == before[key]["last_used_at"]
    assert classroom.read(environment, "prof-web", "cat /root/tuned; cut -d' ' -f1 /etc/me.txt") == "by hand\nprof"
    classroom.read(environment, "prof-web", "rm /root/tuned")
