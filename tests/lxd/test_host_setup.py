"""Setup on a real LXD: a pool of its own name, and a second LXD that is started and stopped by hand."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from generator.spec.platform import default_platform
from practicum.lxd import daemon
from practicum.lxd.client import Lxd
from practicum.stages.doctor import doctor
from practicum.stages.host import LXD_SECONDS, observe_host
from practicum.stages.host_record import Places, SetupOptions
from practicum.stages.preconditions import GROUPS, network
from practicum.stages.preconditions.model import Host
from practicum.stages.setup import apply_setup, remove_setup

pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]


@pytest.fixture
def options(lxd: Lxd, tmp_path: Path) -> Iterator[SetupOptions]:
    """Setup of a pool that only this test has; the kernel is a made-up one without any setting."""
    places = Places(record=tmp_path / "host.json", sysctl_file=tmp_path / "60.conf", kernel=tmp_path)
    options = SetupOptions(adopt=True, socket=lxd.socket, pool=f"pt{secrets.token_hex(4)}", places=places)
    yield options
    lxd.delete("storage-pools", options.pool, "volumes", "custom", "full")
    lxd.delete("storage-pools", options.pool)


@pytest.fixture
def own_socket(lxd: Lxd) -> Iterator[str]:
    """Where a second LXD of this test may listen; afterwards it is stopped and its folder is gone."""
    folder = Path(tempfile.mkdtemp(prefix="pt-lxd-"))
    path = folder / "unix.socket"
    yield str(path)
    running = daemon.own_daemon(folder)
    if running:
        daemon.stop_daemon(running, str(path))
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", mount], check=True)
    shutil.rmtree(folder)


def test_setup_makes_the_pool_once_and_removes_it(lxd: Lxd, options: SetupOptions) -> None:
    assert [step.kind for step in apply_setup(options, lambda _: None)] == ["pool"]
    assert lxd.get("storage-pools", options.pool)["driver"] == "btrfs"
    assert apply_setup(options, lambda _: None) == []
    checks = {check.name: check for check in doctor(lxd.socket, options.pool, patience=LXD_SECONDS)}
    assert checks[f"pool {options.pool}"].ok
    assert checks["pool space"].ok
    assert checks["LXD's API"].ok
    assert checks["instances"].found
    assert remove_setup(options) == []
    assert lxd.find("storage-pools", options.pool) is None


def test_every_check_of_a_real_host_says_what_was_found_and_why_it_matters(lxd: Lxd) -> None:
    checks = doctor(lxd.socket, patience=LXD_SECONDS)
    assert {check.group for check in checks} == set(GROUPS)
    assert all(check.found and check.why and (check.fix or check.state == "ok") for check in checks)


def test_a_pool_in_use_stays_until_it_is_empty(lxd: Lxd, options: SetupOptions) -> None:
    apply_setup(options, lambda _: None)
    volumes = ("storage-pools", options.pool, "volumes", "custom")
    lxd.post(*volumes, body={"name": "full"})
    left = remove_setup(options)
    assert left[0].what == f"pool {options.pool}"
    assert "volumes/custom/full" in left[0].why
    lxd.delete(*volumes, "full")
    assert remove_setup(options) == []


def test_a_network_of_others_in_our_addresses_is_told_and_one_of_our_own_is_not(lxd: Lxd) -> None:
    name, marker = (
        f"p{''.join(secrets.choice('abcdefgh') for _ in range(7))}-s001a",
        f"{secrets.token_hex(4)}/dev/net101/lab/s001",
    )
    config = {"ipv4.address": "10.71.255.1/26", "ipv6.address": "none", "user.practicum": marker}
    lxd.post("networks", body={"name": name, "config": config})
    try:
        (told,) = [check for check in doctor(lxd.socket, patience=LXD_SECONDS) if check.name == "addresses dev"]
        assert told.state == "missing"
        assert f"10.71.255.0/26 on {name}" in told.found
        facts = observe_host(lxd.socket)
        ours = {"dev": replace(default_platform("dev"), installation=marker.split("/")[0])}
        (told,) = network.clashes(Host(facts, platforms=ours))
        assert name not in told.found
    finally:
        lxd.delete("networks", name)


def test_a_pool_that_setup_did_not_make_is_never_removed(lxd: Lxd, options: SetupOptions) -> None:
    apply_setup(options, lambda _: None)
    lxd.patch("storage-pools", options.pool, body={"config": {"user.practicum": "setup/other"}})
    assert remove_setup(options) == []
    assert lxd.find("storage-pools", options.pool) is not None


def test_lxd_is_started_by_hand_outlives_its_starter_and_is_stopped(own_socket: str) -> None:
    if daemon.SYSTEMD.is_dir():
        pytest.skip("systemd runs LXD here")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(own_socket)
    script = "import sys; from practicum.lxd.daemon import ensure_daemon; print(ensure_daemon(sys.argv[1]).pid)"
    starter = subprocess.run([sys.executable, "-c", script, own_socket], capture_output=True, text=True, check=True)
    running = daemon.own_daemon(Path(own_socket).parent)
    assert running is not None
    assert running.pid == int(starter.stdout)
    assert os.getsid(running.pid) == running.pid
    assert daemon.answers(own_socket)
    assert daemon.ensure_daemon(own_socket) is None
    assert daemon.stop_daemon(running, own_socket)
    assert not daemon.answers(own_socket)
    assert not daemon.stop_daemon(running, own_socket)
