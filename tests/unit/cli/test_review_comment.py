"""`practicum review --comment`: one comment in the merge request, whose token may be the weakest there is."""

import subprocess
import sys
from pathlib import Path

import pytest
from university import AREAS, GOOD, PLATFORM

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
from gitlab_server import DEVELOPER, REPORTER, TOKEN, FakeGitLab


@pytest.fixture
def fake(university, monkeypatch):
    """A merge request of what is checked out, and the variables of its job."""
    university.deployed()
    with FakeGitLab().running() as running:
        running.role = REPORTER
        running.branches["change"] = university.head
        running.open_request(running.users[1], source_branch="change", target_branch="main")
        monkeypatch.setenv("PRACTICUM_GITLAB_TOKEN", TOKEN)
        monkeypatch.setenv("CI_PROJECT_URL", running.url)
        monkeypatch.setenv("CI_MERGE_REQUEST_IID", "1")
        yield running


def bodies(fake):
    return [note["body"] for note in fake.notes[1]]


def test_the_answer_stands_in_the_merge_request_once(university, fake):
    first = university("review", "--comment")
    assert (first.code, first.err.strip()) == (0, f"{fake.url}/-/merge_requests/1#note_{fake.notes[1][0]['id']}")
    university.lab(GOOD.replace("webserver", "webservr"))
    university.commit()
    fake.branches["change"] = university.head
    assert university("review", "--comment").code == 65
    assert len(bodies(fake)) == 1
    assert "not valid, 1 error" in bodies(fake)[0]
    assert f"{fake.url}/-/blob/{university.head}/labs/net101/firewalls.lab.yaml#L5" in bodies(fake)[0]


def test_an_older_commit_says_nothing(university, fake):
    fake.branches["change"] = "c" * 40
    assert "a newer commit is there" in university("review", "--comment").err
    assert bodies(fake) == []


def test_in_a_pipeline_of_what_the_merge_would_be_the_requests_own_commit_counts(university, fake):
    git = ["git", "-C", str(university.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "What the merge would be"], check=True)
    university("review", "--comment")
    assert len(bodies(fake)) == 1


def test_without_a_working_token_the_answer_is_printed_all_the_same(university, fake, monkeypatch):
    fake.tokens.clear()
    said = university("review", "--comment")
    assert said.code == 77
    assert "### Practicum: valid" in said.out
    assert "expired" in said.err
    assert TOKEN not in said.out + said.err
    monkeypatch.delenv("PRACTICUM_GITLAB_TOKEN")
    assert "PRACTICUM_GITLAB_TOKEN" in university("review", "--comment").err


def test_what_is_wrong_with_the_labs_decides_the_exit_code(university, fake):
    fake.tokens.clear()
    university.lab(GOOD.replace("webserver", "webservr"))
    university.commit()
    said = university("review", "--comment")
    assert said.code == 65
    assert "expired" in said.err


def test_the_merge_request_must_be_known(university, fake, monkeypatch):
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    assert university("review", "--comment").code == 2


def test_without_a_project_it_is_asked_for(university, fake, monkeypatch):
    monkeypatch.delenv("CI_PROJECT_URL")
    said = university("review", "--comment")
    assert said.code == 69
    assert "environments/prod/platform.yaml" in said.err


@pytest.fixture
def on_main(university, fake, monkeypatch):
    """Main names the project itself, as where a job is none of GitLab's."""
    monkeypatch.delenv("CI_PROJECT_URL")
    name_project(university, fake.url)
    subprocess.run(["git", "-C", university.root, "push", "-q", "origin", "HEAD:main"], check=True)
    fake.branches["change"] = university.head


def name_project(university, url):
    university.write("environments/prod/platform.yaml", f"{PLATFORM.format(AREAS['prod'])}git: {{project: {url}}}\n")
    university.commit()


def test_a_stage_of_another_pipeline_is_shown_at_its_commit(university, fake, on_main):
    fake.role = DEVELOPER
    assert university("gitlab", "status", "smoke dev", "running", "--text", "9 of 10").code == 0
    shown = [(one["sha"], one["name"], one["status"]) for one in fake.statuses]
    assert shown == [(university.head, "smoke dev", "running")]
    assert university("gitlab", "status", "smoke dev", "success", "--commit", "nowhere").code == 2


def test_a_request_does_not_choose_where_the_token_goes(university, fake, on_main):
    with FakeGitLab().running() as stranger:
        name_project(university, stranger.url)
        fake.branches["change"] = university.head
        assert university("review", "--comment").code == 0
        assert university("gitlab", "status", "smoke dev", "running").code == 77
        assert stranger.headers == []
    assert len(bodies(fake)) == 1
