"""What the checks say of made-up hosts: a folder in place of `/`, and facts in place of a real LXD."""

import shutil
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from generator.spec.platform import Capacity, Platform, default_platform
from practicum.stages.doctor import check_host
from practicum.stages.host import GIB, KERNEL, SYSCTLS, HostFacts, LxdFacts
from practicum.stages.host_record import Places
from practicum.stages.preconditions import programs
from practicum.stages.preconditions.lxd import EXTENSIONS
from practicum.stages.preconditions.model import Host, HostCheck, Origin

LXD = LxdFacts(
    "5.0.2", "lxc | qemu", ("dir", "btrfs"), {"practicum": "btrfs"}, 20 * GIB, (), total=40 * GIB,
    features={"idmapped_mounts": "true"}, extensions=frozenset(EXTENSIONS),
)  # fmt: skip
FACTS = HostFacts(
    root=True, missing=(), sysctls=dict(SYSCTLS), subuid=65536, subgid=65536, disk_free=100 * GIB, resolves=True,
    forward=1, bridge_filter=None, socket="/run/lxd/unix.socket", pool="practicum", lxd=LXD,
)  # fmt: skip
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
FILES = {
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "sys/module/apparmor/parameters/enabled": "Y\n",
    "run/systemd/timesync/synchronized": "",
    "proc/meminfo": "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n",
    "proc/net/udp": "  sl  local_address rem_address\n  1: 0100007F:0035 00000000:0000\n",
    # a default route, and an interface with 192.168.1.0/24
    "proc/net/route": ROUTES
    + "eth0\t00000000\t0101A8C0\t3\t0\t0\t0\t00000000\neth0\t0001A8C0\t0\t1\t0\t0\t0\t00FFFFFF\n",
    "proc/mounts": "none / btrfs rw 0 0\nserver:/x /srv/nfs nfs4 rw 0 0\n",
    "dev/kvm": "",
}
PLATFORMS = {name: replace(default_platform(name), installation="k3v9t2qa") for name in ("dev", "prod")}


def route(interface: str, network: str) -> str:
    area = IPv4Network(network)
    address, mask = (word.packed[::-1].hex().upper() for word in (area.network_address, area.netmask))
    return f"{interface}\t{address}\t00000000\t1\t0\t0\t0\t{mask}\n"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host with all that labs need."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Host(FACTS, Places(root=tmp_path), PLATFORMS)


def put(host: Host, name: str, text: str | None) -> None:
    path = host.places.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.unlink()
    else:
        path.write_text(text)


def platform(**change: Any) -> dict[str, Platform]:
    return {name: replace(one, **change) for name, one in PLATFORMS.items()}


def bad(host: Host) -> list[HostCheck]:
    return [check for check in check_host(host) if check.state != "ok"]


def only(host: Host) -> HostCheck:
    (check,) = bad(host)
    assert check.fix
    assert check.why
    return check


def found(host: Host, name: str) -> str:
    (check,) = (check for check in check_host(host) if check.name == name)
    return check.found


def test_a_ready_host_has_nothing_to_fix(host: Host) -> None:
    assert bad(host) == []
    assert all(check.fix == "" and not check.automatic and check.why for check in check_host(host))
    names = [check.name for check in check_host(host)]
    assert len(names) == len(set(names)) > 25


@pytest.mark.parametrize(
    ("change", "name", "fix", "automatic"),
    [
        (
            {"missing": ("lxd", "zstd")}, "packages",
            "sudo apt-get install --yes --no-install-recommends lxd zstd", True,
        ),
        ({"missing": ("lxd",), "apt": False}, "packages", "install lxd", False),
        ({"subuid": 0}, "subuid", "sudo practicum setup", True),
        ({"subgid": 1000}, "subgid", "sudo practicum setup", True),
        ({"lxd": None, "lxd_error": "there is no socket"}, "LXD", "sudo practicum setup", True),
        (
            {"lxd": None, "lxd_error": "this user may not use it"}, "LXD",
            "sudo usermod --append --groups lxd $USER  # then sign in again", False,
        ),
        ({"lxd": replace(LXD, version="4.0.9")}, "LXD", "sudo apt-get install --yes lxd", False),
        ({"lxd": replace(LXD, extensions=frozenset())}, "LXD's API", "sudo apt-get install --yes lxd", False),
        ({"lxd": replace(LXD, pools={}, free=-1)}, "pool practicum", "sudo practicum setup", True),
        (
            {"lxd": replace(LXD, pools={}, storage_drivers=("dir",))}, "pool practicum",
            "sudo modprobe btrfs && sudo systemctl restart lxd", False,
        ),
        (
            {"lxd": replace(LXD, pool_status="Unavailable")}, "pool health",
            "lxc storage show practicum; sudo systemctl restart lxd", False,
        ),
        (
            {"lxd": replace(LXD, free=GIB)}, "pool space",
            "practicum destroy LAB --env …, for labs that have ended", False,
        ),
        ({"disk_free": GIB}, "disk", "free some space below /run/lxd", False),
        ({"resolves": False}, "DNS", "check the nameserver lines of /etc/resolv.conf", False),
    ],
)  # fmt: skip
def test_what_is_missing_has_its_fix(host: Host, change: dict[str, Any], name: str, fix: str, automatic: bool) -> None:
    check = only(replace(host, facts=replace(FACTS, **change)))
    assert (check.name, check.state, check.fix, check.automatic) == (name, "missing", fix, automatic)


@pytest.mark.parametrize("name", SYSCTLS)
def test_each_low_setting_has_its_command(host: Host, name: str) -> None:
    low = {**SYSCTLS, name: SYSCTLS[name] - 1}
    check = only(replace(host, facts=replace(FACTS, sysctls=low)))
    assert (check.name, check.automatic) == (name, True)
    assert check.state == ("warning" if KERNEL[name].get("advised") else "missing")
    assert check.fix == f"sudo sysctl -w {name}={SYSCTLS[name]}"
    assert str(SYSCTLS[name] - 1) in check.found


def test_a_setting_that_the_kernel_lacks_is_not_a_failure(host: Host) -> None:
    assert bad(replace(host, facts=replace(FACTS, sysctls=dict.fromkeys(SYSCTLS)))) == []


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        ({"pools": {"practicum": "dir"}}, "pool practicum", "copied in full"),
        ({"free": 7 * GIB}, "pool space", "nearly full"),
        ({"firewall": "xtables"}, "firewall", "xtables"),
        ({"free": 39 * GIB, "loop": True}, "disk", "may grow by 39.0"),
    ],
)
def test_what_is_not_good_is_a_warning(host: Host, change: dict[str, Any], name: str, word: str) -> None:
    facts = replace(FACTS, lxd=replace(LXD, **change), disk_free=30 * GIB)
    check = only(replace(host, facts=facts))
    assert (check.name, check.state) == (name, "warning")
    assert word in check.found


def test_the_reserve_of_the_platform_file_counts(host: Host) -> None:
    check = only(replace(host, platforms=platform(capacity=Capacity(reserve=21 * GIB))))
    assert (check.name, check.state) == ("pool space", "missing")
    assert "21GiB" in check.why


@pytest.mark.parametrize(
    ("controllers", "layout", "state"),
    [
        ("cpuset cpu io memory pids", "version 2: cpu, memory, pids", None),
        ("cpuset cpu io pids", "version 2, without memory", "missing"),
        (None, "version 1: cpu, memory, pids", None),
    ],
)
def test_cgroups_are_told_apart(host: Host, controllers: str | None, layout: str, state: str | None) -> None:
    put(host, "sys/fs/cgroup/cgroup.controllers", controllers)
    if controllers is None:
        for name in ("cpu,cpuacct", "memory", "pids"):
            (host.places.root / "sys/fs/cgroup" / name).mkdir()
    assert found(host, "cgroups") == layout
    assert [check.state for check in bad(host)] == ([state] if state else [])


def test_cgroups_of_both_versions_and_of_none(host: Host) -> None:
    put(host, "sys/fs/cgroup/cgroup.controllers", None)
    for name in ("cpu", "memory", "pids", "unified"):
        (host.places.root / "sys/fs/cgroup" / name).mkdir()
    assert found(host, "cgroups") == "version 1 and 2 together: cpu, memory, pids"
    shutil.rmtree(host.places.root / "sys/fs/cgroup")
    assert only(host).found == "version 1, without cpu, memory, pids"


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("sys/module/apparmor/parameters/enabled", "N\n", "AppArmor"),
        ("sys/module/apparmor/parameters/enabled", None, "AppArmor"),
        ("run/systemd/timesync/synchronized", None, "clock"),
        ("sys/class/net/docker0", "", "Docker"),
    ],
)
def test_files_of_the_host_give_warnings(host: Host, file: str, text: str | None, name: str) -> None:
    put(host, file, text)
    check = only(host)
    assert (check.name, check.state) == (name, "warning")


def test_more_memory_promised_than_there_is(host: Host) -> None:
    assert found(host, "memory") == "8.0 of 16.0 GiB free"
    check = only(replace(host, platforms=platform(capacity=Capacity(memory=64 * GIB))))
    assert (check.name, check.state) == ("memory", "warning")
    assert "promises 64GiB" in check.found


def test_a_dns_server_on_all_addresses_is_in_the_way(host: Host) -> None:
    put(host, "proc/net/udp", "  sl  local_address rem_address\n  1: 00000000:0035 00000000:0000\n")
    assert (only(host).name, only(host).state) == ("DNS port", "missing")


@pytest.mark.parametrize(
    ("interface", "network", "name", "state"),
    [
        ("virbr0", "10.64.3.0/24", "addresses dev", "missing"),
        ("docker1", "10.72.0.0/13", "addresses prod", "missing"),
        ("pabcdefg-s001a", "10.72.0.0/26", "addresses prod", "missing"),
        ("eth0", "10.64.0.0/12", None, "warning"),
        ("plabhash-s001a", "10.72.0.0/26", None, None),
        ("virbr0", "10.32.0.0/11", None, None),
        ("virbr0", "10.80.0.0/12", None, None),
    ],
)
def test_addresses_that_somebody_else_has(
    host: Host, interface: str, network: str, name: str | None, state: str | None
) -> None:
    put(host, "proc/net/route", ROUTES + route("eth0", "192.168.1.0/24") + route(interface, network))
    lxd = replace(LXD, bridges={"pabcdefg": "another/prod/a/b/s001", "plabhash": "k3v9t2qa/prod/a/b/s001"})
    told = bad(replace(host, facts=replace(FACTS, lxd=lxd)))
    if name:
        assert [(check.name, check.state) for check in told] == [(name, state)]
        assert f"{network} on {interface}" in told[0].found
    else:
        assert {check.state for check in told} == ({state} if state else set())


@pytest.mark.parametrize(
    ("path", "word"), [("/srv/nfs", None), ("/srv/none", "not there"), ("/srv", "nothing is mounted")]
)
def test_a_shared_folder_must_be_mounted(host: Host, path: str, word: str | None) -> None:
    (host.places.root / "srv").mkdir()
    storage = MappingProxyType({"local": "practicum", "nfs": path})
    told = bad(replace(host, platforms=platform(storage=storage)))
    assert [check.name for check in told] == (["storage nfs"] if word else [])
    assert word is None or word in told[0].found


def test_ceph_needs_its_client_only_where_a_platform_names_it(host: Host) -> None:
    storage = MappingProxyType({"local": "practicum", "ceph": "fast"})
    lxd = replace(LXD, pools={"practicum": "btrfs", "fast": "ceph"})
    named = replace(host, platforms=platform(storage=storage), facts=replace(FACTS, lxd=lxd))
    assert only(named).found == "missing: ceph-common, /etc/ceph/ceph.conf, the kernel's rbd or ceph module"
    for name in ("usr/bin/ceph", "usr/bin/rbd", "etc/ceph/ceph.conf", "sys/module/rbd/version"):
        put(host, name, "")
    assert bad(named) == []


def test_every_pool_of_a_platform_file_is_looked_for(host: Host) -> None:
    check = only(replace(host, platforms=platform(storage=MappingProxyType({"local": "practicum", "fast": "ssd"}))))
    assert (check.name, check.fix, check.automatic) == ("pool ssd", "sudo practicum setup --pool ssd", False)


def test_the_repository_is_looked_at_only_where_there_is_one(host: Host) -> None:
    assert "git origin" not in [check.name for check in check_host(host)]
    assert bad(replace(host, origin=Origin(None, "", "Ada <a@b>"))) == []
    unreachable = only(replace(host, origin=Origin("git@x:y", "no route\nmore", "Ada <a@b>")))
    assert (unreachable.name, unreachable.state, unreachable.found) == ("git origin", "missing", "git@x:y: no route")
    nobody = only(replace(host, origin=Origin("git@x:y", "", "")))
    assert (nobody.name, nobody.state) == ("git identity", "warning")


def test_python_packages_are_those_that_practicum_asks_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = programs.python_extras()
    assert wanted["pylxd"] == "lxd"
    assert wanted["gitpython"] == "git"
    assert "pytest" not in wanted
    monkeypatch.setattr(programs, "python_extras", lambda: {**wanted, "nothing-of-this-name": "web"})
    check = only(host)
    assert (check.name, check.fix) == ("Python packages", "pip install 'practicum[web]'")


def test_what_is_only_good_to_know_never_fails(host: Host) -> None:
    put(host, "dev/kvm", None)
    lxd = replace(LXD, drivers="lxc", foreign=("default/web",), inoperable=("vhost_vsock kernel module not loaded",))
    other = replace(host, facts=replace(FACTS, forward=0, bridge_filter=1, lxd=lxd))
    assert bad(other) == []
    assert found(other, "kinds") == (
        "containers only; LXD says: vhost_vsock kernel module not loaded; there is no /dev/kvm"
    )
    assert found(other, "instances") == "1 not made by Practicum: default/web"
    assert found(host, "instances") == "none but Practicum's"
    assert found(other, "IPv4 forwarding") == "off"
    assert found(other, "br_netfilter").startswith("on: ")
    assert found(host, "br_netfilter").startswith("not loaded: ")
