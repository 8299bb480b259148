"""What a checkpoint changed of the one before: told of the lists that were kept, with no machine made for it."""

import pytest
from laboratory import LAB


@pytest.fixture
def lab(laboratory):
    """The laboratory with the professor's machine made and no checkpoint taken."""
    laboratory.back("provisioned")
    return laboratory


def professor(lab):
    return next(one for key, one in lab.lxd.world.instances.items() if key[1] == "prof-web")


def home(lab):
    return next(one["files"] for key, one in lab.lxd.world.volumes.items() if key[2] == "prof-home")


def lists(lab):
    return [one for one in lab.lxd.world.images.values() if "data" in one]


@pytest.fixture
def changed(lab):
    """The laboratory after two checkpoints, with work of the professor between them."""
    professor(lab)["packages"] = ["curl", "nano"]
    professor(lab)["files"] |= {"/etc/old": (b"old", 0, 0, 0o644), "/etc/app": (b"app", 0, 0, 0o644)}
    lab.done("checkpoint", LAB)
    files = professor(lab)["files"]
    del files["/etc/old"]
    files["/etc/app"] = (b"app", 0, 0, 0o600)
    files["/var/log/noise"] = (b"noise", 0, 0, 0o644)
    files |= {f"/srv/{name}": (b"new", 0, 0, 0o644) for name in "ab"}
    home(lab)["/lesson"] = (b"new", 1000, 1000, 0o644)
    professor(lab)["packages"] = ["curl", "nginx"]
    lab.done("checkpoint", LAB, "-m", "nginx")
    return lab


def test_the_summary_is_told_and_the_first_checkpoint_has_none(changed):
    words = "since 1: +3 ~1 -1 files; packages -nano +nginx"
    assert words in changed.done("checkpoint", "list", LAB).words
    assert words in changed.done("checkpoint", "show", LAB, "2").words
    assert "changes" not in changed.done("checkpoint", "show", LAB, "1").words
    assert ["packages", "web", "2"] in [
        line.split() for line in changed.done("checkpoint", "show", LAB, "1").words.splitlines()
    ]


def test_files_are_told_one_by_one_and_no_machine_is_made_for_it(changed):
    before = len(changed.lxd.log)
    told = changed.done("checkpoint", "diff", LAB).words.splitlines()
    assert told == [
        "~ web /etc/app",
        "- web /etc/old",
        "+ web /home/student/lesson",
        "+ web /srv/a",
        "+ web /srv/b",
        "5 files differ",
    ]
    assert [call for call in changed.lxd.log[before:] if not call.startswith("GET ")] == []


def test_no_image_of_machines_carries_the_list(changed):
    assert not any("/.practicum-files" in one["files"] for one in changed.lxd.world.images.values())
    assert len(lists(changed)) == 2


def test_a_machine_that_cannot_be_listed_is_told_and_is_no_obstacle(lab):
    lab.lxd.world.answers["sha256sum"] = (127, "", "sha256sum: not found\n")
    ended = lab.done("checkpoint", LAB)
    assert "web what changed is not known" in ended.words
    assert lists(lab) == []
    lab.lxd.world.answers.clear()
    lab.done("checkpoint", LAB)
    assert "changes" not in lab.done("checkpoint", "show", LAB, "2").words
    assert "nothing lists the files of checkpoint 1" in lab.run("checkpoint", "diff", LAB).words


def test_a_list_that_is_gone_is_told(changed):
    for one in lists(changed):
        del changed.lxd.world.images[one["fingerprint"]]
    ended = changed.run("checkpoint", "diff", LAB)
    assert (ended.code, "checkpoint 1 is gone from LXD" in ended.words) == (69, True)
    # The next checkpoint has nothing to compare with, and is one all the same.
    changed.done("checkpoint", LAB)
    assert "changes" not in changed.done("checkpoint", "show", LAB, "3").words


def test_a_checkpoint_that_goes_takes_its_list_along(changed):
    changed.done("checkpoint", "prune", LAB)
    (left,) = lists(changed)
    assert left["properties"]["practicum.checkpoint"] == "2"
