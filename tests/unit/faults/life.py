"""The stages that are killed, each with the moment it begins at."""

import json
import re
from dataclasses import dataclass

from laboratory import LAB

from practicum.stages.pipeline import commit_lab
from practicum.stages.workspace import Workspace

# A second spec: more students, a greater volume, more memory, another file.
GROWN = {
    "students": 3,
    "volumes": {
        "home": {"size": "48MiB", "mount": "/home/student"},
        "work": {"size": "32MiB", "mount": "/srv/work", "seed": "empty"},
    },
}


@dataclass(frozen=True)
class Stage:
    """A command line and the moment before it. `keeps`: no volume with somebody's work may change or go."""

    moment: str
    arguments: tuple
    keeps: bool = True


STAGES = {
    "provision": Stage("committed", ("provision", LAB)),
    "checkpoint": Stage("provisioned", ("checkpoint", LAB)),
    "promote": Stage("proved", ("promote", LAB)),
    "deliver": Stage("promoted", ("deliver", LAB)),
    "provision a grown lab": Stage("grown", ("provision", LAB)),
    "checkpoint again": Stage("grown and provisioned", ("checkpoint", LAB)),
    "deliver a second release": Stage("grown and promoted", ("deliver", LAB)),
    "destroy": Stage("delivered", ("destroy", LAB, "--env", "all", "--without-export"), keeps=False),
    "destroy the class and keep volumes": Stage("delivered", ("destroy", LAB, "--env", "prod", "--keep-volumes")),
}


def walk(laboratory):
    """Live the life of a lab once, undisturbed, and remember its moments."""

    def then(moment, *arguments):
        laboratory.done(*arguments)
        laboratory.write_thesis()
        laboratory.keep(moment)

    commit_lab(Workspace.open(laboratory.root), LAB)
    laboratory.keep("committed")
    then("provisioned", "provision", LAB)
    then("proved", "checkpoint", LAB)
    then("promoted", "promote", LAB)
    then("delivered", "deliver", LAB)
    laboratory.write_spec(**GROWN)
    commit_lab(Workspace.open(laboratory.root), LAB)
    laboratory.keep("grown")
    then("grown and provisioned", "provision", LAB)
    laboratory.done("checkpoint", LAB)
    then("grown and promoted", "promote", LAB)


@dataclass(frozen=True)
class End:
    """How a stage ends when nothing disturbs it."""

    facts: dict
    intent: dict
    log: tuple


def undisturbed(laboratory, stage):
    """Run a stage from its moment and return its end."""
    laboratory.back(stage.moment)
    laboratory.done(*stage.arguments)
    log = tuple(laboratory.lxd.log)
    return End(laboratory.facts(), laboratory.intent(), log)


def problems(laboratory, stage, end, theses):
    """Run a stage that was killed again, and return what is not as after an undisturbed run."""
    again = laboratory.run(*stage.arguments)
    if again.code:
        return [f"the second run ended with {again.code}: {again.words[-600:]}"]
    found = differences("on LXD", end.facts, laboratory.facts())
    found += differences("in git", end.intent, laboratory.intent())
    wanted, there = laboratory.pinned()
    if stage.keeps:
        found += [f"pinned and gone: {sorted(wanted - there)}"] if wanted - there else []
    found += [f"left of a checkpoint that nothing pins: {sorted(there - wanted)}"] if there - wanted else []
    if stage.keeps and {key: one for key, one in laboratory.theses().items() if key in theses} != theses:
        found.append("somebody's work was touched")
    return found


def differences(where, wanted, found):
    """Return the names of what differs between two states, with the first difference."""
    names = [key for key in sorted(wanted.keys() | found.keys()) if wanted.get(key) != found.get(key)]
    return [f"{where}: {name}: {first(wanted.get(name), found.get(name))}" for name in names]


def first(wanted, found):
    wanted, found = (json.dumps(one, sort_keys=True) for one in (wanted, found))
    start = next((n for n, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), 0)
    return f"…{wanted[max(0, start - 60) : start + 60]}… became …{found[max(0, start - 60) : start + 60]}…"


def kind(call):
    """Return a request without names, so that calls of one kind are told alike."""
    method, address = call.split(" ", 1)
    parts = address.split("/")[2:]
    places = {"storage-pools": (1, 4), "instances": (1, 3), "images": (1,), "operations": (1,)}.get(parts[0], (1,))
    return f"{method} " + "/".join("*" if number in places else part for number, part in enumerate(parts))


def name(text):
    return re.sub(r"\W+", "-", text)
