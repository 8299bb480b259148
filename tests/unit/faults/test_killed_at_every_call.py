"""SIGKILL before and after every changing API call of each stage: run again, it ends as if nothing had happened.

A call that only reads changes nothing, so being killed around it is being killed after the call before it. By default
every kind of call of each stage is sampled, once before and once after or later; `PRACTICUM_FAULTS=all` kills at every
call: before LXD does it, after it did and before the client knows, and so that LXD does it beside the next run.
"""

import os
import signal

import pytest
from laboratory import LAB
from life import STAGES, kind, problems, undisturbed

PHASES = ("before", "after", "later")
FULL = os.environ.get("PRACTICUM_FAULTS") == "all"


def points(log):
    """Return the calls, counted from 1, and the phases to be killed in."""
    if FULL:
        return [(number, phase) for number in range(1, len(log) + 1) for phase in PHASES]
    kinds = {}
    for number, call in enumerate(log, start=1):
        kinds.setdefault(kind(call), []).append(number)
    turns = [numbers[-1] if index % 2 else numbers[0] for index, numbers in enumerate(kinds.values())]
    return [(number, PHASES[index % 3]) for index, number in enumerate(turns)]


@pytest.mark.timeout(3600 if FULL else 900)
@pytest.mark.parametrize("name", STAGES)
def test_killed_at_a_call_the_next_run_ends_as_an_undisturbed_one(laboratory, name):
    stage = STAGES[name]
    end = undisturbed(laboratory, stage)
    laboratory.back(stage.moment)
    theses = laboratory.theses()
    found = []
    chosen = points(end.log)
    for number, phase in chosen:
        laboratory.back(stage.moment, at=number, kill=phase)
        killed = laboratory.run(*stage.arguments)
        # Seats are worked on side by side, so the last calls of a run are not always as many.
        assert killed.code == -signal.SIGKILL or (killed.code == 0 and not laboratory.lxd.faults.hit.is_set())
        call = laboratory.lxd.log[number - 1] if killed.code else "end"
        laboratory.lxd.faults.at = 0
        found += [f"{phase} call {number} ({call}): {one}" for one in problems(laboratory, stage, end, theses)]
    assert not found, "\n".join(found)


def test_an_undisturbed_second_run_changes_nothing(laboratory):
    laboratory.back("delivered")
    before = laboratory.facts(), laboratory.theses()
    laboratory.done("deliver", LAB)
    laboratory.done("provision", LAB)
    assert (laboratory.facts(), laboratory.theses()) == before
