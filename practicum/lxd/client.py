"""A typed facade over pylxd: one client a thread, raw API paths, operations waited for, errors translated.

Volumes in folders of the host have addresses of LXD's form too, and are answered by `folders`.

Only this module imports pylxd. Its models are not used: `Instance.execute()` loses output under load, `save()`
writes without ETag, and ACLs, bulk state and recorded output have no model.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

os.environ.setdefault("PYLXD_WARNINGS", "none")

import pylxd
import requests
from pylxd import exceptions as pylxd_errors

from practicum.errors import TryAgainError
from practicum.lxd import folders
from practicum.lxd.endpoints import Endpoint
from practicum.lxd.errors import LxdConflict, LxdError, LxdFull, LxdNotFound, LxdUnavailable

WAIT_SLICE = 30
# What LXD says while another operation runs on the same object, or while a project goes whose machines it looks
# through for the users of an ACL. Nothing was done, and the object of the request is there.
PASSING = ("Instance is busy running a", "Failed getting ACL usage", "Failed getting ACL network usage")
BUSY_SECONDS = 60
BUSY_PAUSE = 0.1
# How long a daemon that answered before is waited for: restarts and upgrades of LXD take seconds.
RESTART_SECONDS = 60
# LXD answers at once, or within the slices of a wait; a bridge may stand in line behind hundreds.
ANSWER_SECONDS = 600
CONNECT_SECONDS = 20
FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
POOL_FOLDER = re.compile(r"storage-pools/([^/\s\"':]+)")
IDLE_SECONDS = 300
RUNNING = 103
DELETE_TRIES = 5
MOST_OUTPUT = 2**20
Json = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class CommandResult:
    """What a command inside a machine did."""

    exit_code: int
    stdout: str
    stderr: str


class Lxd:
    """One LXD server. Safe to share between threads: each gets its own pylxd client."""

    def __init__(self, endpoint: Endpoint | str | None = None) -> None:
        self.endpoint = endpoint if isinstance(endpoint, Endpoint) else Endpoint.at_socket(endpoint)
        self.member = ""
        self._local = threading.local()
        self._answered = False

    def on(self, member: str) -> "Lxd":
        """Return the same server, which then creates machines and volumes on one member of its cluster."""
        placed = Lxd(self.endpoint)
        placed.member, placed._local, placed._answered = member, self._local, self._answered
        return placed

    @property
    def address(self) -> str:
        """The path of the socket, or the URL."""
        return self.endpoint.address

    @property
    def socket(self) -> str:
        """The path of the socket; empty for an LXD over the network."""
        return "" if self.endpoint.is_remote else self.endpoint.address

    @cached_property
    def is_clustered(self) -> bool:
        """Say whether this server is a member of a cluster."""
        return bool(self.get()["environment"].get("server_clustered"))

    def get(self, *path: str, project: str = "", **params: str | int) -> Any:
        """Return the metadata of `GET /1.0/PATH`."""
        if folders.is_folder(path):
            return folders.get(self, path, project, bool(params.get("recursion")))
        return self._call("get", path, project, params).json()["metadata"]

    def get_with_etag(self, *path: str, project: str = "") -> tuple[Any, str]:
        """Return metadata and ETag, for a guarded change."""
        response = self._call("get", path, project, {})
        return response.json()["metadata"], response.headers.get("ETag", "")

    def find(self, *path: str, project: str = "", **params: str | int) -> Any | None:
        """Return the metadata, or None when the object does not exist."""
        try:
            return self.get(*path, project=project, **params)
        except LxdNotFound:
            return None

    def post(self, *path: str, body: Json, project: str = "", **params: str | int) -> Any:
        """Create something, wait for the operation, and return its metadata."""
        if folders.is_folder(path):
            return folders.post(self, path, project, body)
        return self._do("post", path, project, {**self._place(path), **params}, json=body)

    def begin(self, *path: str, body: Json, project: str = "") -> Json:
        """Start something that goes on, such as a terminal, and return its operation without waiting."""
        operation: Json = self._call("post", path, project, {}, json=body).json()["metadata"]
        return operation

    def put(self, *path: str, body: Json, project: str = "", etag: str = "") -> Any:
        """Replace something and wait."""
        return self._do("put", path, project, {}, json=body, headers=_if_match(etag))

    def patch(self, *path: str, body: Json, project: str = "", etag: str = "") -> Any:
        """Change something and wait; with `etag`, LxdConflict when it changed meanwhile."""
        if folders.is_folder(path):
            return folders.patch(self, path, project, body)
        return self._do("patch", path, project, {}, json=body, headers=_if_match(etag))

    def delete(self, *path: str, project: str = "", missing_ok: bool = True, **params: str | int) -> None:
        """Delete something and wait; already gone is success unless told otherwise."""
        if folders.is_folder(path):
            folders.delete(self, path, project)
            return
        for _ in range(DELETE_TRIES):
            try:
                self._do("delete", path, project, params)
                return
            except LxdNotFound:
                # LXD also says this when something else went while it looked who uses the object.
                if not missing_ok:
                    raise
                if params or self.find(*path, project=project) is None:
                    return

    def upload(self, *path: str, data: Any, headers: Mapping[str, str], project: str = "", **params: str | int) -> Any:
        """POST a body of bytes or an open file, wait, and return the metadata."""
        query = {**self._place(path), **params}
        return self._finish(self._call("post", path, project, query, data=data, headers=dict(headers)))

    def download(self, *path: str, project: str = "", stream: bool = False, **params: str | int) -> requests.Response:
        """GET bytes that are not API JSON, such as a file of an instance; `stream`: read from the answer's `raw`."""
        return self._call("get", path, project, params, is_api=False, stream=stream)

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

    def _place(self, path: tuple[str, ...]) -> dict[str, str | int]:
        """Return the query that says where something is created; what exists is found by LXD wherever it is."""
        is_volume = path[:1] == ("storage-pools",) and path[2:] == ("volumes", "custom")
        return {"target": self.member} if self.member and (path == ("instances",) or is_volume) else {}

    def _client(self) -> pylxd.Client:
        client = getattr(self._local, "client", None)
        if client is None:
            session, timeout = self.endpoint.session(), (CONNECT_SECONDS, ANSWER_SECONDS)
            client = pylxd.Client(endpoint=self.endpoint.url, session=session, timeout=timeout)
            if self.endpoint.is_remote and not client.trusted:
                raise self.endpoint.untrusted()
            self._local.client = client
        return client

    def _do(
        self, verb: str, path: tuple[str, ...], project: str, params: Mapping[str, str | int], **options: Any
    ) -> Any:
        """Send a change and wait for its operation; what another operation holds up is sent again."""
        return _patiently(lambda: self._finish(self._send(verb, path, _query(project, params), options)))

    def _call(
        self, verb: str, path: tuple[str, ...], project: str, params: Mapping[str, str | int], **options: Any
    ) -> requests.Response:
        return _patiently(lambda: self._send(verb, path, _query(project, params), options))

    def _send(
        self, verb: str, path: tuple[str, ...], query: Mapping[str, str | int], options: Mapping[str, Any]
    ) -> requests.Response:
        deadline = time.monotonic() + RESTART_SECONDS
        while True:
            try:
                response = self._try(verb, path, query, options)
                self._answered = True
                return response
            except LxdUnavailable as error:
                # Nobody can say whether a change that was sent was done; one that found no daemon was not.
                safe = verb == "get" or not error.was_sent
                if not self._answered:
                    raise
                if not safe or time.monotonic() > deadline:
                    raise _went_away(verb, path, error) from error
            time.sleep(BUSY_PAUSE)

    def _try(
        self, verb: str, path: tuple[str, ...], query: Mapping[str, str | int], options: Mapping[str, Any]
    ) -> requests.Response:
        with _translated(verb, path, self.endpoint):
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
                raise _again("LXD lost the operation; was it restarted?", error.details) from error
            if answer["status_code"] == 200:
                return answer
            if answer["status_code"] >= 400:
                raise _failed(f"LXD: {answer['description'].lower()} failed", answer["err"])
        with suppress(LxdError):
            self.delete("operations", operation)
        raise LxdError(f"LXD did not end this within {timeout:.0f} s: {str(answer['description']).lower()}")


def _patiently(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, trying again while LXD is busy with the same object."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return work()
        except LxdError as error:
            if not any(words in error.details for words in PASSING) or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_PAUSE)


def _query(project: str, params: Mapping[str, str | int]) -> dict[str, str | int]:
    return {**params, **({"project": project} if project else {})}


def _again(message: str, details: str) -> TryAgainError:
    return TryAgainError(
        message, details=details, resolution="run the same command again: it goes on from what is there"
    )


def _went_away(verb: str, path: tuple[str, ...], error: LxdUnavailable) -> TryAgainError:
    return _again(f"LXD went away during {verb.upper()} /1.0/{'/'.join(path)}; was it restarted?", error.details)


def _if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _failed(message: str, words: str, status: int = 0) -> LxdError:
    lowered = words.lower()
    if FULL.search(words):
        pool = POOL_FOLDER.search(words)
        return LxdFull(message, status=status, details=words, pool=pool.group(1) if pool else "")
    if status in (409, 412) or "already exists" in lowered:
        return LxdConflict(message, status=status, details=words)
    if status == 404 or (status in (0, 200) and lowered.endswith("not found")):
        return LxdNotFound(message, status=status, details=words)
    return LxdError(message, status=status, details=words)


@contextmanager
def _translated(verb: str, path: tuple[str, ...], endpoint: Endpoint) -> Iterator[None]:
    try:
        yield
    except pylxd_errors.LXDAPIException as error:
        message = f"LXD refused {verb.upper()} /1.0/{'/'.join(path)}"
        raise _failed(message, str(error), error.response.status_code) from error
    except requests.ReadTimeout as error:
        message = f"LXD did not answer {verb.upper()} /1.0/{'/'.join(path)} within {ANSWER_SECONDS} s"
        raise _again(message, str(error)) from error
    except (pylxd_errors.ClientConnectionFailed, requests.RequestException, OSError) as error:
        raise endpoint.unavailable(error, was_sent=_was_sent(error)) from error


def _was_sent(error: BaseException) -> bool:
    """Say whether a request may have reached LXD before the connection ended."""
    if isinstance(error, pylxd_errors.ClientConnectionFailed):
        return False  # the first question of a new client
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (ConnectionRefusedError, FileNotFoundError, requests.ConnectTimeout)):
            return False
        reasons = [seen.__cause__, seen.__context__, *(one for one in seen.args if isinstance(one, BaseException))]
        seen = next((one for one in reasons if one is not None), None)
    return True
