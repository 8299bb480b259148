"""A lease on a lab in one environment, kept on LXD: it holds across terminals, agents and the web host.

The lease is the project's `user.practicum.lock`, changed only with If-Match. A dead owner's lease expires.
"""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from practicum.errors import PracticumError, TryAgainError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdNotFound
from practicum.lxd.projects import change_config

KEY = "user.practicum.lock"
LEASE_SECONDS = 60
BEAT_SECONDS = 15


@contextmanager
def lease(lxd: Lxd, project: str) -> Iterator[threading.Event]:
    """Hold a project's lease; the event that it gives is set when the lease is lost to somebody else.

    Raises TryAgainError when somebody else holds it.
    """
    owner = f"{_here()}:{os.getpid()}:{_began(os.getpid())}:{secrets.token_hex(4)}"
    ended, lost = threading.Event(), threading.Event()
    beat = threading.Thread(target=_heartbeat, args=(lxd, project, owner, ended, lost), daemon=True)
    try:
        _take(lxd, project, owner)
        beat.start()
        yield lost
    finally:
        # Ctrl-C may come between LXD's answer and the next line: what was taken is given back in any case.
        ended.set()
        if beat.is_alive():
            beat.join(timeout=BEAT_SECONDS)
        _release(lxd, project, owner)


def holder(config: Mapping[str, str]) -> str | None:
    """Return who holds a project's lease now, from the project's config."""
    lock = _read(config)
    return lock["owner"] if lock and lock["expires"] > time.time() else None


def _take(lxd: Lxd, project: str, owner: str) -> None:
    found, etag = lxd.get_with_etag("projects", project)
    current = holder(found["config"])
    if current and not _is_dead(current):
        raise _held(current, _read(found["config"])["expires"])
    try:
        _write(lxd, project, owner, found["config"], etag)
    except LxdConflict as error:
        raise _held("another run that began at the same moment", time.time() + LEASE_SECONDS) from error


def _here() -> str:
    """Name this boot of this machine and this process namespace: a process id means something only there."""
    boot = _text("/proc/sys/kernel/random/boot_id")[:8]
    return f"{socket.gethostname()}/{boot}/{_namespace()}"


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; empty when there is none."""
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] != "Z" else ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _is_dead(owner: str) -> bool:
    """Say whether an owner on this host is gone: its lease need not be waited for."""
    place, pid, began = [*owner.split(":"), "", "", ""][:3]
    return place == _here() and pid.isdigit() and _began(int(pid)) != began


def _held(owner: str, expires: float) -> TryAgainError:
    return TryAgainError(
        "another run is working on this lab",
        details=f"the lease is held by {owner} for {max(0, expires - time.time()):.0f} s more",
        resolution="wait for it to end; the lease of a run that died expires by itself",
    )


def _heartbeat(lxd: Lxd, project: str, owner: str, ended: threading.Event, lost: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        try:
            found, etag = lxd.get_with_etag("projects", project)
            if (_read(found["config"]) or {}).get("owner") != owner:
                lost.set()
                return
            _write(lxd, project, owner, found["config"], etag)
        except PracticumError:
            # A beat may be missed: the lease is four beats long.
            continue


def _write(lxd: Lxd, project: str, owner: str, config: Mapping[str, str], etag: str) -> None:
    lock = json.dumps({"owner": owner, "expires": round(time.time() + LEASE_SECONDS)})
    change_config(lxd, project, config, {KEY: lock}, etag)


def _release(lxd: Lxd, project: str, owner: str) -> None:
    try:
        found, etag = lxd.get_with_etag("projects", project)
        lock = _read(found["config"])
        if lock and lock["owner"] == owner:
            change_config(lxd, project, found["config"], {KEY: ""}, etag)
    except (LxdNotFound, LxdConflict):
        # The project was deleted by this very run, or somebody took over an expired lease.
        return


def _read(config: Mapping[str, str]) -> Any:
    try:
        return json.loads(config.get(KEY) or "null")
    except ValueError:
        return None
