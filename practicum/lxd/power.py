"""Start, stop and delete machines; each is a success when it is so already."""

import time

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError, LxdNotFound

STOP_TIMEOUT = 15
SETTLE_SECONDS = 0.2


def start(lxd: Lxd, project: str, name: str) -> None:
    """Start a machine and read its state again: LXD reports success for one that died at once."""
    try:
        lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=project)
    except LxdError as error:
        if "already running" not in error.details.lower():
            raise
    time.sleep(SETTLE_SECONDS)
    status = lxd.get("instances", name, project=project)["status"]
    if status != "Running":
        raise PracticumError(
            f"machine {name} stopped right after its start (it is {status.lower()})",
            details=_console_words(lxd, project, name),
            resolution="run 'practicum doctor': too low a limit of fs.inotify.max_user_instances is the usual cause",
        )


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
