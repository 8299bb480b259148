"""The pure part of reconciliation: from every state there is to the desired one, with nothing too much."""

from dataclasses import replace

import pytest
from lxd_model import PINS, SPEC, Host, made, prefix, wanted

from practicum.lxd.observe import SEEDED, Observed
from practicum.lxd.plan import READY, Action, plan
from practicum.lxd.reconcile import _DOERS

DEV, PROD = wanted("dev"), wanted("prod")


def words(actions):
    return [
        f"{action.verb} {action.kind} {action.name}".replace(prefix(DEV), "").replace(prefix(PROD), "")
        for action in actions
    ]


def changed(host, kind, name, **changes):
    """Return what is observed with one object changed."""
    objects = getattr(host.seen, kind)
    return replace(host.seen, **{kind: {**objects, name: {**objects[name], **changes}}})


def config_changed(host, kind, name, **keys):
    config = {**getattr(host.seen, kind)[name]["config"], **keys}
    return changed(host, kind, name, config={key: text for key, text in config.items() if text is not None})


def without(host, kind, name):
    objects = getattr(host.seen, kind)
    return replace(host.seen, **{kind: {key: entry for key, entry in objects.items() if key != name}})


def test_on_an_empty_host_the_professor_is_made_in_order():
    todo = plan(DEV, Observed())
    assert words(todo.shared) == [
        "create project dev-net101-firewalls",
        "create acl students",
        "create profile web",
        "create profile desk",
        "create profile probe",
    ]
    assert list(todo.seats) == ["prof"]
    assert words(todo.seats["prof"]) == [
        "create acl prof",
        "create network profa",
        "create network profb",
        "create volume prof-home",
        "create volume prof-work",
        "create instance prof-web",
        "start instance prof-web",
        "seed volume prof-home",
        "attach instance prof-web",
        "complete instance prof-web",
        "create instance prof-desk",
        "start instance prof-desk",
        "seed volume prof-work",
        "attach instance prof-desk",
        "complete instance prof-desk",
        "create instance probe",
        "start instance probe",
        "complete instance probe",
    ]


def test_on_an_empty_host_students_are_made_from_the_checkpoint_and_its_volumes():
    todo = plan(PROD, Observed())
    assert list(todo.seats) == ["prof", "s001", "s002"]
    assert words(todo.seats["s002"]) == [
        "create acl s002",
        "create network s002a",
        "create network s002b",
        "create volume s002-home",
        "create volume s002-work",
        "create instance s002-web",
        "start instance s002-web",
        "complete instance s002-web",
        "create instance s002-desk",
        "start instance s002-desk",
        "seed volume s002-work",
        "attach instance s002-desk",
        "complete instance s002-desk",
    ]
    volume = next(action for action in todo.seats["s002"] if action.kind == "volume").subject
    assert (volume.origin, volume.origin_project) == ("1-home", "checkpoints")


def test_a_volume_is_not_attached_before_it_is_filled():
    actions = {f"{action.verb} {action.name}": action for action in plan(DEV, Observed()).seats["prof"]}
    assert "home" not in actions["create prof-web"].subject.devices
    assert actions["attach prof-web"].subject.devices["home"]["source"] == "prof-home"
    assert {"home"} <= actions["create prof-desk"].subject.devices.keys()
    assert "work" not in actions["create prof-desk"].subject.devices


@pytest.mark.parametrize("desired", [DEV, PROD, wanted("prod", ["s002"])])
def test_when_all_is_as_desired_nothing_is_done(desired):
    host = made(desired)
    todo = plan(desired, host.seen)
    assert todo.actions == ()
    assert (todo.seats, todo.extra, todo.outdated) == ({}, (), ())


@pytest.mark.parametrize("desired", [DEV, PROD])
def test_killed_anywhere_the_next_run_converges(desired):
    actions = plan(desired, Observed()).actions
    for count in range(len(actions)):
        host = Host(Observed())
        for action in actions[:count]:
            host.do(action)
        host.do_all(plan(desired, host.seen))
        assert plan(desired, host.seen).actions == (), words(actions[:count])


def test_a_professor_machine_that_was_not_completed_is_resumed_and_never_deleted():
    actions = plan(DEV, Observed()).actions
    for count in range(len(actions)):
        host = Host(Observed())
        for action in actions[:count]:
            host.do(action)
        again = plan(DEV, host.seen)
        assert not [action for action in again.actions if action.verb == "delete"]
        assert not {action.name for action in again.actions if action.verb == "create"} & set(host.seen.instances)


def test_an_incomplete_student_machine_is_made_again_and_its_volumes_stay():
    seen = config_changed(made(PROD), "instances", "s001-desk", **{READY: None})
    todo = plan(PROD, seen)
    assert list(todo.seats) == ["s001"]
    assert words(todo.actions) == [
        "delete instance s001-desk",
        "create instance s001-desk",
        "start instance s001-desk",
        "complete instance s001-desk",
    ]
    created = todo.actions[1].subject
    assert {"home", "work"} <= created.devices.keys()


def test_a_deleted_machine_is_made_again_with_its_old_volume():
    todo = plan(PROD, without(made(PROD), "instances", "s001-web"))
    assert words(todo.actions) == ["create instance s001-web", "start instance s001-web", "complete instance s001-web"]
    assert "home" in todo.actions[0].subject.devices


def test_a_stopped_machine_is_started():
    todo = plan(PROD, changed(made(PROD), "instances", "s001-web", status="Stopped"))
    assert words(todo.actions) == ["start instance s001-web"]
    assert todo.actions[0].why == "it is stopped"


@pytest.mark.parametrize(
    "change",
    [
        {"devices": {}},
        {"profiles": ["default"]},
        {"devices": {**made(PROD).seen.instances["s001-web"]["devices"], "hole": {"type": "proxy"}}},
    ],
)
def test_a_machine_whose_settings_differ_is_updated_in_place(change):
    todo = plan(PROD, changed(made(PROD), "instances", "s001-web", **change))
    assert words(todo.actions) == ["update instance s001-web"]
    assert plan(PROD, Host(changed(made(PROD), "instances", "s001-web", **change)).do_all(todo).seen).actions == ()


def test_a_changed_address_is_brought_back():
    seen = config_changed(made(PROD), "instances", "s001-web", **{"user.practicum.interfaces": "auto lo\n"})
    assert words(plan(PROD, seen).actions) == ["update instance s001-web"]


def test_keys_of_lxd_and_of_users_are_left_alone():
    seen = config_changed(made(PROD), "instances", "s001-web", **{"volatile.eth0.hwaddr": "x", "user.note": "mine"})
    assert plan(PROD, seen).actions == ()


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("networks", "s001a", "security.acls"),
        ("networks", "s001b", "ipv4.address"),
        ("networks", "s001a", "user.practicum"),
    ],
)
def test_a_network_that_drifted_is_brought_back(kind, name, key):
    full = prefix(PROD) + name
    for other in ("", "other", None):
        todo = plan(PROD, config_changed(made(PROD), kind, full, **{key: other}))
        assert words(todo.actions) == [f"update network {name}"]
    assert plan(PROD, config_changed(made(PROD), kind, full, **{"volatile.x": "y"})).actions == ()


def test_a_deleted_network_and_acl_are_made_again():
    host = made(PROD)
    assert words(plan(PROD, without(host, "networks", prefix(PROD) + "s002a")).actions) == ["create network s002a"]
    assert words(plan(PROD, without(host, "acls", prefix(PROD) + "s002")).actions) == ["create acl s002"]


RULE = {"action": "allow", "state": "enabled", "destination": "0.0.0.0/0"}


@pytest.mark.parametrize("side", ["egress", "ingress"])
@pytest.mark.parametrize("name", ["s001", "students", "prof"])
def test_a_hole_in_an_acl_is_closed(side, name):
    host = made(PROD)
    rules = host.seen.acls[prefix(PROD) + name][side]
    for other in ([*rules, RULE], rules[:-1], [{**rules[0], "state": "disabled"}, *rules[1:]] if rules else [RULE]):
        if other != rules:
            todo = plan(PROD, changed(host, "acls", prefix(PROD) + name, **{side: other}))
            assert words(todo.actions) == [f"update acl {name}"]


def test_the_order_of_rules_and_empty_keys_are_no_difference():
    host = made(PROD)
    name = prefix(PROD) + "students"
    rules = [{key: text for key, text in rule.items() if text} for rule in reversed(host.seen.acls[name]["egress"])]
    assert len(rules) == 2
    assert plan(PROD, changed(host, "acls", name, egress=rules)).actions == ()


@pytest.mark.parametrize("change", [{"config": {}}, {"devices": {}}])
def test_a_profile_that_drifted_is_brought_back(change):
    assert words(plan(PROD, changed(made(PROD), "profiles", "web", **change)).actions) == ["update profile web"]


def test_a_limit_that_somebody_added_to_a_profile_goes():
    seen = config_changed(made(PROD), "profiles", "web", **{"security.privileged": "true"})
    assert words(plan(PROD, seen).actions) == ["update profile web"]


def test_a_project_that_lost_a_feature_is_brought_back_and_its_lock_is_no_difference():
    host = made(PROD)
    project = host.seen.project
    locked = replace(host.seen, project={**project, "config": {**project["config"], "user.practicum.lock": "{}"}})
    assert plan(PROD, locked).actions == ()
    lost = replace(host.seen, project={**project, "config": {**project["config"], "features.profiles": "false"}})
    assert words(plan(PROD, lost).actions) == ["update project prod-net101-firewalls"]


def test_a_volume_of_another_size_is_resized_and_not_filled_again():
    bigger = wanted("prod", spec=SPEC.replace("2GiB", "3GiB"))
    todo = plan(bigger, made(PROD).seen)
    assert words(todo.actions) == [f"update volume {seat}-home" for seat in ("prof", "s001", "s002")]
    host = made(PROD).do_all(todo)
    assert host.seen.volumes["practicum", "s001-home"]["config"][SEEDED] == "1-home"


def test_a_volume_that_was_never_filled_is_filled_first():
    host = made(DEV)
    seen = config_changed(host, "volumes", ("practicum", "prof-home"), **{SEEDED: None})
    todo = plan(DEV, seen)
    assert words(todo.actions) == ["update instance prof-web", "seed volume prof-home", "attach instance prof-web"]
    assert "home" not in todo.actions[0].subject.devices
    assert plan(DEV, Host(seen).do_all(todo).seen).actions == ()


def test_a_volume_of_a_new_seat_without_a_checkpoint_copy_is_filled_from_the_image():
    desired = wanted("prod", ["s001"], replace(PINS, volumes={}))
    assert "seed volume s001-home" in words(plan(desired, Observed()).actions)


def stopped(desired):
    return replace(desired, seats=tuple(replace(seat, running=False) for seat in desired.seats))


def test_a_stopped_lab_only_stops_what_runs():
    todo = plan(stopped(PROD), made(PROD).seen)
    assert words(todo.seats["s001"]) == ["stop instance s001-web", "stop instance s001-desk"]
    assert "stop instance probe" in words(todo.seats["prof"])
    assert {action.verb for action in todo.actions} == {"stop"}
    assert plan(stopped(PROD), made(PROD).do_all(todo).seen).actions == ()


def test_a_stopped_seat_makes_nothing_new():
    assert plan(stopped(PROD), made(wanted("prod", ["prof"])).seen).seats.keys() == {"prof"}
    assert plan(stopped(PROD), Observed()).seats == {}


def test_a_started_lab_starts_what_was_stopped():
    host = made(PROD)
    host.do_all(plan(stopped(PROD), host.seen))
    todo = plan(PROD, host.seen)
    assert {action.verb for action in todo.actions} == {"start"}
    assert len(todo.actions) == 7


def test_machines_of_an_older_release_are_named_and_left_alone():
    newer = wanted("prod", pins=replace(PINS, machines={"web": "fp-new", "desk": "fp-cp-desk"}))
    todo = plan(newer, made(PROD).seen)
    assert todo.actions == ()
    assert todo.outdated == ("prof-web", "s001-web", "s002-web")


def test_a_newer_base_image_changes_no_machine_of_the_professor():
    newer = wanted("dev", pins=replace(PINS, recipes={"debian": "fp-other", "webserver": "fp-other"}))
    todo = plan(newer, made(DEV).seen)
    assert (todo.actions, todo.outdated) == ((), ())


def test_a_new_step_is_done_on_the_machine_as_it_stands():
    newer = wanted("dev", spec=SPEC.replace("[nftables]", "[nftables, curl]"))
    assert words(plan(newer, made(DEV).seen).actions) == ["complete instance prof-web"]


def test_what_is_not_in_the_definitions_is_only_named():
    host = made(PROD)
    marker = {"user.practicum": PROD.marker.removesuffix("-") + "s001"}
    left = {"s001-old": {"config": marker, "status": "Running"}, "mine": {"config": {}, "status": "Running"}}
    todo = plan(PROD, replace(host.seen, instances={**host.seen.instances, **left}))
    assert todo.actions == ()
    assert todo.extra == ("s001-old",)


def test_seats_that_were_not_chosen_are_neither_touched_nor_named():
    host = made(PROD)
    host.seen = without(host, "networks", prefix(PROD) + "s002a")
    todo = plan(wanted("prod", ["s001"]), host.seen)
    assert (todo.actions, todo.extra) == ((), ())


def test_every_action_that_can_be_planned_can_be_done():
    plans = [plan(DEV, Observed()), plan(PROD, Observed()), plan(stopped(PROD), made(PROD).seen)]
    plans.append(plan(PROD, config_changed(made(PROD), "instances", "s001-desk", **{READY: None})))
    pairs = {(action.kind, action.verb) for todo in plans for action in todo.actions}
    updates = {(kind, "update") for kind in ("project", "acl", "profile", "network", "volume", "instance")}
    # What test_replacement_plan.py plans.
    replacing = {("instance", verb) for verb in ("prepare", "switch", "halt", "return", "keep")}
    replacing |= {("volume", verb) for verb in ("clear", "adopt")}
    assert pairs | updates | replacing == set(_DOERS)


def test_a_plan_lists_shared_actions_before_those_of_seats():
    todo = plan(DEV, Observed())
    assert todo.actions[: len(todo.shared)] == todo.shared
    assert all(isinstance(action, Action) and action.seat in ("-", "prof") for action in todo.actions)
