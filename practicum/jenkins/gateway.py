"""Jenkins over python-jenkins: what that library leaves to its users is done here, once.

Its `retries` have no effect, its default is no timeout, a stale crumb stays, parameters stand in addresses (and so in
access logs), and several of its errors are none of its own. The names of jobs are paths such as `practicum/dev/lab`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jenkins
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from practicum.errors import PracticumError, TryAgainError, UnavailableError
from practicum.jenkins.console import lines
from practicum.jenkins.failures import NotFound, translate

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 1.0
RETRIES = 3
# How many builds are looked through for one whose queue item was forgotten.
RECENT = 50
Document = dict[str, Any]


@dataclass(frozen=True)
class Build:
    """A build that has ended. `revisions` are the commits that it checked out, the library's among them."""

    number: int
    result: str
    revisions: frozenset[str]


class JenkinsGateway:
    """One Jenkins as one user. `pause(seconds)` waits between questions."""

    def __init__(self, url: str, user: str, token: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self._secrets = (token,)
        self._pause = pause
        self._server = jenkins.Jenkins(self.url, user, token, timeout=TIMEOUT_SECONDS)
        # Only what changes nothing is repeated.
        retry = Retry(total=RETRIES, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods={"GET"})
        retry.raise_on_status = False
        # python-jenkins mounts its own for a prefix that is too short to win; it has no other door.
        for prefix in ("http://", "https://"):
            self._server._session.mount(prefix, HTTPAdapter(max_retries=retry))

    def version(self) -> str:
        """Return the version of Jenkins. Raises PermissionsError for a user whom it does not let in."""
        return str(self._request("GET", "/api/json?tree=mode", "its version").headers.get("X-Jenkins", ""))

    def trigger(self, job: str, parameters: Mapping[str, str]) -> int:
        """Start a build and return the id of its queue item: that of an identical one which waits already, if any."""
        ask = f"{_path(job)}/{'buildWithParameters' if parameters else 'build'}"
        answer = self._request("POST", ask, f"a build of {job}", data=dict(parameters))
        location = answer.headers.get("Location", "")
        if "/queue/item/" in location:
            return int(location.rstrip("/").rsplit("/", 1)[1])
        # Jenkins does not say which item it took for the same; it is the one that waits.
        waiting = [one for one in self._queue() if _job_of(one) == job]
        if not waiting:
            raise TryAgainError(f"Jenkins did not say what became of the build of {job}", resolution="start it again")
        return int(waiting[-1]["id"])

    def scan(self, job: str) -> None:
        """Let a multibranch job look for branches and merge requests. Jenkins answers by a redirection, not an item."""
        self._request("POST", f"{_path(job)}/build?delay=0", f"a scan of {job}")

    def wait_for_start(self, job: str, item: int, deadline: float, told: Callable[[str], None]) -> int:
        """Return the number of the build that a queue item became. `told` hears why it waits, each reason once.

        `deadline` is on the clock of time.monotonic. Raises TryAgainError after it, and UnavailableError for an item
        that somebody cancelled.
        """
        heard = ""
        while True:
            found = self._item(job, item)
            if "executable" in found:
                return int(found["executable"]["number"])
            if found.get("cancelled"):
                raise UnavailableError(f"the build of {job} was cancelled before it started")
            why = found.get("why") or ""
            if why and why != heard:
                told(why)
                heard = why
            if time.monotonic() > deadline:
                raise TryAgainError(f"the build of {job} has not started yet", details=why)
            self._pause(POLL_SECONDS)

    def follow(self, job: str, number: int) -> Iterator[str]:
        """Yield the lines of a build's log until it has ended."""
        return lines(self._pieces(job, number))

    def result(self, job: str, number: int) -> str:
        """Return how a build ended: SUCCESS, UNSTABLE, FAILURE, ABORTED, NOT_BUILT; empty while it runs."""
        found = self._json(f"{_path(job)}/{number}/api/json?tree=result,building", f"build {number} of {job}")
        return "" if found["building"] else str(found["result"])

    def last_build(self, job: str) -> Build | None:
        """Return the last build that has ended; None when there is none, or no such job."""
        tree = "lastCompletedBuild[number,result,actions[lastBuiltRevision[SHA1]]]"
        try:
            found = self._json(f"{_path(job)}/api/json?tree={tree}", f"the builds of {job}")["lastCompletedBuild"]
        except NotFound:
            return None
        if found is None:
            return None
        revisions = (action.get("lastBuiltRevision") for action in found["actions"])
        return Build(found["number"], found["result"], frozenset(one["SHA1"] for one in revisions if one))

    def configuration(self, job: str) -> str | None:
        """Return the config.xml of a job or folder; None when there is none."""
        try:
            return str(self._request("GET", f"{_path(job)}/config.xml", f"the configuration of {job}").text)
        except NotFound:
            return None

    def jobs(self, folder: str) -> list[str]:
        """Return the paths of the jobs and folders directly in a folder."""
        found = self._json(f"{_path(folder)}/api/json?tree=jobs[name]", f"the jobs of {folder}")
        return [f"{folder}/{one['name']}" for one in found["jobs"]]

    def plugins(self) -> dict[str, str]:
        """Return the versions of active plugins by name. Needs an administrator."""
        found = self._json("/pluginManager/api/json?depth=1", "its plugins")
        return {one["shortName"]: one["version"] for one in found["plugins"] if one["active"]}

    def agents(self) -> dict[str, str]:
        """Return the agents by name, each with why it is offline, empty for one that is there."""
        found = self._json("/computer/api/json?tree=computer[displayName,offline,offlineCauseReason]", "its agents")
        return {
            one["displayName"]: (one["offlineCauseReason"] or "it is not connected") if one["offline"] else ""
            for one in found["computer"]
        }

    def credentials(self, folder: str) -> list[str]:
        """Return the ids of the credentials that a folder has by itself."""
        store = f"{_path(folder)}/credentials/store/folder/domain/_/api/json?tree=credentials[id]"
        try:
            return [one["id"] for one in self._json(store, f"the credentials of {folder}")["credentials"]]
        except NotFound:
            return []

    def waiting(self) -> dict[str, str]:
        """Return why builds wait, by job."""
        return {_job_of(one): one.get("why") or "" for one in self._queue()}

    def reload(self) -> None:
        """Let Jenkins read its configuration as code again. Raises UnavailableError with what is wrong in it."""
        self._request("POST", "/configuration-as-code/reload", "reading its configuration as code")

    def _queue(self) -> list[Document]:
        return list(self._json("/queue/api/json?tree=items[id,why,task[url]]", "its queue")["items"])

    def _item(self, job: str, item: int) -> Document:
        """Return a queue item; Jenkins forgets one five minutes after it left the queue, then the build knows it."""
        try:
            return self._json(f"/queue/item/{item}/api/json", f"item {item} of its queue")
        except NotFound:
            tree = f"builds[number,queueId]{{0,{RECENT}}}"
            found = self._json(f"{_path(job)}/api/json?tree={tree}", f"the builds of {job}")
            numbers = [one["number"] for one in found["builds"] if one["queueId"] == item]
            if not numbers:
                raise
            return {"executable": {"number": numbers[0]}}

    def _pieces(self, job: str, number: int) -> Iterator[bytes]:
        start = 0
        while True:
            ask = f"{_path(job)}/{number}/logText/progressiveText?start={start}"
            answer = self._request("GET", ask, f"the log of build {number} of {job}")
            yield answer.content
            start = int(answer.headers.get("X-Text-Size", start))
            if answer.headers.get("X-More-Data") != "true":
                return
            self._pause(POLL_SECONDS)

    def _json(self, path: str, what: str) -> Document:
        text = self._request("GET", path, what).text
        try:
            return dict(json.loads(text))
        except ValueError as error:
            raise UnavailableError(f"what answers at {self.url} is no Jenkins", details=text[:80]) from error

    def _request(self, method: str, path: str, what: str, data: Mapping[str, str] | None = None) -> requests.Response:
        try:
            return self._send(method, path, data)
        except PracticumError:
            raise
        except (jenkins.JenkinsException, requests.RequestException) as error:
            raise translate(error, what, self._secrets) from None

    def _send(self, method: str, path: str, data: Mapping[str, str] | None) -> requests.Response:
        for fresh in (False, True):
            had = self._server.crumb
            try:
                # Parameters go in the body: addresses stand in access logs.
                request = requests.Request(method, self.url + path, data=data)
                response: requests.Response = self._server.jenkins_request(request)
                return response
            except jenkins.JenkinsException as error:
                # A crumb is good for one session; a password needs one, and python-jenkins keeps the old one.
                if fresh or not had or "[403]" not in str(error):
                    raise
                self._server.crumb = None
        raise AssertionError("the second try ends the loop")


def _path(job: str) -> str:
    """Return the address of a job. A slash in the name of a branch is written %2F in its name already."""
    return "".join(f"/job/{quote(part, safe='')}" for part in job.split("/") if part)


def _job_of(item: Document) -> str:
    """Return the path of the job that a queue item is of."""
    parts = str(item["task"].get("url", "")).rstrip("/").split("/job/")[1:]
    return "/".join(parts)
