"""What a host must have for labs, and what is there: read in a moment, without root and without LXD."""

import os
import shutil
import socket as sockets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from generator.spec.platform import DEFAULT_POOL, DEFAULT_SOCKET
from practicum.errors import PermissionsError, PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import MARKER, OUR_NAME
from practicum.lxd.vm_support import inoperable
from practicum.stages.host_record import Places

GIB = 2**30
# A healthy LXD answers in milliseconds, one that starts a class may take long; it must not be taken for a dead one.
LXD_SECONDS = 20.0
DNS_SECONDS = 0.7
RESOLVED_NAME = "deb.debian.org"  # where mmdebstrap goes when a platform names no mirror

KERNEL: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    files(__package__).joinpath("kernel_settings.yaml").read_text()
)
SYSCTLS: Mapping[str, int] = {name: entry["least"] for name, entry in KERNEL.items()}

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
    """What LXD says about itself.

    `pools` maps a name to its driver; `free` and `total` are bytes of our pool, -1 without it; `loop` says that it
    lies in a file beside LXD. `inoperable` are LXD's reasons for a kind of machine that it cannot run. `bridges` maps
    the beginning of the names of a lab's bridges to the marker that they carry, empty for those of others.
    """

    version: str
    drivers: str
    storage_drivers: tuple[str, ...]
    pools: Mapping[str, str]
    free: int
    foreign: tuple[str, ...]
    total: int = -1
    loop: bool = False
    pool_status: str = "Created"
    firewall: str = "nftables"
    features: Mapping[str, str] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    inoperable: tuple[str, ...] = ()
    bridges: Mapping[str, str] = field(default_factory=dict)

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

    @property
    def low_settings(self) -> tuple[str, ...]:
        """The kernel settings that are too low; one that this kernel lacks is not."""
        return tuple(name for name, value in self.sysctls.items() if value is not None and value < SYSCTLS[name])

    @property
    def short_ranges(self) -> tuple[str, ...]:
        """The files that give root too few ids for containers: `subuid`, `subgid`."""
        ranges = {"subuid": self.subuid, "subgid": self.subgid}
        return tuple(name for name, size in ranges.items() if size < SUBORDINATE_IDS)

    @property
    def has_pool(self) -> bool:
        """Say whether LXD answers and has the pool."""
        return self.lxd is not None and self.pool in self.lxd.pools


def observe_host(
    socket: str | None = None,
    pool: str = DEFAULT_POOL,
    mirror: str | None = None,
    places: Places | None = None,
    patience: float = LXD_SECONDS,
) -> HostFacts:
    """Look at this host; takes less than a second where LXD answers, and `patience` seconds where it does not."""
    path = socket or DEFAULT_SOCKET
    places = places or Places()
    names = Question(lambda: _resolve(mirror))
    lxd, lxd_error = _ask_lxd(path, pool, patience)
    return HostFacts(
        root=os.geteuid() == 0,
        missing=missing_packages(),
        sysctls={name: read_sysctl(name, places.kernel) for name in SYSCTLS},
        subuid=subordinate_ids(places.subuid),
        subgid=subordinate_ids(places.subgid),
        disk_free=free_space(places.root / Path(path).parent.relative_to("/")),
        resolves=bool(names.answer(DNS_SECONDS)[0]),
        forward=read_sysctl("net.ipv4.ip_forward", places.kernel),
        bridge_filter=read_sysctl("net.bridge.bridge-nf-call-iptables", places.kernel),
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


class Question(Generic[T]):
    """Something asked in a thread of its own; one that takes too long is left alone."""

    def __init__(self, ask: Callable[[], T]) -> None:
        """Begin to ask."""
        self._ask = ask
        self._began = time.monotonic()
        self._answer: list[T] = []
        self._error: str | None = None
        # Not a pool's thread: those are waited for when the process ends.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answer(self, seconds: float) -> tuple[T | None, str]:
        """Return the answer, or None and the reason, at most so many seconds after the question was asked."""
        self._thread.join(max(0.0, self._began + seconds - time.monotonic()))
        if self._answer:
            return self._answer[0], ""
        return None, self._error or f"no answer within {seconds:g} s"

    def _run(self) -> None:
        try:
            self._answer.append(self._ask())
        except PracticumError as problem:
            self._error = problem.details or problem.message
        except OSError as problem:
            self._error = str(problem)


def lxd_facts(lxd: Lxd, pool: str) -> LxdFacts:
    """Ask LXD what it is and what it holds."""
    server = lxd.get()
    environment = server["environment"]
    pools = {found["name"]: found for found in lxd.get("storage-pools", recursion=1)}
    ours = pools.get(pool, {"config": {}})
    space = lxd.get("storage-pools", pool, "resources")["space"] if pool in pools else {}
    return LxdFacts(
        version=environment["server_version"],
        drivers=environment["driver"],
        storage_drivers=tuple(driver["Name"] for driver in environment["storage_supported_drivers"]),
        pools={name: str(found["driver"]) for name, found in pools.items()},
        free=int(space["total"]) - int(space.get("used", 0)) if space else -1,
        total=int(space.get("total", -1)),
        loop=str(ours["config"].get("source", "")).startswith(f"{Path(lxd.socket).parent}/"),
        pool_status=str(ours.get("status", "Created")),
        foreign=foreign_instances(list_instances(lxd)),
        firewall=environment.get("firewall", ""),
        features={**environment.get("kernel_features", {}), **environment.get("lxc_features", {})},
        extensions=frozenset(server["api_extensions"]),
        inoperable=inoperable(lxd),
        bridges=_bridges(lxd),
    )


def _bridges(lxd: Lxd) -> dict[str, str]:
    """Return whose bridges there are; one of each lab is asked for, because a list of all with their users is slow."""
    names = {name[:8]: name for name in (str(address).rsplit("/", 1)[-1] for address in lxd.get("networks"))}
    labs = {prefix: name for prefix, name in names.items() if OUR_NAME.match(name)}
    found = {prefix: lxd.find("networks", name) for prefix, name in labs.items()}
    return {prefix: str(entry["config"].get(MARKER, "")) for prefix, entry in found.items() if entry}


def list_instances(lxd: Lxd) -> list[dict[str, Any]]:
    """Return all instances of all projects."""
    query: dict[str, Any] = {"recursion": 1, "all-projects": "true"}
    found: list[dict[str, Any]] = lxd.get("instances", **query)
    return found


def foreign_instances(instances: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return `PROJECT/NAME` of the instances that carry no marker of any Practicum."""
    return tuple(sorted(f"{each['project']}/{each['name']}" for each in instances if MARKER not in each["config"]))


def _ask_lxd(path: str, pool: str, patience: float) -> tuple[LxdFacts | None, str]:
    if not os.access(path, os.F_OK):
        return None, f"there is no socket {path}"
    if not os.access(path, os.W_OK):
        return None, f"this user may not use {path}"
    return Question(lambda: lxd_facts(Lxd(path), pool)).answer(patience)


def _resolve(mirror: str | None) -> bool:
    name = mirror.split("//")[-1].split("/")[0].split(":")[0] if mirror else RESOLVED_NAME
    return bool(sockets.getaddrinfo(name, None))
