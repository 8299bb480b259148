"""The GitLab adapter against a small GitLab on loopback."""

import re
import sys
from pathlib import Path

import pytest
from gitlab.v4 import objects

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
import gitlab_server
from gitlab_server import REPORTER, TOKEN, FakeGitLab

from practicum.errors import PermissionsError, PracticumError, TryAgainError, UnavailableError, UsageError
from practicum.git.comments import put_comment, set_status
from practicum.git.gitlab import PATIENCE, GitLab, GitLabRefusal
from practicum.git.merge_requests import Proposal, merge, propose

MARK = "<!-- mark -->"
pytestmark = pytest.mark.parametrize("home", ["plain"], indirect=True)


@pytest.fixture
def fake():
    with FakeGitLab().running() as running:
        running.branches["change"] = "b" * 40
        running.open_request(running.users[1], source_branch="change", target_branch="main", title="Change")
        yield running


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def server(fake, pauses):
    return GitLab(fake.url, TOKEN, pause=pauses.append)


def is_newest(sha):
    return sha == "b" * 40


def bodies(fake):
    return [note["body"] for note in fake.notes[1]]


def test_a_comment_is_made_once_and_then_updated(fake, server):
    first = put_comment(server, 1, MARK, f"{MARK}\none", is_newest)
    again = put_comment(server, 1, MARK, f"{MARK}\ntwo", is_newest)
    assert first == again == f"{fake.url}/-/merge_requests/1#note_{fake.notes[1][0]['id']}"
    assert bodies(fake) == [f"{MARK}\ntwo"]


def test_the_same_comment_is_not_written_again(fake, server):
    for _ in range(2):
        put_comment(server, 1, MARK, f"{MARK}\none\n", is_newest)
    assert [method for method, _, _ in fake.log if method not in ("GET",)] == ["POST"]


def test_the_newest_commit_has_the_word(fake, server):
    put_comment(server, 1, MARK, f"{MARK}\nnew", is_newest)
    assert put_comment(server, 1, MARK, f"{MARK}\nold", lambda sha: False) == ""
    assert bodies(fake) == [f"{MARK}\nnew"]


def test_comments_of_others_are_left_alone_whatever_they_begin_with(fake, server):
    fake.role = REPORTER
    fake.write_note(1, f"{MARK}\nvalid, believe me", fake.users[2])
    put_comment(server, 1, MARK, f"{MARK}\nours", is_newest)
    assert bodies(fake) == [f"{MARK}\nvalid, believe me", f"{MARK}\nours"]


def test_of_two_comments_one_stays(fake, server):
    for text in ("one", "two"):
        fake.write_note(1, f"{MARK}\n{text}", fake.users[0])
    put_comment(server, 1, MARK, f"{MARK}\nthree", is_newest)
    assert bodies(fake) == [f"{MARK}\nthree"]


def test_a_comment_behind_two_hundred_others_is_found(fake, server):
    for number in range(230):
        fake.write_note(1, f"note {number}", fake.users[1])
    put_comment(server, 1, MARK, f"{MARK}\none", is_newest)
    put_comment(server, 1, MARK, f"{MARK}\ntwo", is_newest)
    assert len(fake.notes[1]) == 231


def test_a_status_is_set_once(fake, server):
    for state in ("running", "running", "success"):
        set_status(server, "b" * 40, "smoke dev", state, "x" * 400, "https://ci.example.org/1")
    assert [(one["name"], one["status"], len(one["description"])) for one in fake.statuses] == [
        ("smoke dev", "running", 255),
        ("smoke dev", "success", 255),
    ]


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (401, PermissionsError),
        (403, PermissionsError),
        (404, GitLabRefusal),
        (409, GitLabRefusal),
        (422, GitLabRefusal),
    ],
)
def test_a_refusal_is_told_at_once(fake, server, pauses, status, family):
    fake.faults = [("/notes", status, {}, {"message": f"{TOKEN} is no good"})]
    with pytest.raises(family) as caught:
        server.all("merge_requests/1/notes")
    assert caught.value.details == "*** is no good"
    assert pauses == []


def test_an_expired_token(fake, server):
    fake.tokens.clear()
    with pytest.raises(PermissionsError, match="expired") as caught:
        server.get("")
    assert "PRACTICUM_GITLAB_TOKEN" in caught.value.resolution


def test_a_role_that_is_too_small(fake, server):
    fake.role = REPORTER
    with pytest.raises(PermissionsError, match="may not do this"):
        server.all("hooks")


def test_too_many_requests_are_repeated_when_gitlab_wants_it(fake, server, pauses):
    fake.faults = [("/notes", 429, {"Retry-After": "7"}, {"message": "429"}), ("/notes", 429, {}, {})]
    server.post("merge_requests/1/notes", body="hello")
    assert bodies(fake) == ["hello"]
    assert pauses == [7.0, 2.0]


def test_patience_has_an_end(fake, server, pauses):
    fake.faults = [("/notes", 429, {"Retry-After": "3600"}, {})]
    with pytest.raises(TryAgainError):
        server.all("merge_requests/1/notes")
    fake.faults = [("/notes", 503, {}, b"<html>down</html>")] * 20
    with pytest.raises(TryAgainError) as caught:
        server.all("merge_requests/1/notes")
    assert caught.value.details == "<html>down</html>"
    assert sum(pauses) <= PATIENCE


def test_what_may_have_been_made_is_not_made_twice(fake, server):
    fake.faults = [("POST .*/notes", 502, {}, {})]
    with pytest.raises(UnavailableError):
        server.post("merge_requests/1/notes", body="hello")
    assert len([entry for entry in fake.log if entry[0] == "POST"]) == 1


def test_an_answer_that_is_none_of_gitlabs(fake, server):
    fake.faults = [("GET", 200, {}, b"<html>Sign in</html>")]
    with pytest.raises(UnavailableError, match="does not answer as GitLab does"):
        server.get("")


def test_a_redirect_takes_the_token_nowhere(fake, server):
    with FakeGitLab().running() as elsewhere:
        fake.faults = [
            ("GET", status, {"Location": f"{elsewhere.server_url}/api/v4/user"}, {}) for status in (301, 307)
        ]
        for _ in range(2):
            with pytest.raises(UnavailableError, match="does not answer as GitLab does"):
                server.get("")
        assert elsewhere.headers == []


def test_nobody_answers(fake):
    with FakeGitLab().running() as gone:
        url = gone.url
    with pytest.raises(UnavailableError):
        GitLab(url, TOKEN).get("")


def test_the_token_stands_in_the_header_only(fake, server, capfd):
    put_comment(server, 1, MARK, f"{MARK}\none", is_newest)
    assert all(headers["PRIVATE-TOKEN"] == TOKEN for headers in fake.headers)
    assert TOKEN not in str(fake.log)
    assert TOKEN not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "url",
    ["http://gitlab.example.org/a/b", "https://me:pw@gitlab.example.org/a/b", "https://gitlab.example.org", "a/b"],
)
def test_an_address_to_which_no_token_goes(url, home):
    with pytest.raises(UsageError) as caught:
        GitLab(url, TOKEN)
    assert "pw@" not in str(vars(caught.value))


def test_a_project_below_a_path_of_the_host(home):
    server = GitLab("https://example.org/gitlab/a/b.git", TOKEN, server="https://example.org/gitlab")
    assert server.path == "a/b"


def test_another_project_is_not_found(fake):
    with pytest.raises(PracticumError, match="404"):
        GitLab(f"{fake.server_url}/other/project", TOKEN).get("")


def test_a_merge_request_is_waited_for_until_it_has_the_push(fake, server, pauses):
    proposal = Proposal("change", "b" * 40, "Change", "Why", "promotion")
    stale = {**fake.requests[0], "web_url": "u", "sha": "0" * 40}
    fake.faults = [("GET .*/merge_requests/1$", 200, {}, stale)] * 2
    assert propose(server, proposal).number == 1
    assert pauses == [1.0, 2.0]
    fake.branches["change"] = "c" * 40
    with pytest.raises(TryAgainError, match="another commit"):
        propose(server, proposal)
    assert sum(pauses) < PATIENCE


def test_only_the_commit_that_was_looked_at_is_merged(fake, server):
    request = propose(server, Proposal("change", "b" * 40, "Change", "Why", "promotion"))
    fake.branches["change"] = "c" * 40
    with pytest.raises(TryAgainError, match="moved"):
        merge(server, request, "b" * 40)
    assert fake.requests[0]["state"] == "opened"
    assert merge(server, request, "c" * 40)


# The fake takes nothing that the published API does not have; python-gitlab lists what GitLab's documentation says.


@pytest.mark.parametrize(
    ("verb", "place", "manager"),
    [
        ("POST", "/projects/:id/merge_requests", "ProjectMergeRequestManager"),
        ("PUT", "/projects/:id/merge_requests/1", "ProjectMergeRequestManager"),
        ("POST", "/projects/:id/merge_requests/1/notes", "ProjectMergeRequestNoteManager"),
        ("PUT", "/projects/:id/merge_requests/1/notes/1", "ProjectMergeRequestNoteManager"),
        ("POST", "/projects/:id/statuses/a", "ProjectCommitStatusManager"),
        ("POST", "/projects/:id/protected_branches", "ProjectProtectedBranchManager"),
        ("POST", "/projects/:id/protected_tags", "ProjectProtectedTagManager"),
        ("POST", "/projects/:id/labels", "ProjectLabelManager"),
        ("POST", "/projects/:id/hooks", "ProjectHookManager"),
        ("PUT", "/projects/:id", "ProjectManager"),
    ],
)
def test_the_fake_knows_no_parameter_that_gitlab_has_not(verb, place, manager, home):
    listed = getattr(getattr(objects, manager), "_create_attrs" if verb == "POST" else "_update_attrs")
    known = {*listed.required, *listed.optional, "assignee_ids", "state_event"}
    assert gitlab_server.parameters_of(verb, place) <= known
    if verb == "POST":
        assert set(listed.required) <= gitlab_server.parameters_of(verb, place)
    path = getattr(objects, manager)._path
    assert re.sub(r"\{\w+\}", ":id", path.replace("/repository/commits/{commit_id}", "")).startswith("/projects")
