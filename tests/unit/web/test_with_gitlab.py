"""Deploying to all students where the repository is a GitLab project."""

import git_over_http
import pytest
from gitlab_server import TOKEN, FakeGitLab
from visitor import LAB

PLATFORM = "environments/prod/platform.yaml"


@pytest.fixture
def fake(visitor, monkeypatch):
    """A lab with a proved checkpoint, whose origin answers as GitLab does."""
    monkeypatch.delenv("PRACTICUM_GITLAB_TOKEN", raising=False)
    visitor.created()
    with FakeGitLab().running() as running:
        repository = visitor.site.workspace().repository
        git_over_http.take_over(running, repository.root.with_name(f"{repository.root.name}.git"))
        platform = (repository.root / PLATFORM).read_bytes() + f"git: {{project: {running.url}}}\n".encode()
        repository.commit({PLATFORM: platform}, "Name the project")
        repository.publish()
        assert visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint")).state == "done"
        yield running


def test_without_a_token_the_page_names_the_request_and_goes_on_after_its_merge(visitor, fake):
    waiting = visitor.deployed()
    assert waiting.state == "failed"
    assert f"{fake.url}/-/merge_requests/1" in visitor.text(f"/jobs/{waiting.id}")
    git_over_http.merge_in(fake, f"promote/{LAB}")
    assert visitor.deployed().state == "done"


def test_with_a_token_that_may_merge_the_button_merges(visitor, fake, monkeypatch):
    monkeypatch.setenv("PRACTICUM_GITLAB_TOKEN", TOKEN)
    done = visitor.deployed()
    assert (done.state, fake.requests[0]["state"]) == ("done", "merged")


def test_it_is_said_whose_approval_is_waited_for(visitor, fake, monkeypatch):
    monkeypatch.setenv("PRACTICUM_GITLAB_TOKEN", TOKEN)
    fake.status_of_merge, fake.premium = "not_approved", True
    people = [{"username": "ada"}]
    fake.approvals = {"rules": [{"name": "Staff", "approvals_required": 1, "eligible_approvers": people}]}
    waiting = visitor.deployed()
    assert waiting.state == "failed"
    assert "1 approval of @ada" in visitor.text(f"/jobs/{waiting.id}")
