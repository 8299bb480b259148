"""What of the outside a class reaches: nothing, listed hosts and ports, everything; and nothing in an exam."""

import socket
from pathlib import Path
from typing import Any

import pytest
from classroom import LONE
from lxd_fixtures import OpenClassroom
from wire import world

from practicum.stages.deployment import Operation, operation_file

pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]
HOST = "api.example.org"


def test_a_list_opens_its_entries_a_changed_name_moves_and_an_exam_closes_all(
    open_classroom: OpenClassroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as outside:
        first, second, third = outside.addresses
        found, real = {HOST: second}, socket.getaddrinfo

        def look_up(host: str, *rest: Any) -> Any:
            return real(found.get(host, host), *rest)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        allowed = [{"cidr": f"{first}/32", "ports": [80]}, {"host": HOST, "ports": [81]}]
        classroom = open_classroom({**LONE, "students": 1, "network": {"internet": allowed}})
        classroom.pipeline()
        everything = {(address, port) for address in outside.addresses for port in (80, 81)}
        for machine in ("s001-web", "prof-web"):
            assert classroom.opens("prod", machine, everything) == {(first, 80), (second, 81)}

        found[HOST] = third
        assert {action.kind for action in classroom.provision("prod").plan.actions} == {"acl"}
        assert classroom.opens("prod", "s001-web", everything) == {(first, 80), (third, 81)}

        cut = operation_file("prod", classroom.lab, Operation(internet="none"))
        classroom.repository.commit(cut, "Exam")
        classroom.repository.publish()
        classroom.provision("prod")
        for machine in ("s001-web", "prof-web", "probe"):
            assert classroom.opens("prod", machine, everything) == set()
        inside = {(classroom.address("prod", "s001", "web"), 80)}
        assert classroom.opens("prod", "probe", inside) == inside


@pytest.mark.parametrize("internet", ["none", "full"])
def test_nothing_and_everything(open_classroom: OpenClassroom, tmp_path: Path, internet: str) -> None:
    with world(tmp_path) as outside:
        classroom = open_classroom({**LONE, "students": 1, "network": {"internet": internet}})
        classroom.pipeline()
        everything = {(address, port) for address in outside.addresses for port in (80, 81)}
        open_ = everything if internet == "full" else set()
        assert classroom.opens("prod", "s001-web", everything) == open_
