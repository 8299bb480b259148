"""The whole life of a lab: from a spec to a class that answers, again without a change, and away without a trace."""

from collections.abc import Callable

import pytest
from classroom import Classroom
from lxd_fixtures import OpenClassroom

from practicum.stages.orphans import orphans
from practicum.stages.provision import plan_only

pytestmark = [pytest.mark.lxd, pytest.mark.alone]

SEATS = ("prof", "s001", "s002", "s003")


def test_from_a_spec_to_a_class_and_away_again(
    nothing_left: Callable[[], set[str]], open_classroom: OpenClassroom
) -> None:
    classroom = open_classroom()
    life = classroom.pipeline()
    assert life.changed
    assert life.delivery is not None
    assert all(result.ok for result in life.delivery.results)
    assert {result.seat for result in life.delivery.results} == set(SEATS)
    _every_seat_has_its_own(classroom)

    before = classroom.documents()
    again = classroom.pipeline()
    assert not again.changed
    assert [plan_only(classroom.workspace, classroom.lab, env).actions for env in ("dev", "prod")] == [(), ()]
    assert classroom.documents() == before

    classroom.destroy("dev", "prod")
    assert orphans(classroom.workspace) == []
    assert nothing_left() == set()


def _every_seat_has_its_own(classroom: Classroom) -> None:
    lines = {}
    for seat in SEATS:
        address = classroom.address("prod", seat, "web")
        assert classroom.read("prod", "probe", f"wget -q -O - http://{address}/") == "<h1>busybox</h1>"
        lines[seat] = classroom.read("prod", f"{seat}-web", "cat /etc/me.txt").split()
        assert lines[seat] == [seat, seat, lines[seat][2], address]
        assert classroom.read("prod", f"{seat}-web", "stat -c %a /etc/me.txt; hostname") == "640\nweb"
        assert classroom.read("prod", f"{seat}-desk", "stat -c %U /home/student/task.md") == "student"
        assert classroom.opens("prod", f"{seat}-desk", [("web", 80)])
    assert len({line[2] for line in lines.values()}) == len(SEATS)
    assert not any(line[2].encode() in data for line in lines.values() for data in _files(classroom).values())


def _files(classroom: Classroom) -> dict[str, bytes]:
    return dict(classroom.repository.committed("environments"))
