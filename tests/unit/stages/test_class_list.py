"""Who sits where: groups, names and extensions come from the roster on main when they are needed."""

from datetime import UTC, datetime, timedelta

import pytest

from practicum.errors import InputError
from practicum.stages.class_list import class_list, seats_of_group
from practicum.stages.deployment import load_deployment
from practicum.stages.hand_in import COLLECTED, due_seats

LAB = "net101/firewalls"
DUE = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPEC = f"""version: 1
title: T
students: students.csv
machines: {{web: {{type: debian}}}}
schedule: {{due: '{DUE.isoformat()}'}}
"""
FILES = {
    "students.csv": b"login,name,group\nada,Ada Lovelace,A\nBo,Bo Ek,B\ncy,Cy,A\n",
    "firewalls.extensions.csv": f"login,due\nbo,{(DUE + 7 * DAY).isoformat()}\n".encode(),
}


@pytest.fixture
def lab(workspace, deploy):
    deploy(SPEC, FILES)
    return workspace


def test_people_have_seats_names_groups_and_their_own_due_times(lab):
    people = class_list(lab, LAB)
    assert [(one.seat, one.login, one.name, one.group) for one in people.values()] == [
        ("s001", "ada", "Ada Lovelace", "A"),
        ("s002", "Bo", "Bo Ek", "B"),
        ("s003", "cy", "Cy", "A"),
    ]
    assert [one.extended for one in people.values()] == [None, DUE + 7 * DAY, None]


def test_a_group_is_its_students_and_an_unknown_one_is_never_all(lab):
    assert seats_of_group(lab, LAB, "A") == ["s001", "s003"]
    with pytest.raises(InputError) as caught:
        seats_of_group(lab, LAB, "C")
    assert caught.value.resolution == "groups are: A, B"


def test_an_empty_group_is_nobody_also_where_nobody_has_one(workspace, deploy):
    deploy(SPEC, {"students.csv": b"login,name\nada,Ada\nbo,Bo\n"})
    with pytest.raises(InputError, match="has no group ''"):
        seats_of_group(workspace, LAB, "")


def test_who_is_due_is_not_due_again_and_extensions_are_later(lab):
    deployment = load_deployment(lab, LAB, "dev")
    seats = dict.fromkeys(("prof", "s001", "s002", "s003"), deployment.seats["prof"])
    deployment.seats.clear()
    deployment.seats.update(seats)

    def due(days, config):
        return due_seats(lab, deployment, config, DUE, DUE + days * DAY)

    assert due(-1, {}) == {}
    assert due(0, {}) == dict.fromkeys(("s001", "s003"), DUE.isoformat())
    done = {COLLECTED: f'{{"s001": "{DUE.isoformat()}", "s002": "{DUE.isoformat()}"}}'}
    assert due(0, done) == {"s003": DUE.isoformat()}
    assert due(7, done) == {"s002": (DUE + 7 * DAY).isoformat(), "s003": DUE.isoformat()}
    assert due_seats(lab, deployment, {}, None, DUE) == {}
