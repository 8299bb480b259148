"""What a host must have for labs, and what is there: read in a moment, without root and without LXD."""

import os
import shutil
import socket as sockets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from generator.spec.platform import DEFAULT_POOL, DEFAULT_SOCKET
from practicum.errors import PermissionsError, PracticumError
from practicum.lxd.client import Lxd
from practicum.stages.host_record import Places

GIB = 2**30
MARKER = "user.practicum"
# A healthy LXD answers in milliseconds, one that starts a class may take long; it must not be taken for a dead one.
LXD_SECONDS = 20.0
DNS_SECONDS = 0.7
RESOLVED_NAME = "deb.debian.org"  # where mmdebstrap goes when a platform names no mirror

# The least values for many machines on one host, from LXD's "Server settings for a LXD production setup". A container
# with systemd uses about eight inotify instances: the kernel's default of 128 is enough for some seventeen of them.
SYSCTLS: Mapping[str, int] = {
    "fs.inotify.max_user_instances": 8192,
    "fs.inotify.max_user_watches": 1048576,
    "kernel.keys.maxkeys": 2000,
    "kernel.keys.maxbytes": 2000000,
    "net.ipv4.neigh.default.gc_thresh3": 8192,
}

# Program that must be there → Debian package that brings it.
PROGRAMS: Mapping[str, str] = {
    "lxd": "lxd",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "mkfs.btrfs": "btrfs-progs",
    "mmdebstrap": "mmdebstrap",
    "setpriv": "util-linux",
    "zstd": "zstd",
    "git": "git",
}
SUBORDINATE_IDS = 65536
LEAST_VERSION = (5, 0)

T = TypeVar("T")


@dataclass(frozen=True)
class LxdFacts:
    """What LXD says about itself. `pools` maps a name to driver; `free` is bytes in our pool, -1 without it."""

    version: str
    drivers: str
    storage_drivers: tuple[str, ...]
    pools: Mapping[str, str]
    free: int
    foreign: tuple[str, ...]

    @property
    def recent(self) -> bool:
        """True when this LXD can do what Practicum needs."""
        return tuple(int(part) for part in self.version.split(".")[:2] if part.isdigit()) >= LEAST_VERSION


@dataclass(frozen=True)
class HostFacts:
    """One look at the host. `disk_free` is bytes where LXD keeps its pools; a sysctl is None where there is none."""

    root: bool
    missing: tuple[str, ...]
    sysctls: Mapping[str, int | None]
    subuid: int
    subgid: int
    disk_free: int
    resolves: bool
    forward: int | None
    bridge_filter: int | None
    socket: str
    pool: str
    lxd: LxdFacts | None = None
    lxd_error: str = ""
    apt: bool = True


def observe_host(
    socket: str | None = None, pool: str = DEFAULT_POOL, mirror: str | None = None, places: Places | None = None
) -> HostFacts:
    """Look at this host; takes less than two seconds where LXD answers."""
    path = socket or DEFAULT_SOCKET
    places = places or Places()
    lxd, lxd_error = _ask_lxd(path, pool)
    return HostFacts(
        root=os.geteuid() == 0,
        missing=missing_packages(),
        sysctls={name: read_sysctl(name, places.kernel) for name in SYSCTLS},
        subuid=subordinate_ids(places.subuid),
        subgid=subordinate_ids(places.subgid),
        disk_free=free_space(Path(path).parent),
        resolves=bool(within(DNS_SECONDS, lambda: _resolve(mirror))[0]),
        forward=read_sysctl("net.ipv4.ip_forward"),
        bridge_filter=read_sysctl("net.bridge.bridge-nf-call-iptables"),
        socket=path,
        pool=pool,
        lxd=lxd,
        lxd_error=lxd_error,
        apt=shutil.which("apt-get") is not None,
    )


def require_root(what: str) -> None:
    """Raise PermissionsError for anyone but root."""
    if os.geteuid() != 0:
        raise PermissionsError(f"{what} needs root", resolution="run the same command with sudo")


def missing_packages() -> tuple[str, ...]:
    """Return the Debian packages whose programs are not on this host, also looking where only root's PATH leads."""
    path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    return tuple(package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None)


def read_sysctl(name: str, root: Path = Path("/proc/sys")) -> int | None:
    """Return a kernel setting; None where this kernel has none."""
    try:
        return int((root / name.replace(".", "/")).read_text())
    except (OSError, ValueError):
        return None


def write_sysctl(path: Path, name: str, value: int) -> None:
    """Change a kernel setting; PermissionsError where the kernel is not this host's own."""
    try:
        path.write_text(f"{value}\n")
    except OSError as error:
        raise PermissionsError(
            f"the kernel setting {name} cannot be changed from here",
            details=str(error),
            resolution=f"on the machine that runs this one: sysctl -w {name}={value}",
        ) from error


def subordinate_ids(path: Path) -> int:
    """Return how large the largest range is that root may give to containers (subuid(5))."""
    try:
        rows = [line.split(":") for line in path.read_text().splitlines()]
    except OSError:
        return 0
    return max((int(row[2]) for row in rows if len(row) == 3 and row[0] in ("root", "0")), default=0)


def free_space(path: Path) -> int:
    """Return the free bytes of the file system that holds `path`, or would."""
    while not os.access(path, os.F_OK) and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def within(seconds: float, ask: Callable[[], T]) -> tuple[T | None, str]:
    """Return the answer, or None and the reason; a question that takes longer is left alone."""
    answer: list[T] = []
    error = [f"no answer within {seconds:g} s"]

    def run() -> None:
        try:
            answer.append(ask())
        except PracticumError as problem:
            error[0] = problem.details or problem.message
        except OSError as problem:
            error[0] = str(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return (answer[0], "") if answer else (None, error[0])


def lxd_facts(lxd: Lxd, pool: str) -> LxdFacts:
    """Ask LXD what it is and what it holds."""
    environment = lxd.get()["environment"]
    pools = {found["name"]: str(found["driver"]) for found in lxd.get("storage-pools", recursion=1)}
    return LxdFacts(
        version=environment["server_version"],
        drivers=environment["driver"],
        storage_drivers=tuple(driver["Name"] for driver in environment["storage_supported_drivers"]),
        pools=pools,
        free=_pool_free(lxd, pool) if pool in pools else -1,
        foreign=foreign_instances(list_instances(lxd)),
    )


def list_instances(lxd: Lxd) -> list[dict[str, Any]]:
    """Return all instances of all projects."""
    query: dict[str, Any] = {"recursion": 1, "all-projects": "true"}
    found: list[dict[str, Any]] = lxd.get("instances", **query)
    return found


def foreign_instances(instances: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return `PROJECT/NAME` of the instances that carry no marker of any Practicum."""
    return tuple(sorted(f"{each['project']}/{each['name']}" for each in instances if MARKER not in each["config"]))


def _ask_lxd(path: str, pool: str) -> tuple[LxdFacts | None, str]:
    if not os.access(path, os.F_OK):
        return None, f"there is no socket {path}"
    if not os.access(path, os.W_OK):
        return None, f"this user may not use {path}"
    return within(LXD_SECONDS, lambda: lxd_facts(Lxd(path), pool))


def _pool_free(lxd: Lxd, pool: str) -> int:
    space = lxd.get("storage-pools", pool, "resources")["space"]
    return int(space["total"]) - int(space.get("used", 0))


def _resolve(mirror: str | None) -> bool:
    name = mirror.split("//")[-1].split("/")[0].split(":")[0] if mirror else RESOLVED_NAME
    return bool(sockets.getaddrinfo(name, None))
