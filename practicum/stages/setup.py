"""Making a host ready for labs, step by step and repeatably, and undoing exactly that."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from practicum.errors import PermissionsError, PracticumError, UnavailableError
from practicum.files import write_atomically
from practicum.lxd.client import Lxd
from practicum.lxd.daemon import ensure_daemon
from practicum.lxd.inventory import MARKER
from practicum.stages.host import (
    GIB,
    SYSCTLS,
    HostFacts,
    observe_host,
    require_root,
    write_sysctl,
)
from practicum.stages.host_record import HostRecord, SetupOptions, load_record, save_record
from practicum.stages.remove_setup import Left, remove_setup

__all__ = ["Left", "SetupOptions", "SetupStep", "apply_setup", "plan_setup", "pool_size", "remove_setup"]

LEAST_POOL = 8 * GIB
LARGEST_POOL = 100 * GIB
SHARE_OF_FREE = 0.4
LEFT_ON_DISK = 4 * GIB
RANGE_START, RANGE_SIZE = 1_000_000, 1_000_000_000


@dataclass(frozen=True)
class SetupStep:
    """One change: `text` for people; `names` are packages, settings or files, `size` is bytes of a pool."""

    kind: str
    text: str
    names: tuple[str, ...] = ()
    size: int = 0


def plan_setup(facts: HostFacts, adopt: bool = False) -> list[SetupStep]:
    """Return what setup would do to a host that looks like this; nothing when it is ready.

    Raises PermissionsError where setup must not or cannot go on: instances of others without `adopt`, too little
    disk, an LXD that is too old.
    """
    _refuse(facts, adopt)
    steps = [_packages(facts), _ranges(facts), _sysctls(facts)]
    if facts.lxd is None:
        steps.append(SetupStep("daemon", "start LXD"))
    if not facts.has_pool:
        steps.append(_pool(facts))
    return [step for step in steps if step]


def apply_setup(options: SetupOptions, report: Callable[[str], None]) -> list[SetupStep]:
    """Do what is missing, looking again after each step; return the steps done. Needs root.

    Each change is recorded before it is made: a kill leaves a host that the next run completes or undoes.
    """
    require_root("setting up this host")
    done: list[SetupStep] = []
    while steps := plan_setup(_look(options), options.adopt):
        step = steps[0]
        if step.kind in {earlier.kind for earlier in done}:
            raise PracticumError(f"to {step.text} had no effect", resolution="run 'practicum doctor'")
        report(step.text)
        EFFECTS[step.kind](step, options)
        done.append(step)
    return done


def pool_size(free: int) -> int:
    """Return how large a pool to make on a disk with this much free: 40 %, at least 8 GiB, at most 100 GiB."""
    if free < LEAST_POOL + LEFT_ON_DISK:
        raise PermissionsError(
            f"the disk has {free / GIB:.1f} GiB free, and a pool needs {(LEAST_POOL + LEFT_ON_DISK) // GIB} GiB",
            resolution="free some space, or make a btrfs pool on another disk and name it in platform.yaml",
        )
    size = int(min(max(free * SHARE_OF_FREE, LEAST_POOL), LARGEST_POOL))
    return size // GIB * GIB


def _look(options: SetupOptions) -> HostFacts:
    return observe_host(options.socket, options.pool, places=options.places)


def _refuse(facts: HostFacts, adopt: bool) -> None:
    if facts.lxd and not facts.lxd.recent:
        raise UnavailableError(f"this is LXD {facts.lxd.version}", resolution="install LXD 5.0 or later")
    if facts.lxd and facts.pool not in facts.lxd.pools and facts.lxd.foreign and not adopt:
        raise PermissionsError(
            f"this LXD holds {len(facts.lxd.foreign)} instances that are not Practicum's",
            details="\n".join(facts.lxd.foreign[:10]),
            resolution="share this LXD with 'practicum setup --adopt': what does not carry our mark is never touched",
        )


def _packages(facts: HostFacts) -> SetupStep | None:
    if not facts.missing:
        return None
    if not facts.apt:
        raise UnavailableError(f"missing on this host: {', '.join(facts.missing)}", resolution="install them first")
    return SetupStep("packages", f"install {', '.join(facts.missing)}", facts.missing)


def _ranges(facts: HostFacts) -> SetupStep | None:
    names = facts.short_ranges
    return SetupStep("ranges", f"give root a range of ids in {', '.join(names)}", names) if names else None


def _sysctls(facts: HostFacts) -> SetupStep | None:
    names = facts.low_settings
    return SetupStep("sysctls", f"raise {', '.join(names)}", names) if names else None


def _pool(facts: HostFacts) -> SetupStep:
    if facts.lxd and "btrfs" not in facts.lxd.storage_drivers:
        raise UnavailableError("LXD knows no btrfs", resolution="load the kernel's btrfs module and restart LXD")
    size = pool_size(facts.disk_free)
    return SetupStep("pool", f"make the btrfs pool {facts.pool} of {size // GIB} GiB", (facts.pool,), size)


def _install_packages(step: SetupStep, options: SetupOptions) -> None:
    record = load_record(options.places)
    record.packages = sorted({*record.packages, *step.names})
    save_record(record, options.places)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *step.names]
    if _apt(command).returncode != 0:
        _apt(["apt-get", "update"])
        done = _apt(command)
        if done.returncode != 0:
            raise PracticumError("apt could not install the packages", details=done.stderr.strip()[-1500:])


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _add_ranges(step: SetupStep, options: SetupOptions) -> None:
    record = load_record(options.places)
    for name in step.names:
        path: Path = getattr(options.places, name)
        text = path.read_text() if path.exists() else ""
        line = f"root:{_free_start(text)}:{RANGE_SIZE}"
        record.ranges[str(path)] = line
        save_record(record, options.places)
        write_atomically(path, text + ("" if text.endswith("\n") or not text else "\n") + line + "\n")


def _free_start(text: str) -> int:
    rows = [line.split(":") for line in text.splitlines() if line.count(":") == 2]
    return max([RANGE_START, *(int(row[1]) + int(row[2]) for row in rows)])


def _raise_sysctls(step: SetupStep, options: SetupOptions) -> None:
    record = load_record(options.places)
    for name in step.names:
        record.sysctls.setdefault(name, int(_setting(options, name).read_text()))
    save_record(record, options.places)
    lines = [f"{name} = {SYSCTLS[name]}\n" for name in sorted(record.sysctls)]
    write_atomically(options.places.sysctl_file, "# Written by practicum setup.\n" + "".join(lines))
    for name in step.names:
        write_sysctl(_setting(options, name), name, SYSCTLS[name])


def _setting(options: SetupOptions, name: str) -> Path:
    return options.places.kernel / name.replace(".", "/")


def _start_daemon(_: SetupStep, options: SetupOptions) -> None:
    record = load_record(options.places)
    record.daemon = True
    save_record(record, options.places)
    ensure_daemon(options.socket)


def _make_pool(step: SetupStep, options: SetupOptions) -> None:
    record = load_record(options.places)
    record.pools = sorted({*record.pools, options.pool})
    save_record(record, options.places)
    Lxd(options.socket).post("storage-pools", body=pool_body(options.pool, step.size, record))


def pool_body(name: str, size: int, record: HostRecord) -> dict[str, Any]:
    """Return the request that makes a pool in a file, marked as made by this record's setup."""
    config = {"size": f"{size // GIB}GiB", MARKER: f"setup/{record.id}"}
    return {"name": name, "driver": "btrfs", "description": "Practicum: machines and volumes", "config": config}


EFFECTS: dict[str, Callable[[SetupStep, SetupOptions], None]] = {
    "packages": _install_packages,
    "ranges": _add_ranges,
    "sysctls": _raise_sysctls,
    "daemon": _start_daemon,
    "pool": _make_pool,
}
