"""The kernel: limits, ids, cgroups, AppArmor, the clock, memory."""

from collections.abc import Iterator
from pathlib import Path

from generator.spec.units import format_size
from practicum.stages.host import GIB, KERNEL, SUBORDINATE_IDS
from practicum.stages.preconditions.model import SETUP, Host, HostCheck, advise, judge, note

CGROUP = "sys/fs/cgroup"
CONTROLLERS = ("cpu", "memory", "pids")
# Files that a service leaves while it keeps the clock right: systemd-timesyncd, chrony, ntpd.
CLOCKS = ("run/systemd/timesync/synchronized", "run/chrony/chronyd.pid", "run/ntpd.pid", "run/ntpd/ntpd.pid")


def settings(host: Host) -> Iterator[HostCheck]:
    """The limits of `kernel_settings.yaml`."""
    for name, entry in KERNEL.items():
        value, least = host.facts.sysctls.get(name), entry["least"]
        if value is None:
            yield note(name, "this kernel has no such setting", entry["why"])
            continue
        say = advise if entry.get("advised") else judge
        found = str(value) if value >= least else f"{value}, less than {least}"
        yield say(name, value >= least, found, entry["why"], f"sudo sysctl -w {name}={least}", automatic=True)


def subordinate_ids(host: Host) -> Iterator[HostCheck]:
    """The ids that root may give to containers."""
    why = "containers run as users that have no rights on the host"
    for name, size in (("subuid", host.facts.subuid), ("subgid", host.facts.subgid)):
        found = f"{size} ids for root" + ("" if size >= SUBORDINATE_IDS else f", less than {SUBORDINATE_IDS}")
        yield judge(name, name not in host.facts.short_ranges, found, why, SETUP, automatic=True)


def cgroups(host: Host) -> Iterator[HostCheck]:
    """Which generation of cgroups there is, and whether limits can be enforced."""
    layout, present = _cgroup_layout(host)
    absent = [name for name in CONTROLLERS if name not in present]
    found = f"{layout}, without {', '.join(absent)}" if absent else f"{layout}: {', '.join(CONTROLLERS)}"
    fix = "add 'cgroup_enable=memory swapaccount=1' to the kernel's command line and restart the host"
    yield judge("cgroups", not absent, found, "limits of processors, memory and processes for each machine", fix)


def apparmor(host: Host) -> Iterator[HostCheck]:
    """Whether AppArmor confines containers."""
    on = (host.places.read("sys/module/apparmor/parameters/enabled") or "").strip() == "Y"
    why = "a second wall around containers; without it, user namespaces, seccomp and cgroups stand alone"
    fix = "sudo apt-get install --yes apparmor, then 'apparmor=1 security=apparmor' on the kernel's command line"
    yield advise("AppArmor", on, "on" if on else "not on in this kernel", why, fix)


def clock(host: Host) -> Iterator[HostCheck]:
    """Whether something keeps the clock right."""
    kept = any(host.places.has(path) for path in CLOCKS)
    found = "kept right" if kept else "no time service seen"
    why = "leases of labs and the times of checkpoints are compared between hosts"
    yield advise("clock", kept, found, why, "sudo apt-get install --yes systemd-timesyncd")


def memory(host: Host) -> Iterator[HostCheck]:
    """The memory of this host beside what platform files promise."""
    total, free = (_memory(host, name) for name in ("MemTotal", "MemAvailable"))
    promised = max((platform.capacity.memory or 0 for platform in host.platforms.values()), default=0)
    found = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    found += f", and platform.yaml promises {format_size(promised)}" if promised > total else ""
    why = "an idle container takes about 60 MiB; 'capacity:' in platform.yaml bounds what labs may be given"
    yield advise(
        "memory", promised <= total, found, why, "lower 'capacity: {memory: …}' in environments/*/platform.yaml"
    )


def _cgroup_layout(host: Host) -> tuple[str, set[str]]:
    """Return the layout's name and its usable controllers (cgroups(7))."""
    unified = host.places.read(f"{CGROUP}/cgroup.controllers")
    if unified is not None:
        return "version 2", set(unified.split())
    present = {part for name in _folders(host.places.root / CGROUP) for part in name.split(",")}
    return "version 1 and 2 together" if "unified" in present else "version 1", present


def _folders(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()] if path.is_dir() else []


def _memory(host: Host, name: str) -> int:
    """Return bytes of a line of /proc/meminfo, which counts in KiB."""
    rows = (line.split() for line in (host.places.read("proc/meminfo") or "").splitlines())
    return next((int(row[1]) * 1024 for row in rows if row[0] == f"{name}:"), 0)
