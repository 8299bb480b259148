"""SIGKILL before every change that a stage makes in git: files, commits, tags, branches, pushes.

What lies between two changes only reads, so being killed before a change is being killed after the one before it.
`PRACTICUM_FAULTS=all` takes every change; by default each kind of change of each stage is taken once.
"""

import os
import signal

import pytest
from laboratory import LAB
from life import STAGES, Stage, problems, undisturbed

FULL = os.environ.get("PRACTICUM_FAULTS") == "all"
NAMES = ("checkpoint", "promote", "deliver", "checkpoint again", "destroy")
GIT_STAGES = {name: STAGES[name] for name in NAMES} | {"pipeline": Stage("grown", ("pipeline", LAB))}


def changes(laboratory, stage):
    """Return the changes of an undisturbed run, in order."""
    log = laboratory.folder / "effects.log"
    laboratory.back(stage.moment)
    ended = laboratory.run(*stage.arguments, effect=0, effects=str(log))
    assert ended.code == 0, ended.words
    return log.read_text().splitlines()


def chosen(made):
    """Return the numbers of the changes to die before, and one beyond the last."""
    if FULL:
        return range(1, len(made) + 2)
    kinds = {change.split("/")[0]: number for number, change in enumerate(made, start=1)}
    return sorted({*kinds.values(), len(made) + 1})


@pytest.mark.timeout(3600 if FULL else 900)
@pytest.mark.parametrize("name", GIT_STAGES)
def test_killed_before_a_change_the_next_run_ends_as_an_undisturbed_one(laboratory, name):
    stage = GIT_STAGES[name]
    end = undisturbed(laboratory, stage)
    laboratory.back(stage.moment)
    theses = laboratory.theses()
    made = changes(laboratory, stage)
    assert [change for change in made if change.startswith("git ")] or name == "deliver"
    found = []
    for number in chosen(made):
        laboratory.back(stage.moment)
        log = laboratory.folder / "effects.log"
        killed = laboratory.run(*stage.arguments, effect=number, effects=str(log))
        assert killed.code == (-signal.SIGKILL if number <= len(made) else 0), killed.words
        before = made[number - 1] if number <= len(made) else "the end"
        found += [f"before {number} ({before}): {one}" for one in problems(laboratory, stage, end, theses)]
    assert not found, "\n".join(found)
