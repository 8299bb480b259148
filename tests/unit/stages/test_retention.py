"""Which checkpoints must stay: what your copy, the class and a roll-back need, whatever else there is."""

import json

import pytest

from practicum.errors import InputError
from practicum.stages.deployment import release_file
from practicum.stages.promote import promote
from practicum.stages.retention import kept

LAB = "net101/firewalls"


def release(checkpoint, **more):
    pins = {"checkpoint": checkpoint, "spec_commit": "5d" * 20, "tree": "sha256:" + "9f" * 32}
    images = {"images": {"web": f"{checkpoint:02}" * 32}, "volumes": {}, "volume_project": "checkpoints"}
    return {**pins, **images, **more}


@pytest.fixture
def lab(workspace):
    """Return what sets a lab's state: checkpoints by the number of their release, and what dev and prod pin."""

    def state(tags, dev=None, prod=None):
        for number, checkpoint in tags.items():
            workspace.repository.tag(f"release/{LAB}/{number}", json.dumps(release(checkpoint)))
        files = release_file("dev", LAB, release(dev)) if dev else {}
        files |= release_file("prod", LAB, release(tags[prod], release=prod)) if prod else {}
        workspace.repository.commit(files, "Pin")
        return workspace

    return state


def numbers(workspace, newest=0):
    return {one.number: one.why for one in kept(workspace, LAB, newest)}


def test_a_lab_without_checkpoints_keeps_none(workspace):
    assert numbers(workspace) == {}


def test_your_copy_the_class_and_the_one_before_it_stay(lab):
    found = numbers(lab({1: 1, 2: 2, 3: 4, 4: 6}, dev=7, prod=3))
    assert found == {7: "your copy", 4: "the class", 2: "what 'promote --rollback' goes back to"}


def test_a_release_of_the_same_checkpoint_is_not_the_one_before(lab):
    # A roster-only change is a release of its own; a roll-back goes to another checkpoint.
    assert set(numbers(lab({1: 1, 2: 2, 3: 2, 4: 2}, dev=2, prod=4))) == {1, 2}


def test_what_is_kept_for_a_roll_back_is_what_a_roll_back_takes(lab, monkeypatch, deploy):
    workspace = lab({1: 1, 2: 5, 3: 3, 4: 6}, dev=6, prod=4)
    taken = []
    monkeypatch.setattr(
        "practicum.stages.promote.tag_release", lambda workspace, lab, pins: taken.append(pins) or 1 / 0
    )
    monkeypatch.setattr("practicum.stages.promote.load_deployment", Prod)
    monkeypatch.setattr(workspace.repository.__class__, "synchronise", lambda self: None)
    with pytest.raises(ZeroDivisionError):
        promote(workspace, LAB, rollback=True)
    assert [pins["checkpoint"] for pins in taken] == [5]
    assert 5 in numbers(workspace)


class Prod:
    """A deployment of checkpoint 6."""

    release = release(6)

    def __init__(self, *_):
        """Take what the real one is loaded by."""


@pytest.mark.parametrize(("newest", "wanted"), [(0, {1, 2}), (1, {1, 2, 9}), (2, {1, 2, 8, 9}), (99, {1, 2, 5, 8, 9})])
def test_the_newest_stay_when_somebody_wants_them(lab, newest, wanted):
    workspace = lab({1: 1, 2: 2, 3: 5, 4: 8, 5: 9}, dev=2, prod=2)
    assert set(numbers(workspace, newest)) == wanted


def test_a_release_that_cannot_be_read_stops_everything(workspace):
    workspace.repository.commit({f"environments/prod/{LAB}/release.json": b"{"}, "Break it")
    with pytest.raises(InputError):
        kept(workspace, LAB)
