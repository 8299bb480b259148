"""A typed facade over pylxd: one client a thread, raw API paths, operations waited for, errors translated.

Only this module imports pylxd. Its models are not used: `Instance.execute()` loses output under load, `save()`
writes without ETag, and ACLs, bulk state and recorded output have no model.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("PYLXD_WARNINGS", "none")

import pylxd
import requests
from pylxd import exceptions as pylxd_errors

from practicum.errors import TryAgainError
from practicum.lxd.errors import LxdConflict, LxdError, LxdNotFound, LxdUnavailable

WAIT_SLICE = 30
BUSY = "Instance is busy running a"
BUSY_SECONDS = 60
BUSY_PAUSE = 0.1
IDLE_SECONDS = 300
RUNNING = 103
DELETE_TRIES = 5
MOST_OUTPUT = 2**20
SOCKETS = ("/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket")
Json = dict[str, Any]


@dataclass(frozen=True)
class CommandResult:
    """What a command inside a machine did."""

    exit_code: int
    stdout: str
    stderr: str


class Lxd:
    """One LXD server. Safe to share between threads: each gets its own pylxd client."""

    def __init__(self, socket: str | None = None) -> None:
        # The snap has its socket elsewhere; the platform file need not say so.
        wanted = socket or SOCKETS[0]
        others = [path for path in SOCKETS if Path(path).exists()] if wanted in SOCKETS else []
        self.socket = wanted if Path(wanted).exists() or not others else others[0]
        self._local = threading.local()

    def get(self, *path: str, project: str = "", **params: str | int) -> Any:
        """Return the metadata of `GET /1.0/PATH`."""
        return self._call("get", path, project, params).json()["metadata"]

    def get_with_etag(self, *path: str, project: str = "") -> tuple[Any, str]:
        """Return metadata and ETag, for a guarded change."""
        response = self._call("get", path, project, {})
        return response.json()["metadata"], response.headers.get("ETag", "")

    def find(self, *path: str, project: str = "") -> Any | None:
        """Return the metadata, or None when the object does not exist."""
        try:
            return self.get(*path, project=project)
        except LxdNotFound:
            return None

    def post(self, *path: str, body: Json, project: str = "", **params: str | int) -> Any:
        """Create something, wait for the operation, and return its metadata."""
        return self._finish(self._call("post", path, project, params, json=body))

    def put(self, *path: str, body: Json, project: str = "", etag: str = "") -> Any:
        """Replace something and wait."""
        return self._finish(self._call("put", path, project, {}, json=body, headers=_if_match(etag)))

    def patch(self, *path: str, body: Json, project: str = "", etag: str = "") -> Any:
        """Change something and wait; with `etag`, LxdConflict when it changed meanwhile."""
        return self._finish(self._call("patch", path, project, {}, json=body, headers=_if_match(etag)))

    def delete(self, *path: str, project: str = "", missing_ok: bool = True, **params: str | int) -> None:
        """Delete something and wait; already gone is success unless told otherwise."""
        for _ in range(DELETE_TRIES):
            try:
                self._finish(self._call("delete", path, project, params))
                return
            except LxdNotFound:
                # LXD also says this when something else went while it looked who uses the object.
                if not missing_ok:
                    raise
                if params or self.find(*path, project=project) is None:
                    return

    def upload(self, *path: str, data: Any, headers: Mapping[str, str], project: str = "", **params: str | int) -> Any:
        """POST a body of bytes or an open file, wait, and return the metadata."""
        return self._finish(self._call("post", path, project, params, data=data, headers=dict(headers)))

    def download(self, *path: str, project: str = "", **params: str | int) -> requests.Response:
        """GET bytes that are not API JSON, such as a file of an instance."""
        return self._call("get", path, project, params, is_api=False)

    def run(self, instance: str, command: list[str], *, project: str, timeout: float = 600) -> CommandResult:
        """Run a command in an instance and return its recorded output; never over a network.

        Raises LxdError when the instance is not running or the command could not be started.
        """
        body = {"command": command, "record-output": True, "wait-for-websocket": False, "interactive": False}
        operation = self._call("post", ("instances", instance, "exec"), project, {}, json=body).json()
        metadata = self._wait(operation["metadata"]["id"], timeout)["metadata"]
        streams = {fd: self._take_log(instance, path, project) for fd, path in metadata.get("output", {}).items()}
        return CommandResult(int(metadata["return"]), streams.get("1", ""), streams.get("2", ""))

    def wait_until_idle(self, project: str) -> None:
        """Wait for the tasks that LXD is still doing in a project, such as those of a run that was killed.

        Raises TryAgainError when one takes too long; it is not ours to cancel.
        """
        operations = self.get("operations", project=project, recursion=1)
        for operation in operations.get("running", []):
            if operation["class"] == "task" and not self._has_ended(operation["id"]):
                raise TryAgainError(f"LXD is still busy: {operation['description'].lower()}")

    def _has_ended(self, operation: str) -> bool:
        for _ in range(IDLE_SECONDS // WAIT_SLICE):
            try:
                if self.get("operations", operation, "wait", timeout=WAIT_SLICE)["status_code"] != RUNNING:
                    return True
            except LxdError:
                # It failed, was cancelled, or has gone: in each case it does not run any more.
                return True
        return False

    def _take_log(self, instance: str, path: str, project: str) -> str:
        name = path.rsplit("/", 1)[1].split("?")[0]
        try:
            response = self._call("get", ("instances", instance, "logs", name), project, {}, is_api=False, stream=True)
            # What a machine prints is its owner's: no more of it is taken than a person would read.
            return bytes(response.raw.read(MOST_OUTPUT)).decode(errors="replace")
        finally:
            self.delete("instances", instance, "logs", name, project=project)

    def _client(self) -> pylxd.Client:
        client = getattr(self._local, "client", None)
        if client is None:
            endpoint = "http+unix://" + self.socket.replace("/", "%2F")
            client = self._local.client = pylxd.Client(endpoint=endpoint)
        return client

    def _call(
        self, verb: str, path: tuple[str, ...], project: str, params: Mapping[str, str | int], **options: Any
    ) -> requests.Response:
        query = {**params, **({"project": project} if project else {})}
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._send(verb, path, query, options)
            except LxdError as error:
                # LXD refuses while another operation on the same object runs; nothing was done, so try again.
                if BUSY not in error.details or time.monotonic() > deadline:
                    raise
            time.sleep(BUSY_PAUSE)

    def _send(
        self, verb: str, path: tuple[str, ...], query: Mapping[str, str | int], options: Mapping[str, Any]
    ) -> requests.Response:
        with _translated(verb, path, self.socket):
            node = self._client().api
            for part in path:
                node = node[part]
            call: Callable[..., requests.Response] = getattr(node, verb)
            return call(params=dict(query), **options)

    def _finish(self, response: requests.Response) -> Any:
        answer = response.json()
        if answer.get("type") != "async":
            return answer.get("metadata")
        return self._wait(answer["metadata"]["id"]).get("metadata")

    def _wait(self, operation: str, timeout: float = 1800) -> Json:
        for _ in range(max(1, int(timeout // WAIT_SLICE))):
            try:
                answer: Json = self.get("operations", operation, "wait", timeout=WAIT_SLICE)
            except LxdNotFound as error:
                raise LxdError("LXD lost the operation; was it restarted?", details=error.details) from error
            if answer["status_code"] == 200:
                return answer
            if answer["status_code"] >= 400:
                raise _failed(f"LXD: {answer['description'].lower()} failed", answer["err"])
        with suppress(LxdError):
            self.delete("operations", operation)
        raise LxdError(f"LXD did not end this within {timeout:.0f} s: {str(answer['description']).lower()}")


def _if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _failed(message: str, words: str, status: int = 0) -> LxdError:
    lowered = words.lower()
    if status in (409, 412) or "already exists" in lowered:
        return LxdConflict(message, status=status, details=words)
    if status == 404 or (status in (0, 200) and lowered.endswith("not found")):
        return LxdNotFound(message, status=status, details=words)
    return LxdError(message, status=status, details=words)


@contextmanager
def _translated(verb: str, path: tuple[str, ...], socket: str) -> Iterator[None]:
    try:
        yield
    except pylxd_errors.LXDAPIException as error:
        message = f"LXD refused {verb.upper()} /1.0/{'/'.join(path)}"
        raise _failed(message, str(error), error.response.status_code) from error
    except (pylxd_errors.ClientConnectionFailed, requests.RequestException, OSError) as error:
        raise LxdUnavailable(
            f"no answer from LXD at {socket}",
            details=str(error),
            resolution="run 'practicum doctor' to see what is missing, or 'practicum setup' to make this host ready",
        ) from error
