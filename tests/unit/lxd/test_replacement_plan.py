"""What is planned for a class that runs an older release, from every state that a killed replacement can leave."""

from dataclasses import replace

import pytest
from lxd_model import PINS, made, wanted

from practicum.lxd.desired import Replacement
from practicum.lxd.observe import CLEARED, SEEDED, WHOLE
from practicum.lxd.plan import AGAIN, BASE_IMAGE, CARRIED, READY, plan

OLD = wanted("prod", ["s001"])
NEW_PINS = replace(
    PINS, machines={"web": "fp-new-web", "desk": "fp-new-desk"}, volumes={"home": "2-home", "work": "2-work"}
)
NEW = wanted("prod", ["s001"], NEW_PINS)
BOTH = {"s001-web": (), "s001-desk": ()}


def delivered():
    """Return what is observed of a class that runs the old release."""
    seen = made(OLD).seen
    images = {"s001-web": "fp-cp-web", "s001-desk": "fp-cp-desk"}
    instances = {
        name: {**found, "config": {**found["config"], BASE_IMAGE: images.get(name, "")}}
        for name, found in seen.instances.items()
    }
    return replace(seen, instances=instances)


def renamed(seen, name, to, **config):
    instances = dict(seen.instances)
    found = instances.pop(name)
    return replace(seen, instances={**instances, to: {**found, "name": to, "config": {**found["config"], **config}}})


def with_next(seen, **config):
    """Return what is observed with a `next-s001-web`, which has no ready mark unless it is given one."""
    found = seen.instances["s001-web"]
    kept = {key: text for key, text in found["config"].items() if key != READY}
    return replace(seen, instances={**seen.instances, "next-s001-web": {**found, "config": {**kept, **config}}})


def words(desired, seen):
    todo = plan(desired, seen)
    assert todo.shared == ()
    return [f"{action.verb} {action.name}" for action in todo.seats.get("s001", ())]


def test_a_run_that_replaces_nothing_leaves_an_older_release_alone():
    todo = plan(NEW, delivered())
    assert (todo.actions, todo.outdated) == ((), ("s001-web", "s001-desk"))


def test_all_systems_are_prepared_before_the_first_is_switched():
    assert words(replace(NEW, replacement=Replacement(BOTH)), delivered()) == [
        "prepare s001-web",
        "prepare s001-desk",
        "switch s001-web",
        "complete s001-web",
        "switch s001-desk",
        "complete s001-desk",
    ]


def test_only_what_was_chosen_is_replaced():
    todo = plan(replace(NEW, replacement=Replacement({"s001-desk": ()})), delivered())
    assert [f"{action.verb} {action.name}" for action in todo.actions] == [
        "prepare s001-desk",
        "switch s001-desk",
        "complete s001-desk",
    ]
    assert todo.outdated == ("s001-web",)


def test_new_files_of_the_same_checkpoint_need_no_new_system():
    # Per-student content changed, the image did not.
    changed = wanted("prod", ["s001"], PINS, lambda kind, argument, seat: f"new-{kind}-{argument}-{seat}")
    files_only = replace(
        changed, acls=OLD.acls, seats=tuple(replace(seat, acls=OLD.seats[0].acls) for seat in changed.seats)
    )
    assert plan(files_only, delivered()).outdated == ("s001-web",)
    assert words(replace(files_only, replacement=Replacement(BOTH)), delivered()) == ["complete s001-web"]


def cleared_for(seen, occasion, *names):
    """Return what is observed when these volumes started anew for an occasion already."""
    volumes = {
        (pool, name): {**found, "config": {**found["config"], CLEARED: occasion}} if name in names else found
        for (pool, name), found in seen.volumes.items()
    }
    return replace(seen, volumes=volumes)


def test_clearing_volumes_halts_the_whole_seat_first_and_clears_once():
    desired = replace(NEW, replacement=Replacement(BOTH, clear="release 2"))
    planned = words(desired, delivered())
    assert planned[2:6] == ["halt s001-web", "halt s001-desk", "clear s001-home", "clear s001-work"]
    half = words(desired, cleared_for(delivered(), "release 2", "s001-home"))
    assert [step for step in half if step.startswith("clear")] == ["clear s001-work"]
    whole = words(desired, cleared_for(delivered(), "release 2", "s001-home", "s001-work"))
    assert not any(step.startswith(("clear", "halt")) for step in whole)
    # What started anew for an earlier release does so again.
    assert "clear s001-home" in words(desired, cleared_for(delivered(), "release 1", "s001-home", "s001-work"))


def test_a_volume_that_a_killed_run_put_aside_is_cleared_and_not_just_made():
    desired = replace(NEW, replacement=Replacement(BOTH, clear="release 2"))
    seen = delivered()
    volumes = dict(seen.volumes)
    volumes[("practicum", "prev-s001-home")] = volumes.pop(("practicum", "s001-home"))
    planned = words(desired, replace(seen, volumes=volumes))
    assert ("clear s001-home" in planned, "create s001-home" in planned) == (True, False)


def test_a_machine_of_a_cleared_seat_that_keeps_its_system_gets_its_volumes_back():
    # Only one machine needs the new system, and both have the volume.
    desired = replace(NEW, replacement=Replacement({"s001-web": ()}, clear="release 2"))
    planned = words(desired, delivered())
    assert planned.index("halt s001-desk") < planned.index("clear s001-home") < planned.index("update s001-desk")
    assert planned[planned.index("update s001-desk") + 1] == "start s001-desk"


def test_what_came_in_whole_takes_its_place_and_what_did_not_is_no_volume():
    seen = delivered()
    volumes = dict(seen.volumes)
    incoming = volumes.pop(("practicum", "s001-home"))
    whole = {**incoming, "config": {**incoming["config"], WHOLE: "true"}}
    assert words(NEW, replace(seen, volumes={**volumes, ("practicum", "s001-home-incoming"): whole})) == [
        "adopt s001-home"
    ]
    half = replace(seen, volumes={**volumes, ("practicum", "s001-home-incoming"): incoming})
    assert words(NEW, half) == ["create s001-home"]


def test_what_came_in_whole_is_not_filled_again_over_the_files_in_it():
    dev = wanted("dev")
    seen = made(dev).seen
    volumes = dict(seen.volumes)
    incoming = volumes.pop(("practicum", "prof-home"))
    config = {**incoming["config"], WHOLE: "true"}
    for kept, verbs in ((config, ["adopt"]), (unseeded(config), ["adopt", "update", "seed", "attach"])):
        there = {**volumes, ("practicum", "prof-home-incoming"): {**incoming, "config": kept}}
        todo = plan(dev, replace(seen, volumes=there))
        assert [action.verb for action in todo.actions] == verbs


def unseeded(config):
    return {key: text for key, text in config.items() if key != SEEDED}


@pytest.mark.parametrize("systems", [{}, BOTH])
def test_between_the_renames_what_was_prepared_takes_its_place(systems):
    seen = renamed(with_next(delivered(), **{CARRIED: "x"}), "s001-web", "prev-s001-web")
    planned = words(replace(NEW, replacement=Replacement(systems)), seen)
    assert [step for step in planned if step.endswith("-web")] == ["switch s001-web", "complete s001-web"]


def test_a_machine_that_is_missing_with_nothing_prepared_gets_its_previous_system_back():
    seen = renamed(delivered(), "s001-web", "prev-s001-web")
    assert words(NEW, seen) == ["return s001-web"]
    half_prepared = renamed(with_next(delivered()), "s001-web", "prev-s001-web")
    assert words(NEW, half_prepared) == ["return s001-web", "delete next-s001-web"]


def test_a_switched_machine_is_completed_and_never_made_again():
    seen = delivered()
    config = {key: text for key, text in seen.instances["s001-web"]["config"].items() if key != READY}
    digest = NEW.seats[0].instances[0].digest
    found = {**seen.instances["s001-web"], "config": {**config, CARRIED: digest, BASE_IMAGE: "fp-new-web"}}
    assert words(NEW, replace(seen, instances={**seen.instances, "s001-web": found})) == ["complete s001-web"]
    # Carried over for a release that is not the wanted one any more: it is outdated, not ready.
    other = {**found, "config": {**found["config"], CARRIED: "another", BASE_IMAGE: "fp-other"}}
    assert plan(NEW, replace(seen, instances={**seen.instances, "s001-web": other})).outdated == (
        "s001-web",
        "s001-desk",
    )


def test_a_preparation_that_nobody_wants_any_more_goes():
    assert words(NEW, with_next(delivered())) == ["delete next-s001-web"]


def test_an_undo_that_was_cut_off_keeps_the_system_that_it_put_aside():
    seen = with_next(delivered(), **{READY: "newer", CARRIED: "newer"})
    assert words(NEW, seen) == ["keep s001-web"]
    both = replace(seen, instances={**seen.instances, "prev-s001-web": seen.instances["s001-web"]})
    assert words(NEW, both) == ["delete next-s001-web"]


def test_systems_put_aside_are_no_machines_that_the_spec_lost():
    seen = with_next(renamed(delivered(), "s001-desk", "prev-s001-desk"))
    assert plan(NEW, seen).extra == ()


def test_a_reset_replaces_what_is_up_to_date_and_clears_a_volume_once():
    desired = replace(OLD, replacement=Replacement(BOTH, clear="reset", again=True))
    assert words(desired, delivered())[:6] == [
        "prepare s001-web",
        "prepare s001-desk",
        "halt s001-web",
        "halt s001-desk",
        "clear s001-home",
        "clear s001-work",
    ]
    # A machine that this reset gave its system is not given it once more: what was before it would be lost.
    half = renamed(delivered(), "s001-web", "s001-web", **{AGAIN: "true"})
    assert [step for step in words(desired, half) if step.startswith("prepare")] == ["prepare s001-desk"]
    done = cleared_for(delivered(), "reset", "s001-home", "s001-work")
    assert not any(step.startswith("clear") for step in words(desired, done))
