"""When machines are ready: seen from the host, in the kernel's tables of processes and listening sockets.

LXD is not asked: who asks it ten times a second what runs takes as much of two cores as what is measured.
"""

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Port 80 in state LISTEN, of IPv4 and IPv6: proc(5), /proc/net/tcp.
LISTENS = re.compile(r":0050 (0{8}|0{32}):0000 0A")
LOOK_SECONDS = 0.1
# Where the kernel lists the processes of a container: with cgroups of version 1, and of version 2.
PROCESSES = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
DEADLINE_SECONDS = 600


@dataclass(frozen=True)
class Measured:
    """Seconds until each machine was ready, and processor seconds of the whole host until all were."""

    ready: tuple[float, ...]
    processor: float

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.ready, n=20)
        return (
            f"{max(self.ready):7.2f} s until all ready   p50 {cuts[9]:6.2f}   p95 {cuts[18]:6.2f}   "
            f"{self.processor:6.1f} s cpu of the host"
        )

    def beside(self, floor: "Measured") -> str:
        """Return the figures with their ratio to another way's."""
        return f"{self}   {max(self.ready) / max(floor.ready):.2f} x floor"


def watched(project: str, names: Iterable[str], make: Callable[[], None]) -> Measured:
    """Run `make`, which makes these machines, and tell when each was ready."""
    began, processor = time.monotonic(), _processor()
    ready: dict[str, float] = {}
    looking = threading.Thread(target=_look, args=(project, set(names), ready, began), daemon=True)
    looking.start()
    make()
    looking.join()
    return Measured(tuple(ready.values()), _processor() - processor)


def _look(project: str, waited: set[str], ready: dict[str, float], began: float) -> None:
    while waited:
        if time.monotonic() - began > DEADLINE_SECONDS:
            raise SystemExit(f"not ready in time: {', '.join(sorted(waited))}")
        for name in [name for name in waited if listens(project, name)]:
            ready[name] = time.monotonic() - began
            waited.discard(name)
        time.sleep(LOOK_SECONDS)


def listens(project: str, name: str) -> bool:
    """Say whether something listens at port 80 in the network of a container."""
    pid, found = _process(project, name), ""
    for table in ("tcp", "tcp6") if pid else ():
        with suppress(OSError):
            found += Path(f"/proc/{pid}/net/{table}").read_text()
    return LISTENS.search(found) is not None


def _process(project: str, name: str) -> str:
    """Return the id of a process in a container; all of them see its network. Empty when none runs."""
    for root in PROCESSES:
        place = root / f"lxc.payload.{project}_{name}"
        for listed in (place / "cgroup.procs", *place.glob("*/cgroup.procs"), *place.glob("*/*/cgroup.procs")):
            with suppress(OSError):
                for pid in listed.read_text().split():
                    return pid
    return ""


def _processor() -> float:
    """Return the seconds that all cores worked since the host started; waiting and idling do not count (proc(5))."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / 100
