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
from typing import Any

from practicum.errors import PracticumError, TryAgainError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict, LxdNotFound
from practicum.lxd.projects import change_config

KEY = "user.practicum.lock"
LEASE_SECONDS = 60
BEAT_SECONDS = 15


@contextmanager
def lease(lxd: Lxd, project: str) -> Iterator[None]:
    """Hold a project's lease. Raises TryAgainError when somebody else holds it."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    _take(lxd, project, owner)
    ended = threading.Event()
    beat = threading.Thread(target=_heartbeat, args=(lxd, project, owner, ended), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
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


def _is_dead(owner: str) -> bool:
    """Say whether an owner on this host is gone: its lease need not be waited for."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _held(owner: str, expires: float) -> TryAgainError:
    return TryAgainError(
        "another run is working on this lab",
        details=f"the lease is held by {owner} for {max(0, expires - time.time()):.0f} s more",
        resolution="wait for it to end; the lease of a run that died expires by itself",
    )


def _heartbeat(lxd: Lxd, project: str, owner: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        try:
            found, etag = lxd.get_with_etag("projects", project)
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
    return json.loads(config.get(KEY) or "null")
