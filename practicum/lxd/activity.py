"""Whether somebody works on a machine now: open terminals, people who are logged in, a processor that is busy.

What a machine says of itself is its owner's word; who pretends to be busy waits for an update until its latest time.
"""

import time
from collections.abc import Collection
from typing import Any

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.observe import tail
from practicum.parallel import in_parallel

# The processor is looked at twice, this far apart.
LOOK_SECONDS = 5.0
# Of one processor. Services that nobody uses take a few hundredths.
BUSY_SHARE = 0.1
# Where people are connected as long as they work: SSH, remote desktops, noVNC.
SESSION_PORTS = (22, 3389, 5900, 5901, 6080)
ANSWER_SECONDS = 30
NOBODY = 1
# Exit code 0: somebody is logged in; 1: nobody. A container's own console is a pseudo-terminal too.
# State 01 of the kernel's table is an established connection.
SESSIONS = f"""
console=$(stat -c %t:%T /dev/console 2>/dev/null)
for terminal in /dev/pts/[0-9]*; do
  if [ -e "$terminal" ] && [ "$(stat -c %t:%T "$terminal")" != "$console" ]; then exit 0; fi
done
if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  grep -qE ':({"|".join(f"{port:04X}" for port in SESSION_PORTS)}) [0-9A-F]+:[0-9A-F]+ 01 '; then exit 0; fi
exit {NOBODY}
"""


def in_use(lxd: Lxd, project: str, machines: Collection[str]) -> dict[str, str]:
    """Return those of the machines that somebody works on, each with how that is seen; takes some seconds.

    One that cannot be asked counts as in use; one that does not run does not.
    """
    before = {name: usage for name in machines if (usage := _usage(lxd, project, name)) is not None}
    if not before:
        return {}
    began = time.monotonic()
    time.sleep(LOOK_SECONDS)
    terminals = _terminals(lxd, project)

    def look(name: str) -> str:
        if name in terminals:
            return "a terminal is open"
        now = _usage(lxd, project, name) or 0.0
        if (now - before[name]) / (time.monotonic() - began) > BUSY_SHARE:
            return "its processor is busy"
        return _logged_in(lxd, project, name)

    return {name: why for name, why in zip(before, in_parallel(look, before), strict=True) if why}


def _usage(lxd: Lxd, project: str, name: str) -> float | None:
    """Return the seconds of processor time that a running machine has had; None for one that does not run."""
    state: dict[str, Any] | None = lxd.find("instances", name, "state", project=project)
    if state is None or state["status"] != "Running":
        return None
    return float(state["cpu"]["usage"]) / 1e9


def _terminals(lxd: Lxd, project: str) -> set[str]:
    """Return the machines with a terminal or a console that LXD itself keeps open; commands of ours are no such."""
    running = lxd.get("operations", project=project, recursion=1).get("running", [])
    addresses = [
        address
        for operation in running
        if operation["class"] == "websocket"
        for listed in (operation["resources"] or {}).values()
        for address in listed
    ]
    return {tail(address) for address in addresses}


def _logged_in(lxd: Lxd, project: str, name: str) -> str:
    try:
        code = lxd.run(name, ["sh", "-c", SESSIONS], project=project, timeout=ANSWER_SECONDS).exit_code
    except PracticumError:
        return "it does not answer"
    return {0: "somebody is logged in", NOBODY: ""}.get(code, "it does not say who is logged in")
