"""Definitions with every reference resolved, and nothing opened because a value is missing."""

from dataclasses import replace

import pytest
from lxd_model import PINS, VALUES, documents, prefix, value, wanted

from practicum.lxd.desired import build


def rules(desired, name):
    acls = [*desired.acls, *(acl for seat in desired.seats for acl in seat.acls)]
    return next(acl for acl in acls if acl["name"] == prefix(desired) + name)["egress"]


def test_references_get_the_values_of_their_seat():
    one, two = wanted("prod", ["s001", "s002"]).seats
    (step,) = one.instances[0].steps
    assert step["content"] == "ada-s001 geheim-s001\n"
    assert two.instances[0].steps[0]["content"] == "ada-s002 geheim-s002\n"


def test_no_reference_is_left_anywhere():
    assert "((practicum:" not in repr(wanted("dev"))
    assert "((practicum:" not in repr(wanted("prod"))


def test_rules_get_the_addresses_of_the_host():
    assert rules(wanted("prod"), "students")[0] == {
        "action": "reject",
        "destination": "203.0.113.5",
        "state": "enabled",
    }
    assert rules(wanted("dev"), "prof")[-1]["destination"] == "198.51.100.9"


def test_a_rule_whose_reference_is_nothing_is_left_out_and_never_opened_to_all():
    def nothing(kind, argument, seat):
        return "" if kind.endswith("-addresses") else value(kind, argument, seat)

    with_values, without = wanted("dev"), wanted("dev", values=nothing)
    for name, dropped in (("students", 1), ("prof", 2)):
        assert len(rules(without, name)) == len(rules(with_values, name)) - dropped
        assert all(rule["destination"] for rule in rules(without, name) if rule["action"] == "allow")


def test_machines_of_the_professor_have_the_image_of_their_type_and_others_the_checkpoint():
    (prof,) = wanted("dev", ["prof"]).seats
    assert [(one.fingerprint, one.from_checkpoint) for one in prof.instances] == [
        ("fp-webserver", False),
        ("fp-debian", False),
    ]
    (student,) = wanted("prod", ["s001"]).seats
    assert [(one.fingerprint, one.from_checkpoint) for one in student.instances] == [
        ("fp-cp-web", True),
        ("fp-cp-desk", True),
    ]


def test_volumes_come_from_the_checkpoint_only_where_the_spec_says_so():
    (prof,) = wanted("dev", ["prof"]).seats
    assert [(one.name, one.origin, one.copy_image) for one in prof.volumes] == [
        ("prof-home", "", True),
        ("prof-work", "", False),
    ]
    (student,) = wanted("prod", ["s001"]).seats
    assert [(one.name, one.origin, one.copy_image) for one in student.volumes] == [
        ("s001-home", "1-home", True),
        ("s001-work", "", False),
    ]


@pytest.mark.parametrize("missing", ["web", "desk"])
def test_a_machine_without_a_pin_is_a_key_error_that_names_it(missing):
    pins = replace(PINS, machines={name: pin for name, pin in PINS.machines.items() if name != missing})
    with pytest.raises(KeyError, match=missing):
        wanted("prod", pins=pins)


def test_the_digest_is_of_checkpoint_and_steps_only():
    shared, seats = documents("prod")
    seat = seats["s001"]

    def digest(pins=PINS, values=value):
        return build(shared, [seat], pins, values).seats[0].instances[0].digest

    assert digest() == digest()
    assert digest(replace(PINS, machines={**PINS.machines, "web": "other"})) != digest()
    assert digest(values=lambda kind, argument, seat: VALUES[kind]) != digest()
    assert digest(replace(PINS, recipes={"debian": "x", "webserver": "x"}, volumes={})) == digest()


def test_names_of_the_lab_are_known():
    desired = wanted("prod", ["s001"])
    seat = desired.seats[0]
    assert desired.network_names == {network["name"] for network in seat.networks}
    assert desired.acl_names == {acl["name"] for acl in (*desired.acls, *seat.acls)}
    assert desired.project_name == desired.project["name"]
    assert desired.probe.name == "probe"
    assert {"s001-web", "s002-desk", "prof-web"} <= desired.known
