"""Start, stop and delete machines; each is a success when it is so already."""

import time

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError, LxdNotFound

STOP_TIMEOUT = 15
SETTLE_SECONDS = 0.2
# A virtual machine boots a kernel and starts LXD's agent; only then can commands be run in it and files be put there.
AGENT_SECONDS = 300
LOOK_SECONDS = 1.0


def start(lxd: Lxd, project: str, name: str) -> None:
    """Start a machine and read its state again: LXD reports success for one that died at once.

    A virtual machine has started when its agent answers.
    """
    try:
        lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=project)
    except LxdError as error:
        if "already running" not in error.details.lower():
            raise
    time.sleep(SETTLE_SECONDS)
    found = lxd.get("instances", name, project=project)
    status = found["status"]
    if status != "Running":
        raise PracticumError(
            f"machine {name} stopped right after its start (it is {status.lower()})",
            details=_console_words(lxd, project, name),
            resolution="run 'practicum doctor': too low a limit of fs.inotify.max_user_instances is the usual cause",
        )
    if found["type"] == "virtual-machine":
        _wait_for_agent(lxd, project, name)


def _wait_for_agent(lxd: Lxd, project: str, name: str) -> None:
    """Wait until LXD hears of processes in a virtual machine, which only the agent tells it."""
    deadline = time.monotonic() + AGENT_SECONDS
    while lxd.get("instances", name, "state", project=project)["processes"] < 0:
        if time.monotonic() > deadline:
            raise PracticumError(
                f"virtual machine {name} runs, and LXD's agent in it does not answer after {AGENT_SECONDS} s",
                details=_console_words(lxd, project, name),
                resolution=f"lxc console {name} --project {project} shows its boot; the host must have lxd-agent",
            )
        time.sleep(LOOK_SECONDS)


def stop(lxd: Lxd, project: str, name: str, *, force: bool = False) -> None:
    """Stop a machine: cleanly, and by force when it does not obey; stopped already is success."""
    body = {"action": "stop", "timeout": STOP_TIMEOUT, "force": force}
    try:
        lxd.put("instances", name, "state", body=body, project=project)
    except LxdNotFound:
        return
    except LxdError as error:
        if "already stopped" in error.details.lower() or "not running" in error.details.lower():
            return
        if force:
            raise
        stop(lxd, project, name, force=True)


def delete(lxd: Lxd, project: str, name: str) -> None:
    """Stop a machine by force and delete it; gone already is success."""
    stop(lxd, project, name, force=True)
    lxd.delete("instances", name, project=project)


def _console_words(lxd: Lxd, project: str, name: str) -> str:
    try:
        log = lxd.download("instances", name, "console", project=project).text
    except LxdError:
        return ""
    return "\n".join(log.strip().splitlines()[-5:])
