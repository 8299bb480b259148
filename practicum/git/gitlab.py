"""One project on a GitLab server, over its REST API: the only place that imports python-gitlab.

The token stands in a header and nowhere else. It is sent to one server, over TLS, and follows no redirect.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from practicum.errors import PermissionsError, PracticumError, TryAgainError, UnavailableError, UsageError

if TYPE_CHECKING:
    import requests

Json = dict[str, Any]
TIMEOUT = 30.0
# Seconds that one request is repeated for, when GitLab has too much to do.
PATIENCE = 60.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
NOTHING: Mapping[str, Any] = MappingProxyType({})
_BUSY = (429, 500, 502, 503, 504)


class GitLabRefusal(PracticumError):
    """GitLab did not do what was asked; `status` is the status of its answer."""

    def __init__(self, status: int, message: str, *, details: str = "", resolution: str = "") -> None:
        super().__init__(message, details=details, resolution=resolution)
        self.status = status


class GitLab:
    """The project at a URL such as `https://gitlab.example.org/teaching/labs`.

    Paths of requests are relative to the project's API. Every method raises PermissionsError for a token that is
    not accepted or not allowed, UnavailableError when nobody answers or nothing is there, TryAgainError when GitLab
    has too much to do for a minute, and GitLabRefusal with GitLab's own words for everything else.
    """

    def __init__(self, url: str, token: str, *, server: str = "", pause: Callable[[float], None] = time.sleep) -> None:
        """Speak of the project at `url`; `server` is needed only for a GitLab below a path of its host."""
        self.url = url.rstrip("/").removesuffix(".git")
        parts = urlsplit(self.url)
        self._server = server.rstrip("/") or f"{parts.scheme}://{parts.netloc}"
        self.path = self.url.removeprefix(self._server).strip("/")
        if "@" in parts.netloc or not self.url.startswith(f"{self._server}/") or not self.path:
            raise UsageError("this is no URL of a GitLab project", resolution="such as https://gitlab.example.org/a/b")
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise UsageError(f"the token is not sent to {self.url} without TLS", resolution="give its https address")
        self._token = token
        self.pause = pause
        self._asked_to_wait = 0.0

    @cached_property
    def me(self) -> Json:
        """The user that the token belongs to: `id`, `username`."""
        found: Json = self._send("get", "/user")
        return found

    def get(self, path: str, **query: Any) -> Json:
        """Return one object."""
        found: Json = self._send("get", self._place(path), query=query)
        return found

    def find(self, path: str, **query: Any) -> Json | None:
        """Return one object, None when there is none."""
        try:
            return self.get(path, **query)
        except GitLabRefusal as error:
            if error.status == 404:
                return None
            raise

    def all(self, path: str, **query: Any) -> list[Json]:
        """Return every object of a list, however many pages it has."""
        found: list[Json] = []
        page = 1
        while some := self._send("get", self._place(path), query={**query, "per_page": 100, "page": page}):
            found += some
            page += 1
            if len(some) < 100:
                break
        return found

    def users(self, login: str) -> list[Json]:
        """Return the users of the server with this name: one, or none."""
        found: list[Json] = self._send("get", "/users", query={"username": login})
        return found

    def post(self, path: str, **content: Any) -> Json:
        """Make something; never repeated when it may have been made."""
        made: Json = self._send("post", self._place(path), content=content)
        return made

    def put(self, path: str, **content: Any) -> Json:
        """Change something."""
        made: Json = self._send("put", self._place(path), content=content)
        return made

    def delete(self, path: str) -> None:
        """Remove something; it may be gone already."""
        try:
            self._send("delete", self._place(path))
        except GitLabRefusal as error:
            if error.status != 404:
                raise

    def _place(self, path: str) -> str:
        return f"/projects/{quote(self.path, safe='')}{'/' if path else ''}{path}"

    @cached_property
    def _client(self) -> Any:
        gitlab, requests = _libraries()
        session = requests.Session()
        # A redirect would carry the token to whatever host it names.
        session.max_redirects = 0
        session.hooks["response"].append(self._note_wait)
        options = {"timeout": TIMEOUT, "keep_base_url": True, "session": session}
        return gitlab.Gitlab(self._server, private_token=self._token, **options)

    def _note_wait(self, answer: "requests.Response", *_arguments: Any, **_options: Any) -> None:
        text = answer.headers.get("Retry-After", "")
        self._asked_to_wait = float(text) if text.isdigit() else 0.0

    def _send(
        self, verb: str, path: str, *, query: Mapping[str, Any] | None = None, content: Json | None = None
    ) -> Any:
        waited, step = 0.0, 1.0
        while True:
            refusal = self._try(verb, path, query or {}, content)
            if not isinstance(refusal, _Refused):
                return refusal
            again = refusal.status == 429 or (verb != "post" and refusal.status in _BUSY)
            wait = max(step, self._asked_to_wait)
            if not again or waited + wait > PATIENCE:
                raise self._told(refusal, again=again)
            self.pause(wait)
            waited, step = waited + wait, step * 2

    def _try(self, verb: str, path: str, query: Mapping[str, Any], content: Json | None) -> Any:
        gitlab, requests = _libraries()
        try:
            answer = self._client.http_request(
                verb, path, query_data=dict(query), post_data=content, obey_rate_limit=False, max_retries=0
            )
            return answer.json() if answer.content else {}
        except (gitlab.GitlabHttpError, gitlab.GitlabAuthenticationError) as error:
            return _Refused(error.response_code or 0, self._words(error.error_message))
        except (requests.RequestException, gitlab.GitlabError, ValueError) as error:
            raise UnavailableError(
                f"GitLab at {self._server} does not answer as GitLab does",
                details=self._words(str(error)),
                resolution="check 'git: project:' of the platform file; its host must be reached without a redirect",
            ) from None

    def _words(self, words: Any) -> str:
        """Return GitLab's own words in a line, without the token."""
        text = words.decode(errors="replace") if isinstance(words, bytes) else words
        text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        return " ".join(text.replace(self._token, "***").split())[:500]

    def _told(self, refusal: "_Refused", *, again: bool) -> PracticumError:
        status, words = refusal.status, refusal.words
        if again:
            return TryAgainError(
                f"GitLab has too much to do ({status}) for a minute now", details=words, resolution="run it again later"
            )
        if status == 401:
            return PermissionsError(
                f"GitLab at {self._server} does not accept the token: it expired, was revoked, or may not do this",
                details=words,
                resolution="make a new project access token with the scope 'api' and give it as PRACTICUM_GITLAB_TOKEN",
            )
        if status == 403:
            return PermissionsError(
                f"the token may not do this in {self.path}",
                details=words,
                resolution="docs/how-to/use-gitlab.md says which role each token needs",
            )
        if status in _BUSY:
            return UnavailableError(f"GitLab failed ({status})", details=words, resolution="look at it, then run again")
        return GitLabRefusal(status, f"GitLab refused ({status}) what {self.path} was asked for", details=words)


def _libraries() -> tuple[Any, Any]:
    """Return python-gitlab and requests; not before they are needed, as most runs speak to no GitLab."""
    try:
        import gitlab
        import requests
    except ImportError as error:
        raise UnavailableError(
            "GitLab cannot be asked", details=str(error), resolution="pip install 'practicum[gitlab]'"
        ) from error
    return gitlab, requests


class _Refused:
    """An answer that says no."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = words
