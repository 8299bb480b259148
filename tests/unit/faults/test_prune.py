"""Pruning removes what no copy, class or roll-back needs, and nothing else."""

import pytest
from laboratory import LAB


@pytest.fixture(scope="module")
def lab(laboratory):
    """The laboratory with checkpoints 1 and 2 promoted, and 3, 4 and 5 taken since; nobody promoted these."""
    laboratory.back("grown and promoted")
    for _ in range(3):
        laboratory.done("checkpoint", LAB)
    laboratory.keep("to prune")
    return laboratory


def numbers(lab):
    """Return the checkpoints that LXD has something of: by images, and by volumes."""
    world = lab.lxd.world
    images = {one["properties"]["practicum.checkpoint"] for one in world.images.values() if is_checkpoint(one)}
    return images, {key[2][1] for key in world.volumes if key[2].startswith("c") and key[2][1].isdigit()}


def is_checkpoint(image):
    return "practicum.checkpoint" in image["properties"]


def test_what_is_needed_is_told_and_stays_and_the_rest_goes(lab):
    lab.back("to prune")
    asked = lab.run("checkpoint", "prune", LAB, sure=False)
    assert (asked.code, "nobody can be asked here: Remove these 2 checkpoints" in asked.words) == (2, True)
    assert numbers(lab) == (set("12345"), set("12345"))
    said = lab.done("checkpoint", "prune", LAB).words
    for words in ("5: your copy", "2: the class", "1: what 'promote --rollback' goes back to"):
        assert f"stays: checkpoint {words}" in said
    assert "8 objects removed" in said
    assert numbers(lab) == (set("125"), set("125"))
    wanted, there = lab.pinned()
    assert {name[:2] for name in wanted - there if name.startswith("c")} == {"c3", "c4"}
    assert "no other checkpoint is on LXD" in lab.done("checkpoint", "prune", LAB).words
    # The way back is there.
    lab.done("promote", LAB, "--rollback")
    lab.done("deliver", LAB, "--changed", "overwrite")


def test_the_newest_stay_too_when_asked(lab):
    lab.back("to prune")
    said = lab.done("checkpoint", "prune", LAB, "--keep", "2").words
    assert "stays: checkpoint 4: one of the newest 2" in said
    assert numbers(lab) == (set("1245"), set("1245"))


def test_disk_has_the_same_rule(lab):
    lab.back("to prune")
    lab.done("disk", "--free")
    assert numbers(lab) == (set("125"), set("125"))
