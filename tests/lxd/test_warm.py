"""`warm` makes ahead of need what takes long: the provision after it makes no network and no golden machine."""

import pytest
from classroom import LONE, Classroom, Document, normalised
from lxd_fixtures import OpenClassroom

from practicum.stages.provision import warm

pytestmark = pytest.mark.lxd
AHEAD = {"acl", "network"}


@pytest.fixture(scope="module")
def classroom(open_shared: OpenClassroom) -> Classroom:
    """A delivered lab of whose class nothing is left but the checkpoint."""
    opened = open_shared(LONE)
    opened.pipeline()
    opened.wipe("prod")
    return opened


def golden(classroom: Classroom) -> list[Document]:
    project = str(classroom.committed("prod", "shared")["golden_project"])
    return list(classroom.lxd.get("instances", project=project, recursion=2))


def test_a_provision_after_warm_makes_no_network_and_no_golden_machine(classroom: Classroom) -> None:
    first = warm(classroom.workspace, classroom.lab, "prod")
    assert first.failed == []
    assert {action.kind for action in first.plan.actions} >= AHEAD
    assert classroom.instances("prod") == {}
    made, there = golden(classroom), normalised(classroom.documents())
    assert [(one["status"], [shot["name"] for shot in one["snapshots"]]) for one in made] == [("Stopped", ["golden"])]

    assert warm(classroom.workspace, classroom.lab, "prod").plan.actions == ()
    assert normalised(classroom.documents()) == there

    done = classroom.provision("prod")
    assert {action.kind for action in done.plan.actions} & AHEAD == set()
    assert {action.kind for action in done.plan.actions} >= {"instance"}
    assert [(one["name"], one["created_at"]) for one in golden(classroom)] == [
        (one["name"], one["created_at"]) for one in made
    ]
    assert classroom.smoke("prod") == {"prof": [], "s001": [], "s002": []}
