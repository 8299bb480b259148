"""Names and markers hold to the rules of Linux and LXD for every lab that a spec may describe."""

import re
from itertools import product

import pytest

from generator.seats.names import (
    PILOT,
    PROFESSOR,
    Scope,
    image_marker,
    instance,
    is_student,
    student_id,
    student_number,
)
from generator.spec.platform import ENVIRONMENTS

# The longest names that schema and rules allow.
LONGEST_COURSE, LONGEST_LAB, LONGEST_MACHINE = "c" * 20, "l" * 30, "m" * 40
SEATS = (PROFESSOR, PILOT, "cluster", *(student_id(number) for number in range(1, 10_000)))
# Linux, IFNAMSIZ less the closing zero byte.
BRIDGE = re.compile(r"[a-z0-9][a-z0-9-]{0,14}")
# LXD instance names are host names: RFC 1123.
INSTANCE = re.compile(r"[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
# LXD doc/projects: no space, no slash, no underscore, not `*`, not `.` or `..`; ours are lower-case labels.
PROJECT = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]")
SCOPE = Scope("k3v9t2qa", "prod", "net101", "firewalls")


def test_every_bridge_of_every_seat_fits_in_a_linux_interface_name():
    names = [SCOPE.bridge(seat, index) for seat in SEATS for index in range(4)]
    assert all(BRIDGE.fullmatch(name) for name in names)
    assert len(set(names)) == len(SEATS) * 4


def test_a_bridge_says_which_seat_and_network_it_is():
    assert SCOPE.bridge("s9999", 3) == f"p{SCOPE.hash}-s9999d"
    assert SCOPE.bridge("prof", 0) == f"p{SCOPE.hash}-profa"


def test_instances_are_host_names_for_the_longest_machine_name():
    names = [instance(seat, LONGEST_MACHINE) for seat in SEATS]
    assert all(INSTANCE.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "-"])
@pytest.mark.parametrize(("course", "lab"), [("a", "b"), (LONGEST_COURSE, LONGEST_LAB), ("n-1", "a-b-c")])
def test_projects_hold_to_the_character_set_of_lxd(environment, course, lab):
    scope = Scope("k3v9t2qa", environment, course, lab)
    for name in (scope.project, scope.golden_project):
        assert PROJECT.fullmatch(name), name


def test_a_shortened_project_name_does_not_end_in_a_hyphen():
    # 48 characters end behind a hyphen of this lab's name.
    for length in range(1, 29):
        scope = Scope("k3v9t2qa", "prod", LONGEST_COURSE, "a" * length + "-z")
        assert not scope.project.endswith("-")
        assert not scope.golden_project.endswith("-")


def test_readable_parts_stand_in_project_names():
    assert SCOPE.project == f"p{SCOPE.hash}-prod-net101-firewalls"
    assert SCOPE.golden_project == f"p{SCOPE.hash}-golden-net101-firewalls"
    assert SCOPE.checkpoints.project == f"p{SCOPE.checkpoints.hash}-checkpoints-net101-firewalls"


def test_checkpoints_belong_to_no_environment():
    dev = Scope("k3v9t2qa", "dev", "net101", "firewalls")
    assert dev.checkpoints == SCOPE.checkpoints
    assert SCOPE.checkpoints.marker("web") == "k3v9t2qa/-/net101/firewalls/web"


def test_no_two_scopes_share_a_prefix():
    scopes = [
        Scope(*parts) for parts in product(("one", "two"), ("dev", "prod", "-"), ("net101", "net102"), ("a", "b", "ab"))
    ]
    assert len({scope.hash for scope in scopes}) == len(scopes)
    assert len({scope.project for scope in scopes}) == len(scopes)
    assert all(re.fullmatch(r"[a-z2-7]{7}", scope.hash) for scope in scopes)


def test_names_do_not_change_with_the_version_of_practicum():
    # What stands on a host was named by an older version: another hash would orphan all of it.
    assert SCOPE.hash == "ad4o4cv"
    assert SCOPE.acl("students") == "pad4o4cv-students"


def test_markers_have_five_parts_and_shared_ones_end_in_a_hyphen():
    assert SCOPE.marker("s001") == "k3v9t2qa/prod/net101/firewalls/s001"
    assert SCOPE.marker() == "k3v9t2qa/prod/net101/firewalls/-"
    assert image_marker("k3v9t2qa") == "k3v9t2qa/-/-/-/-"


@pytest.mark.parametrize(("number", "seat"), [(1, "s001"), (50, "s050"), (999, "s999"), (1000, "s1000")])
def test_student_ids_and_numbers_are_two_forms_of_the_same(number, seat):
    assert student_id(number) == seat
    assert student_number(seat) == number


@pytest.mark.parametrize(
    ("seat", "yes"),
    [("s001", True), ("s9999", True), ("prof", False), ("pilot", False), ("cluster", False), ("s", False), ("", False)],
)
def test_only_students_are_students(seat, yes):
    assert is_student(seat) is yes
