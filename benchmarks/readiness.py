"""When machines are ready: seen from the host, in the kernel's table of listening sockets, which costs nothing."""

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from practicum.lxd.client import Lxd

# Port 80 in state LISTEN, of IPv4 and IPv6: proc(5), /proc/net/tcp.
LISTENS = re.compile(r":0050 (0{8}|0{32}):0000 0A")
LOOK_SECONDS = 0.1
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


def watched(lxd: Lxd, project: str, names: Iterable[str], make: Callable[[], None]) -> Measured:
    """Run `make`, which makes these machines, and tell when each was ready."""
    began, processor = time.monotonic(), _processor()
    ready: dict[str, float] = {}
    looking = threading.Thread(target=_look, args=(Lxd(lxd.endpoint), project, set(names), ready, began), daemon=True)
    looking.start()
    make()
    looking.join()
    return Measured(tuple(ready.values()), _processor() - processor)


def _look(lxd: Lxd, project: str, waited: set[str], ready: dict[str, float], began: float) -> None:
    running: dict[str, int] = {}
    while waited:
        if time.monotonic() - began > DEADLINE_SECONDS:
            raise SystemExit(f"not ready in time: {', '.join(sorted(waited))}")
        for found in _listed(lxd, project):
            if found["name"] in waited - running.keys() and found["status"] == "Running":
                running[found["name"]] = lxd.get("instances", found["name"], "state", project=project)["pid"]
        for name in [name for name in waited & running.keys() if listens(running[name])]:
            ready[name] = time.monotonic() - began
            waited.discard(name)
        time.sleep(LOOK_SECONDS)


def _listed(lxd: Lxd, project: str) -> list[dict[str, str]]:
    if lxd.find("projects", project) is None:
        return []
    return list(lxd.get("instances", project=project, recursion=1))


def listens(pid: int) -> bool:
    """Say whether something listens at port 80 in the network of a process; 0 is nobody's."""
    found = ""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            found += Path(f"/proc/{pid}/net/{table}").read_text()
    return LISTENS.search(found) is not None


def _processor() -> float:
    """Return the seconds that all cores worked since the host started; waiting and idling do not count (proc(5))."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / 100
