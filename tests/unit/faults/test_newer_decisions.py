"""What people decide, and what students do, between a look and a removal: nothing that is needed by now goes."""

import subprocess
from dataclasses import replace

import pytest
from laboratory import LAB

from practicum.stages.deployment import load_deployment
from practicum.stages.disk import free, freeable
from practicum.stages.export import EXPORTED
from practicum.stages.operate import record
from practicum.stages.orphans import orphans, remove_orphans
from practicum.stages.workspace import Workspace

PINS = f"environments/dev/{LAB}/release.json"


@pytest.fixture
def elsewhere(laboratory, tmp_path):
    """Return what opens another checkout of the same repository."""

    def cloned():
        git = ["git", "-C", str(laboratory.root)]
        origin = subprocess.run([*git, "remote", "get-url", "origin"], capture_output=True, text=True, check=True)
        subprocess.run(["git", "clone", "-q", origin.stdout.strip(), tmp_path / "elsewhere"], check=True)
        return Workspace.open(tmp_path / "elsewhere")

    return cloned


def revive(workspace, life):
    operation = replace(load_deployment(workspace, LAB, "dev").operation, life=life)
    record(workspace, LAB, "dev", operation, f"Let it be {life}")


def test_an_orphan_that_another_checkout_gave_a_lab_again_stays(laboratory, elsewhere):
    laboratory.back("proved")
    here = Workspace.open(laboratory.root)
    revive(here, "destroyed")
    listed = orphans(here)
    assert "prof-web" in {thing.name for thing in listed}
    revive(elsewhere(), "active")
    before = laboratory.facts()
    assert remove_orphans(here, listed) == []
    assert laboratory.facts() == before


def test_a_checkpoint_that_another_checkout_pinned_meanwhile_stays(laboratory, elsewhere):
    laboratory.back("grown and promoted")
    laboratory.done("checkpoint", LAB)
    old = laboratory.repository.committed("environments")[PINS]
    laboratory.done("checkpoint", LAB)
    here = Workspace.open(laboratory.root)
    listed = freeable(here)
    assert {"c3-home", "c3-work"} & {thing.name for thing in listed}
    other = elsewhere()
    other.repository.commit({PINS: old}, "Go back to checkpoint 3")
    other.repository.publish()
    free(here, listed)
    wanted, there = laboratory.pinned()
    assert {name for name in wanted if name.startswith("c3-")} <= there


def records(laboratory):
    return [EXPORTED in one["config"] for (_, _, name), one in laboratory.lxd.world.volumes.items() if name[:2] == "s0"]


@pytest.mark.parametrize("used", [False, True], ids=["left alone", "used again"])
def test_volumes_that_stay_count_as_exported_only_when_they_are_as_exported(laboratory, tmp_path, used):
    laboratory.back("delivered")
    laboratory.done("stop", LAB, "--env", "prod")
    laboratory.done("export", LAB, "--to", str(tmp_path))
    assert records(laboratory) == [True] * 4
    if used:
        laboratory.done("start", LAB, "--env", "prod")
    laboratory.done("destroy", LAB, "--env", "prod", "--keep-volumes")
    theses = laboratory.theses()
    ended = laboratory.run("destroy", LAB, "--env", "prod")
    assert ended.code == int(used), ended.words
    assert ("4 never exported" in ended.words, len(records(laboratory))) == (used, 4 * used)
    assert not used or laboratory.theses() == theses
