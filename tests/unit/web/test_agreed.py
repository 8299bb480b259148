"""Only what was shown is done: the checkpoint of the plan, and the change on the files as they were."""

import pytest
from visitor import LAB, NEW, words

DEPLOY = f"/labs/{LAB}/deploy"


def checkpoint(visitor):
    return visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint"))


def in_class(lxd):
    return [name for (_, name) in lxd.world.instances if name.startswith("s0")]


@pytest.fixture
def taken(visitor):
    """Somebody whose lab has a checkpoint that passed its trial."""
    visitor.created()
    assert checkpoint(visitor).state == "done"
    return visitor


@pytest.mark.parametrize("agreed", ["1", "", "9", "two"])
def test_another_checkpoint_than_the_one_that_was_shown_is_not_deployed(taken, lxd, agreed):
    assert checkpoint(taken).state == "done"
    job = taken.ended(taken.post(DEPLOY, checkpoint=agreed))
    assert (job.state, in_class(lxd)) == ("failed", [])
    assert "Students would get checkpoint 2 by now" in taken.text(f"/jobs/{job.id}")


def test_a_checkpoint_that_failed_its_trial_is_not_planned(taken, lxd):
    lxd.world.dying.add("pilot-web")
    assert checkpoint(taken).state == "failed"
    answer = taken.get(DEPLOY)
    assert answer.status_code == 409
    assert "Checkpoint 2 has not passed its trial" in words(answer.text)
    for agreed in ("1", "2"):
        job = taken.ended(taken.post(DEPLOY, checkpoint=agreed))
        assert (job.state, in_class(lxd)) == ("failed", [])


def test_a_checkpoint_that_a_colleague_took_meanwhile_is_not_deployed(taken, lxd, colleague):
    folder = f"environments/dev/{LAB}"
    release = (taken.site.folder / folder / "release.json").read_text()
    colleague(f"{folder}/release.json", release.replace('"checkpoint": 1,', '"checkpoint": 2,'))
    job = taken.deployed()
    assert (job.state, in_class(lxd)) == ("failed", [])
    assert "Checkpoint 2 has not passed its trial" in job.error.message


def test_nothing_is_created_on_files_that_changed_meanwhile(visitor, colleague):
    colleague("labs/notes.txt", "Ours.\n")
    job = visitor.agree("/create/container", **NEW)
    assert job.state == "failed"
    assert "changed by somebody else" in visitor.text(f"/jobs/{job.id}")
    assert not (visitor.site.folder / f"labs/{LAB}.lab.yaml").exists()
    visitor.created()
    visitor.site.workspace().repository.require_published()
