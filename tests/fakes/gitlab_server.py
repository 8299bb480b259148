"""A small GitLab with one project: stateful, over HTTP on loopback, and it refuses what it does not know.

Answers and refusals are those of GitLab's documentation (docs.gitlab.com/api) and of its source where that is silent.
"""

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

import git_over_http
from loopback import serving

TOKEN = "glpat-secret-of-the-bot"
PATH = "teaching/labs"
MAINTAINER, DEVELOPER, REPORTER, NOBODY = 40, 30, 20, 0
SETTINGS = (
    "merge_method",
    "only_allow_merge_if_pipeline_succeeds",
    "only_allow_merge_if_all_discussions_are_resolved",
    "remove_source_branch_after_merge",
    "squash_option",
)
_ROUTES = []


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def route(method, pattern, parameters=(), required=(), role=REPORTER):
    """Register a method of the server. `parameters` are all that it knows; another one is a mistake of ours."""

    def register(function):
        _ROUTES.append((method, re.compile(pattern), set(parameters) | set(required), set(required), role, function))
        return function

    return register


def parameters_of(method, place):
    """Return the parameters that the fake knows for a request; `place` begins behind the project."""
    return next(known for verb, pattern, known, *_ in _ROUTES if verb == method and pattern.fullmatch(place))


PROJECT = r"/projects/:id"
MR = rf"{PROJECT}/merge_requests"


class FakeGitLab:
    """The server. `role` is the token's in the project; `faults` are answers that come first, once each."""

    def __init__(self):
        self.role, self.premium, self.can_merge = MAINTAINER, False, True
        self.users = [self._user(1, "practicum-bot"), self._user(2, "ada"), self._user(3, "mallory")]
        self.tokens = {TOKEN: self.users[0]}
        self.branches = {"main": "a" * 40}
        self.requests, self.notes, self.statuses = [], {}, []
        self.lists = {"protected_branches": [], "protected_tags": [], "labels": [], "hooks": []}
        self.settings = {"id": 7, "path_with_namespace": PATH, "default_branch": "main", "visibility": "private"}
        self.approvals = {}
        self.status_of_merge = "mergeable"
        self.files = {}
        self.faults, self.log, self.unknown, self.headers = [], [], [], []
        # Of the repository, when `git_over_http.make_project` made one.
        self.folder, self.push_options, self.push_warning, self.refuses_push = None, [], "", ""
        self._number = 100

    @staticmethod
    def _user(number, name):
        return {"id": number, "username": name, "name": name.title(), "state": "active"}

    @contextmanager
    def running(self):
        """Serve until the block ends; a request that the fake did not know fails the test."""
        with serving(_Handler, self) as port:
            self.server_url = f"http://127.0.0.1:{port}"
            self.url = f"{self.server_url}/{PATH}"
            yield self
        assert self.unknown == []

    def new_id(self):
        self._number += 1
        return self._number

    def answer(self, method, path, query, content, headers):
        """Return status, headers and document of the answer."""
        self.log.append((method, path, content or query))
        self.headers.append(dict(headers))
        if self.faults and re.search(self.faults[0][0], f"{method} {path}"):
            _, status, more, document = self.faults.pop(0)
            return status, more, document
        user = self.tokens.get(headers.get("PRIVATE-TOKEN", ""))
        if user is None:
            return 401, {}, {"message": "401 Unauthorized"}
        try:
            status, document = self._route(method, path, query, content, user)
        except Refusal as refusal:
            return refusal.status, {}, {"message": refusal.message}
        return status, {}, document

    def _route(self, method, path, query, content, user):
        inside = re.sub(rf"^/projects/{re.escape(PATH.replace('/', '%2F'))}", "/projects/:id", path)
        if inside.startswith("/projects/") and not inside.startswith("/projects/:id"):
            raise Refusal(404, "404 Project Not Found")
        for verb, pattern, known, required, role, function in _ROUTES:
            found = pattern.fullmatch(inside)
            if verb == method and found:
                self._check(method, path, {**query, **content}, known, required)
                if inside.startswith("/projects") and self.role < role:
                    raise Refusal(403 if self.role else 404, "403 Forbidden" if self.role else "404 Project Not Found")
                return function(self, user, {**query, **content}, *map(unquote, found.groups()))
        self.unknown.append(f"{method} {path}")
        raise Refusal(404, "404 Not Found")

    def _check(self, method, path, given, known, required):
        if strange := set(given) - known - {"page", "per_page"}:
            self.unknown.append(f"{method} {path} with {sorted(strange)}")
        if missing := required - set(given):
            raise Refusal(400, {name: ["is missing"] for name in missing})

    # Users and the project

    @route("GET", "/user")
    def whoami(self, user, given):
        return 200, user

    @route("GET", "/users", ["username"])
    def find_users(self, user, given):
        return 200, [one for one in self.users if one["username"].lower() == given["username"].lower()]

    @route("GET", PROJECT)
    def project(self, user, given):
        return 200, {**self.settings, "web_url": self.url}

    @route(
        "PUT",
        PROJECT,
        SETTINGS,
        role=MAINTAINER,
    )
    def change_project(self, user, given):
        self.settings |= given
        return 200, self.settings

    # Merge requests

    @route("GET", MR, ["state", "source_branch", "target_branch", "order_by", "sort"])
    def list_requests(self, user, given):
        wanted = {key: given[key] for key in ("source_branch", "target_branch") if key in given}
        state = given.get("state", "all")
        found = [one for one in self.requests if state in ("all", one["state"]) and wanted.items() <= one.items()]
        return 200, [self._shown(one, whole=False) for one in found]

    @route(
        "POST",
        MR,
        ["description", "labels", "assignee_ids", "remove_source_branch", "squash"],
        required=["source_branch", "target_branch", "title"],
        role=DEVELOPER,
    )
    def make_request(self, user, given):
        source = given["source_branch"]
        if source not in self.branches:
            raise Refusal(400, {"source_branch": ["does not exist"]})
        for one in self.requests:
            if (one["source_branch"], one["state"]) == (source, "opened"):
                text = f"Another open merge request already exists for this source branch: !{one['iid']}"
                raise Refusal(409, [text])
        return 201, self._shown(self.open_request(user, **given))

    def open_request(self, user, **given):
        """Open a merge request as the API and push options do; return what is stored."""
        number = len(self.requests) + 1
        one = {"id": self.new_id(), "iid": number, "state": "opened", "author": user, "merge_user": None}
        one |= {
            "title": "",
            "description": "",
            "assignees": [],
            "labels": [],
            "auto_merge": False,
            "merge_commit_sha": None,
        }
        self.requests.append(one)
        self.notes[number] = []
        self.update_request(one, given)
        one |= {"source_branch": given["source_branch"], "target_branch": given["target_branch"]}
        return one

    @route("GET", rf"{MR}/(\d+)")
    def request(self, user, given, number):
        return 200, self._shown(self._request(number))

    @route(
        "PUT", rf"{MR}/(\d+)", ["title", "description", "labels", "assignee_ids", "state_event", "remove_source_branch"]
    )
    def change_request(self, user, given, number):
        one = self._request(number)
        if self.role < DEVELOPER and one["author"] != user:
            raise Refusal(403, "403 Forbidden")
        if event := given.pop("state_event", None):
            one["state"] = {"close": "closed", "reopen": "opened"}[event]
        self.update_request(one, given)
        return 200, self._shown(one)

    @route(
        "PUT",
        rf"{MR}/(\d+)/merge",
        ["sha", "auto_merge", "merge_when_pipeline_succeeds", "should_remove_source_branch", "merge_commit_message"],
    )
    def merge(self, user, given, number):
        one = self._request(number)
        if given.get("sha") and given["sha"] != self.branches.get(one["source_branch"]):
            raise Refusal(
                409, "SHA does not match HEAD of source branch: " + self.branches.get(one["source_branch"], "")
            )
        later = given.get("auto_merge") or given.get("merge_when_pipeline_succeeds")
        if later:
            # Taken from whoever asks, also without the right to merge (gitlab.com/gitlab-org/gitlab, work item 623038).
            one["auto_merge"], one["merge_user"] = True, user
            if not self.can_merge:
                self.status_of_merge = "broken_status"
            return 200, self._shown(one)
        if not self.can_merge:
            raise Refusal(401, "401 Unauthorized")
        if one["state"] != "opened" or self.status_of_merge != "mergeable":
            raise Refusal(405, "405 Method Not Allowed")
        made = git_over_http.merge_in(self, one["source_branch"]) if self.folder else "f" * 40
        one |= {"state": "merged", "merge_commit_sha": made}
        self.branches[one["target_branch"]] = made
        return 200, self._shown(one)

    @route("GET", rf"{MR}/(\d+)/approval_state")
    def approval_state(self, user, given, number):
        if not self.premium:
            raise Refusal(404, "404 Not Found")
        return 200, self.approvals

    def update_request(self, one, given):
        """Change a stored merge request as parameters of the API say; labels are made when they are missing."""
        for key, value in given.items():
            if key == "assignee_ids":
                one["assignees"] = [user for user in self.users if user["id"] in value]
            elif key == "labels":
                one["labels"] = value.split(",") if isinstance(value, str) else list(value)
                have = {label["name"] for label in self.lists["labels"]}
                self.lists["labels"] += [
                    {"id": self.new_id(), "name": name} for name in one["labels"] if name not in have
                ]
            elif key in ("title", "description"):
                one[key] = value

    def _request(self, number):
        found = [one for one in self.requests if one["iid"] == int(number)]
        if not found:
            raise Refusal(404, "404 Not found")
        return found[0]

    def _shown(self, one, *, whole=True):
        sha = self.branches.get(one["source_branch"])
        more = {"web_url": f"{self.url}/-/merge_requests/{one['iid']}", "sha": sha}
        more["detailed_merge_status"] = self.status_of_merge
        return {**one, **more, **({"user": {"can_merge": self.can_merge}} if whole else {})}

    # Comments

    @route("GET", rf"{MR}/(\d+)/notes", ["sort", "order_by"])
    def list_notes(self, user, given, number):
        self._request(number)
        order = sorted(
            self.notes[int(number)], key=lambda note: note["id"], reverse=given.get("sort", "desc") == "desc"
        )
        return 200, order

    @route("POST", rf"{MR}/(\d+)/notes", required=["body"])
    def make_note(self, user, given, number):
        self._request(number)
        return 201, self.write_note(int(number), given["body"], user)

    def write_note(self, number, body, user):
        """Write a comment as somebody; GitLab takes white space at the ends away."""
        if not body.strip():
            raise Refusal(400, '400 Bad request - Note {:note=>["can\'t be blank"]}')
        note = {"id": self.new_id(), "body": body.strip(), "author": user, "system": False}
        self.notes[number].append(note)
        return note

    @route("PUT", rf"{MR}/(\d+)/notes/(\d+)", required=["body"])
    def change_note(self, user, given, number, note):
        found = self._note(user, number, note)
        found["body"] = given["body"].strip()
        return 200, found

    @route("DELETE", rf"{MR}/(\d+)/notes/(\d+)")
    def delete_note(self, user, given, number, note):
        self.notes[int(number)].remove(self._note(user, number, note))
        return 204, None

    def _note(self, user, number, note):
        found = [one for one in self.notes[int(number)] if one["id"] == int(note)]
        if not found:
            raise Refusal(404, "404 Not Found")
        if found[0]["author"] != user and self.role < MAINTAINER:
            raise Refusal(403, "403 Forbidden")
        return found[0]

    # Commit statuses

    @route("GET", rf"{PROJECT}/repository/commits/([0-9a-f]+)/statuses", ["name"])
    def list_statuses(self, user, given, commit):
        mine = [one for one in self.statuses if one["sha"] == commit and given.get("name") in (None, one["name"])]
        return 200, list({one["name"]: one for one in mine}.values())

    @route(
        "POST",
        rf"{PROJECT}/statuses/([0-9a-f]+)",
        ["name", "description", "target_url", "ref"],
        required=["state"],
        role=DEVELOPER,
    )
    def set_status(self, user, given, commit):
        name = given.get("name", "default")
        now = [one for one in self.statuses if (one["sha"], one["name"]) == (commit, name)]
        if now and now[-1]["status"] == given["state"]:
            raise Refusal(400, f"Cannot transition status via :{given['state']} from :{given['state']}")
        made = {"id": self.new_id(), "sha": commit, "name": name, "status": given["state"], **given}
        self.statuses.append(made)
        return 201, made

    # Settings that are lists of named things

    @route("GET", rf"{PROJECT}/(protected_branches|protected_tags|labels|hooks)", role=MAINTAINER)
    def list_things(self, user, given, kind):
        return 200, self.lists[kind]

    @route(
        "POST",
        rf"{PROJECT}/(protected_branches)",
        ["push_access_level", "merge_access_level", "allow_force_push", "code_owner_approval_required"],
        required=["name"],
        role=MAINTAINER,
    )
    def protect_branch(self, user, given, kind):
        levels = {
            "push_access_levels": [{"access_level": given.get("push_access_level", MAINTAINER)}],
            "merge_access_levels": [{"access_level": given.get("merge_access_level", MAINTAINER)}],
        }
        return self._protect(kind, {**levels, "allow_force_push": False, **given})

    @route("POST", rf"{PROJECT}/(protected_tags)", ["create_access_level"], required=["name"], role=MAINTAINER)
    def protect_tag(self, user, given, kind):
        level = given.get("create_access_level", MAINTAINER)
        return self._protect(kind, {**given, "create_access_levels": [{"access_level": level}]})

    def _protect(self, kind, made):
        if any(one["name"] == made["name"] for one in self.lists[kind]):
            raise Refusal(409, f"Protected {kind} '{made['name']}' already exists")
        self.lists[kind].append({"id": self.new_id(), **made})
        return 201, self.lists[kind][-1]

    @route("POST", rf"{PROJECT}/(labels)", ["description"], required=["name", "color"], role=REPORTER)
    def make_label(self, user, given, kind):
        if any(one["name"] == given["name"] for one in self.lists[kind]):
            raise Refusal(409, "Label already exists")
        self.lists[kind].append({"id": self.new_id(), **given})
        return 201, self.lists[kind][-1]

    @route(
        "POST",
        rf"{PROJECT}/(hooks)",
        ["token", "push_events", "merge_requests_events", "tag_push_events", "enable_ssl_verification"],
        required=["url"],
        role=MAINTAINER,
    )
    def make_hook(self, user, given, kind):
        # The token is write-only.
        made = {"id": self.new_id(), **{key: value for key, value in given.items() if key != "token"}}
        self.lists[kind].append(made)
        return 201, made

    @route("DELETE", rf"{PROJECT}/(protected_branches|protected_tags)/([^/]+)", role=MAINTAINER)
    def unprotect(self, user, given, kind, name):
        self.lists[kind] = [one for one in self.lists[kind] if one["name"] != name]
        return 204, None


class _Handler(BaseHTTPRequestHandler):
    fake = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def _serve(self):
        if self.path.startswith(f"/{PATH}.git/"):
            self._send(*git_over_http.serve_git(self.fake, self))
        elif self.path.startswith("/internal/"):
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = git_over_http.answer_hook(self.fake, self.path.rsplit("/", 1)[1], told)
            self._send(200, {}, json.dumps(answer).encode())
        else:
            self._serve_api()

    def _serve_api(self):
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length) or b"{}") if length else {}
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        path = parts.path.removeprefix("/api/v4")
        status, headers, document = self.fake.answer(self.command, path, query, content, self.headers)
        if isinstance(document, list) and "per_page" in query:
            size, page = int(query["per_page"]), int(query.get("page", 1))
            document = document[(page - 1) * size : page * size]
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        self._send(status, {"Content-Type": "application/json", **headers}, body)

    def _send(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names that http.server looks for
