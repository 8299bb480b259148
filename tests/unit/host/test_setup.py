"""Setup on a made-up host: what is planned, what is written, and that undoing brings back what was."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from practicum.errors import InputError, PermissionsError, UnavailableError
from practicum.stages import host, setup
from practicum.stages.host import GIB, SYSCTLS, HostFacts, LxdFacts
from practicum.stages.host_record import HostRecord, Places, SetupOptions, load_record, save_record
from practicum.stages.setup import apply_setup, plan_setup, pool_size, remove_setup

LXD = LxdFacts("5.0.2", "lxc", ("btrfs",), {"practicum": "btrfs"}, 20 * GIB, ())
READY = HostFacts(
    root=True, missing=(), sysctls=dict(SYSCTLS), subuid=65536, subgid=65536, disk_free=100 * GIB, resolves=True,
    forward=1, bridge_filter=1, socket="/run/lxd/unix.socket", pool="practicum", lxd=LXD,
)  # fmt: skip
INSTANCES = "fs.inotify.max_user_instances"


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetupOptions:
    """A host with everything but two low settings and ranges for root."""
    values = {**SYSCTLS, INSTANCES: 128, "kernel.keys.maxkeys": 200}
    for name, value in values.items():
        path = tmp_path / "sys" / name.replace(".", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    (tmp_path / "subuid").write_text("ada:1000000:65536\n")
    (tmp_path / "subgid").write_text("root:100000:65536")
    places = Places(
        record=tmp_path / "lib/host.json", sysctl_file=tmp_path / "sysctl.d/60-practicum.conf",
        kernel=tmp_path / "sys", subuid=tmp_path / "subuid", subgid=tmp_path / "subgid",
    )  # fmt: skip
    monkeypatch.setattr(host, "missing_packages", lambda: ())
    monkeypatch.setattr(host, "_ask_lxd", lambda *_: (LXD, ""))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return SetupOptions(places=places)


def setting(options: SetupOptions, name: str) -> int:
    return int((options.places.kernel / name.replace(".", "/")).read_text())


def content(options: SetupOptions) -> dict[str, str]:
    root = options.places.kernel.parent
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def apply(options: SetupOptions) -> list[str]:
    return [step.kind for step in apply_setup(options, lambda _: None)]


def test_a_ready_host_needs_nothing() -> None:
    assert plan_setup(READY) == []


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({"missing": ("lxd", "zstd"), "lxd": None}, ["packages", "daemon", "pool"]),
        ({"subuid": 0}, ["ranges"]),
        ({"sysctls": {**SYSCTLS, INSTANCES: 128}}, ["sysctls"]),
        ({"sysctls": {**SYSCTLS, INSTANCES: None}}, []),
        ({"lxd": replace(LXD, pools={"other": "dir"})}, ["pool"]),
        ({"lxd": replace(LXD, foreign=("default/web",))}, []),
    ],
)
def test_only_what_is_missing_is_planned(change: dict[str, Any], kinds: list[str]) -> None:
    assert [step.kind for step in plan_setup(replace(READY, **change))] == kinds


def test_an_lxd_of_others_is_shared_only_when_told() -> None:
    facts = replace(READY, lxd=replace(LXD, pools={}, foreign=("default/web", "p/db")))
    with pytest.raises(PermissionsError) as caught:
        plan_setup(facts)
    assert caught.value.details == "default/web\np/db"
    assert "--adopt" in caught.value.resolution
    assert [step.kind for step in plan_setup(facts, adopt=True)] == ["pool"]


@pytest.mark.parametrize(
    "change",
    [{"lxd": replace(LXD, version="4.24")}, {"lxd": replace(LXD, pools={}, storage_drivers=("dir",))},
     {"missing": ("lxd",), "apt": False}],
)  # fmt: skip
def test_what_setup_cannot_do_is_said_before_any_effect(change: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError):
        plan_setup(replace(READY, **change))


@pytest.mark.parametrize(("free", "size"), [(12, 8), (19, 8), (50, 20), (250, 100), (4000, 100)])
def test_the_pool_takes_a_share_of_the_disk(free: int, size: int) -> None:
    assert pool_size(free * GIB) == size * GIB


def test_a_disk_that_is_too_small_is_refused() -> None:
    with pytest.raises(PermissionsError, match="needs 12 GiB"):
        pool_size(11 * GIB)


def test_setup_raises_settings_and_keeps_the_earlier_ones_in_mind(options: SetupOptions) -> None:
    assert apply(options) == ["ranges", "sysctls"]
    assert setting(options, INSTANCES) == SYSCTLS[INSTANCES]
    assert f"{INSTANCES} = 8192\n" in options.places.sysctl_file.read_text()
    assert "gc_thresh3" not in options.places.sysctl_file.read_text()
    assert load_record(options.places).sysctls == {INSTANCES: 128, "kernel.keys.maxkeys": 200}
    assert options.places.subuid.read_text() == "ada:1000000:65536\nroot:1065536:1000000000\n"


def test_setup_twice_does_nothing_the_second_time(options: SetupOptions) -> None:
    apply(options)
    before = content(options)
    assert apply(options) == []
    assert content(options) == before


def test_removing_brings_back_what_was(options: SetupOptions) -> None:
    before = content(options)
    apply(options)
    assert remove_setup(options) == []
    assert content(options) == before
    assert remove_setup(options) == []


@pytest.mark.parametrize("broken", ["write_atomically", "write_sysctl", "_free_start"])
def test_a_kill_between_record_and_effect_converges_both_ways(
    options: SetupOptions, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = content(options)
    with monkeypatch.context() as patch:
        patch.setattr(setup, broken, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            apply(options)
    assert remove_setup(options) == []
    assert content(options) == before
    apply(options)
    assert apply(options) == []


def test_after_a_reboot_the_settings_are_raised_again_and_the_earliest_values_kept(options: SetupOptions) -> None:
    apply(options)
    (options.places.kernel / INSTANCES.replace(".", "/")).write_text("256\n")
    assert apply(options) == ["sysctls"]
    assert load_record(options.places).sysctls[INSTANCES] == 128


def test_a_setting_that_someone_changed_since_is_left(options: SetupOptions) -> None:
    apply(options)
    (options.places.kernel / INSTANCES.replace(".", "/")).write_text("9999\n")
    assert [(left.what, left.why) for left in remove_setup(options)] == [
        (INSTANCES, "it is 9999 now, which setup did not write")
    ]
    assert setting(options, INSTANCES) == 9999


def test_a_kernel_that_is_not_ours_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(PermissionsError, match=r"kernel setting a\.b") as caught:
        host.write_sysctl(tmp_path / "none/b", "a.b", 5)
    assert caught.value.resolution.endswith("sysctl -w a.b=5")


def test_only_root_sets_up(options: SetupOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PermissionsError):
        apply(options)
    with pytest.raises(PermissionsError):
        remove_setup(options)


def test_the_record_survives_a_round_trip_and_damage_is_said(options: SetupOptions) -> None:
    record = HostRecord(packages=["lxd"], sysctls={"a": 1}, pools=["practicum"], daemon=True)
    save_record(record, options.places)
    assert load_record(options.places) == record
    options.places.record.write_text(json.dumps({"unknown": 1}))
    with pytest.raises(InputError, match=r"host\.json is damaged"):
        load_record(options.places)


def test_packages_are_left_with_the_command_that_removes_them(options: SetupOptions) -> None:
    save_record(HostRecord(packages=["lxd"]), options.places)
    assert [(left.what, left.why) for left in remove_setup(options)] == [("package lxd", "apt-get remove lxd")]
