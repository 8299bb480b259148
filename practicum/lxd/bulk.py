"""Stop every machine of a project at once, in one request to LXD."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError

# One clean shutdown takes two seconds; hundreds at once share the cores.
STOP_SECONDS = 60
LOOK_SECONDS = 0.5


def machines(lxd: Lxd, project: str) -> dict[str, str]:
    """Return the machines of a project with LXD's word for their state; empty when there is no such project."""
    if lxd.find("projects", project) is None:
        return {}
    return {found["name"]: found["status"] for found in lxd.get("instances", project=project, recursion=1)}


def running(lxd: Lxd, project: str) -> set[str]:
    """Return the machines of a project that run."""
    return {name for name, status in machines(lxd, project).items() if status != "Stopped"}


def stop_all(lxd: Lxd, project: str, stopped: Callable[[str], None]) -> None:
    """Stop all machines of a project: cleanly, and by force those that do not obey.

    `stopped` is called with the name of each, as they stop. Raises PracticumError naming those that go on running.
    """
    seen = running(lxd, project)
    words = ""
    for force in (False, True):
        if seen:
            words = _stop(lxd, project, seen, stopped, force=force)
    if seen:
        raise PracticumError(
            f"{len(seen)} machines do not stop: {', '.join(sorted(seen)[:8])}",
            details=words,
            resolution="run the same command again; LXD's own words say what holds them",
        )


def _stop(lxd: Lxd, project: str, seen: set[str], stopped: Callable[[str], None], *, force: bool) -> str:
    """Ask LXD to stop all; take what stops out of `seen`. Return LXD's words when it failed."""
    body = {"state": {"action": "stop", "force": force, "timeout": STOP_SECONDS}}
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(lxd.put, "instances", body=body, project=project)
        while wait([request], timeout=LOOK_SECONDS).not_done:
            _tell_stopped(lxd, project, seen, stopped)
        _tell_stopped(lxd, project, seen, stopped)
    error = request.exception()
    if error is not None and not isinstance(error, LxdError):
        raise error
    return error.details if error is not None else ""


def _tell_stopped(lxd: Lxd, project: str, seen: set[str], stopped: Callable[[str], None]) -> None:
    for name in sorted(seen - running(lxd, project)):
        seen.discard(name)
        stopped(name)
