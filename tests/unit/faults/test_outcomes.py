"""What else goes wrong: each has one clear outcome, and the same command then goes on from what is there."""

import signal

import pytest
from laboratory import LAB
from life import STAGES, Stage, problems, undisturbed

from practicum.lxd.lock import KEY

PROVISION = STAGES["provision"]
DELIVER = STAGES["deliver"]


def converges(laboratory, stage, end):
    laboratory.lxd.faults.at = 0
    laboratory.back_to_peace()
    found = problems(laboratory, stage, end, {})
    assert not found, "\n".join(found)


def test_a_short_restart_of_lxd_between_two_calls_is_waited_for(laboratory):
    end = undisturbed(laboratory, PROVISION)
    number = end.log.index("POST /1.0/networks") + 1
    laboratory.back(PROVISION.moment, at=number - 1, drop="answered", away=1.5)
    laboratory.done(*PROVISION.arguments)
    assert laboratory.lxd.faults.hit.is_set()
    assert laboratory.facts() == end.facts


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("call", ["POST /1.0/networks", "POST /1.0/instances", "PATCH /1.0/projects", "/state"])
def test_a_change_that_lxd_cut_off_is_told_as_to_be_tried_again(laboratory, call, drop):
    end = undisturbed(laboratory, PROVISION)
    found = [number for number, one in enumerate(end.log, start=1) if call in one]
    laboratory.back(PROVISION.moment, at=found[0], drop=drop, away=0.5)
    ended = laboratory.run(*PROVISION.arguments)
    assert ended.code == 75, ended.words
    assert "LXD went away" in ended.words
    assert "run the same command again" in ended.words
    converges(laboratory, PROVISION, end)


def test_operations_that_a_restart_lost_are_told_as_to_be_tried_again(laboratory):
    end = undisturbed(laboratory, PROVISION)
    number = end.log.index("POST /1.0/instances") + 1
    laboratory.back(PROVISION.moment, at=number, drop="answered", away=0.3, later=5.0)
    ended = laboratory.run(*PROVISION.arguments)
    assert (ended.code, "was it restarted?" in ended.words) == (75, True), ended.words
    converges(laboratory, PROVISION, end)


def test_an_lxd_that_hangs_is_not_waited_for_for_ever(laboratory):
    end = undisturbed(laboratory, PROVISION)
    number = end.log.index("POST /1.0/networks") + 1
    laboratory.back(PROVISION.moment, at=number, hang=True, away=4.0)
    ended = laboratory.run(*PROVISION.arguments, settings={"practicum.lxd.client.ANSWER_SECONDS": 1})
    assert (ended.code, "did not answer POST /1.0/networks" in ended.words) == (75, True), ended.words
    converges(laboratory, PROVISION, end)


def test_a_full_pool_is_named_with_what_to_do(laboratory):
    end = undisturbed(laboratory, DELIVER)
    laboratory.back(DELIVER.moment)
    laboratory.lxd.world.fill = True
    ended = laboratory.run(*DELIVER.arguments)
    assert ended.code == 1
    assert "the storage pool practicum is full" in ended.words
    assert "no space left on device" in ended.words
    assert "enlarge the storage pool practicum" in ended.words
    laboratory.lxd.world.fill = False
    converges(laboratory, DELIVER, end)


def test_a_checkpoint_image_that_is_gone_is_named_before_anything_is_done(laboratory):
    laboratory.back(DELIVER.moment)
    world = laboratory.lxd.world
    for fingerprint in [one for one, image in world.images.items() if "practicum.checkpoint" in image["properties"]]:
        del world.images[fingerprint]
    ended = laboratory.run(*DELIVER.arguments)
    assert (ended.code, "checkpoint 1 of net101/small is gone from LXD; nothing was done" in ended.words) == (69, True)
    assert f"practicum pipeline {LAB}" in ended.words
    assert laboratory.lxd.log == []


def test_a_machine_that_does_not_boot_is_named_with_its_own_last_words(laboratory):
    end = undisturbed(laboratory, DELIVER)
    laboratory.back(DELIVER.moment)
    laboratory.lxd.world.dying = {"s001-web"}
    ended = laboratory.run(*DELIVER.arguments)
    assert ended.code == 1
    assert "machine s001-web stopped right after its start" in ended.words
    assert "init: Too many open files" in ended.words
    assert "fs.inotify.max_user_instances" in ended.words
    assert "--seat s001" in ended.words
    ready = {
        name
        for (_, name), one in laboratory.lxd.world.instances.items()
        if "user.practicum.ready" in one["config"] and one["status"] == "Running"
    }
    assert {"s002-web", "prof-web"} <= ready
    laboratory.lxd.world.dying = set()
    converges(laboratory, DELIVER, end)


@pytest.mark.parametrize("kind", ["projects", "acls", "networks", "profiles", "instances", "volumes"])
def test_a_name_that_somebody_else_took_is_refused_and_left_alone(laboratory, kind):
    laboratory.back("delivered")
    made = laboratory.lxd.snapshot()
    laboratory.back(DELIVER.moment)
    world = laboratory.lxd.world
    new = sorted(set(getattr(made, kind)) - set(getattr(world, kind)), key=str)
    wanted = [key for key in new if is_wanted(kind, key)]
    assert wanted, new
    put_stranger(world, made, kind, wanted[0])
    there = getattr(laboratory.lxd.snapshot(), kind)[wanted[0]]
    ended = laboratory.run(*DELIVER.arguments)
    assert ended.code == 69, ended.words
    assert "did not make" in ended.words
    assert (wanted[0] if isinstance(wanted[0], str) else wanted[0][-1]) in ended.words
    assert getattr(laboratory.lxd.snapshot(), kind)[wanted[0]] == there


def is_wanted(kind, key):
    """Say whether a thing of prod is one that the lab itself names: not of the golden machines, not the default."""
    if kind == "projects":
        return "golden" not in key
    if kind == "profiles":
        return key[1] == "web"
    if kind in ("instances", "volumes"):
        return key[-1].startswith("s001-")
    return True


def put_stranger(world, made, kind, key):
    """Put an unmarked copy of a thing there, with the project that it is in, which is ours."""
    if isinstance(key, tuple):
        world.projects[key[0]] = dict(made.projects[key[0]])
        world.profiles |= {name: one for name, one in made.profiles.items() if name[0] == key[0]}
    if kind == "instances":
        for name in ("acls", "networks", "volumes"):
            getattr(world, name).update({k: v for k, v in getattr(made, name).items() if k not in getattr(world, name)})
    found = getattr(made, kind)[key]
    config = {name: value for name, value in found["config"].items() if not name.startswith("user.practicum")}
    getattr(world, kind)[key] = {**found, "config": config}


def test_interrupted_at_any_call_it_says_so_and_the_next_run_converges(laboratory):
    end = undisturbed(laboratory, DELIVER)
    for number in range(2, len(end.log), 11):
        laboratory.back(DELIVER.moment, at=number, interrupt=True)
        ended = laboratory.run(*DELIVER.arguments)
        assert (ended.code, "interrupted" in ended.words) == (130, True), ended.words
        assert not any(KEY in project["config"] for project in laboratory.lxd.snapshot().projects.values())
        converges(laboratory, DELIVER, end)


def test_of_two_runs_at_once_the_second_gives_way_and_a_dead_one_is_not_waited_for(laboratory):
    end = undisturbed(laboratory, DELIVER)
    laboratory.back(DELIVER.moment, at=12, kill="after")
    assert laboratory.run(*DELIVER.arguments).code == -signal.SIGKILL
    held = [project["config"][KEY] for project in laboratory.lxd.world.projects.values() if KEY in project["config"]]
    assert len(held) == 1
    alive = held[0].replace(":", ":", 1)
    project = next(one for one in laboratory.lxd.world.projects.values() if KEY in one["config"])
    project["config"][KEY] = alive.replace('"owner": "', '"owner": "elsewhere-')
    laboratory.lxd.faults.at = 0
    refused = laboratory.run(*DELIVER.arguments)
    assert (refused.code, "another run is working on this lab" in refused.words) == (75, True)
    assert "elsewhere-" in refused.words
    project["config"][KEY] = held[0]
    converges(laboratory, DELIVER, end)


def test_a_seat_that_cannot_go_keeps_no_other(laboratory):
    destroyed = Stage("delivered", ("destroy", LAB, "--env", "prod", "--without-export"), keeps=False)
    end = undisturbed(laboratory, destroyed)
    laboratory.back("delivered", on="DELETE /1.0/instances/s001-web", refuse="the disk is tired")
    ended = laboratory.run(*destroyed.arguments)
    assert (ended.code, "the disk is tired" in ended.words) == (1, True), ended.words
    world = laboratory.lxd.world
    left = {one["config"].get("user.practicum", "") for one in [*world.networks.values(), *world.instances.values()]}
    assert {marker.rsplit("/", 1)[1] for marker in left if "/prod/" in marker} == {"s001"}
    converges(laboratory, destroyed, end)
