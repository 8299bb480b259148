"""Promotion by merge request: real git over HTTP with a real receiving repository, and a small GitLab beside it."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
import git_over_http
from gitlab_server import PATH, TOKEN, FakeGitLab

from practicum.cli.main import run
from practicum.errors import InputError, PermissionsError, PracticumError, TryAgainError, UnavailableError
from practicum.git.repository import Repository
from practicum.stages.checkpoint import tag_release
from practicum.stages.deployment import release_file
from practicum.stages.generate import generate
from practicum.stages.promote import promote
from practicum.stages.publish import publish_generated
from practicum.stages.touched import BY_PROMOTION, touched
from practicum.stages.workspace import Workspace

LAB = "net101/firewalls"
BRANCH = f"promote/{LAB}"
SPEC = "version: 1\ntitle: T\nprofessor: ada\nstudents: 2\nmachines:\n  web: {type: debian}\n"
PINS = {"images": {"web": "2c" * 32}, "volumes": {"home": "c2-home"}, "volume_project": "pabcdefg-checkpoints-x"}
PLATFORM = "installation: k3v9t2qa\nprofessor_internet: none\ngit: {{project: {}{}}}\n"
PASSWORD = "glpat-secret-of-git"
HOSTILE = "the `first` one | @all <img>\\n/approve"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A running GitLab, and a lab in a project of it whose first checkpoint is proved; each test gets a copy."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch, FakeGitLab().running() as fake:
        apart(patch, folder)
        git_over_http.make_project(fake, folder / "made" / "labs.git")
        fake.tokens[PASSWORD] = fake.users[0]
        platforms = {"dev": PLATFORM.split("git:")[0], "prod": PLATFORM.format(fake.url, "")}
        files = {f"environments/{name}/platform.yaml": text.encode() for name, text in platforms.items()}
        repository = Repository.create(folder / "made" / "labs", files, None, "Start")
        git(repository.root, "remote", "add", "origin", f"{fake.url}.git")
        workspace = Workspace(repository, today=date(2026, 9, 1))
        repository.commit({f"labs/{LAB}.lab.yaml": SPEC.encode()}, "Edit")
        repository.commit(generate(workspace, repository.sources(None), [LAB]), "Generate")
        prove(workspace, 1, HOSTILE)
        yield fake, folder


def apart(patch, folder):
    """Let git know nothing but a credential helper."""
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        patch.delenv(key)
    patch.setenv("HOME", str(folder))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.delenv("PRACTICUM_GITLAB_TOKEN", raising=False)
    helper = f"!f() {{ echo username=practicum-bot; echo password={PASSWORD}; }}; f"
    (folder / ".gitconfig").write_text(f'[credential]\n\thelper = "{helper}"\n')


@pytest.fixture
def fake(site):
    """The running GitLab as it was when the checkpoint was proved."""
    running, folder = site
    place = running.server_url
    running.__init__()
    running.server_url, running.url, running.folder = place, f"{place}/{PATH}", folder / "now" / "labs.git"
    running.tokens[PASSWORD] = running.users[0]
    shutil.rmtree(folder / "now", ignore_errors=True)
    subprocess.run(["cp", "-a", folder / "made", folder / "now"], check=True)
    yield running
    assert running.unknown == []


@pytest.fixture
def events():
    return []


@pytest.fixture
def course(site, fake, events, monkeypatch):
    """The checkout of the lab."""
    apart(monkeypatch, site[1])
    return Workspace(Repository.open(site[1] / "now" / "labs"), events.append, date(2026, 9, 1))


def git(folder, *words):
    identity = ["-c", "user.name=Bo", "-c", "user.email=bo@example.org"]
    done = subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def prove(workspace, number, message="Closed two ports"):
    """Do what a checkpoint and its pilot leave in git."""
    repository = workspace.repository
    pins = {"checkpoint": number, "spec_commit": repository.head(), "tree": "sha256:" + "9f" * 32, **PINS}
    pins |= {"message": message, "taken": "2026-09-01T10:00:00+00:00", "author": "Ada <ada@example.org>"}
    repository.commit(release_file("dev", LAB, pins), f"Checkpoint {number}")
    repository.publish()
    tag_release(workspace, LAB, pins)


def warnings(events):
    return [event.detail for event in events if event.state == "warning"]


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("PRACTICUM_GITLAB_TOKEN", TOKEN)


def test_push_options_open_the_merge_request(course, fake, events):
    done = promote(course, LAB)
    assert done.request.url == f"{fake.url}/-/merge_requests/1"
    (made,) = fake.requests
    assert (made["title"], made["source_branch"]) == (f"Promote {LAB} to prod: release 1", BRANCH)
    assert [one["username"] for one in made["assignees"]] == ["practicum-bot", "ada"]
    assert made["labels"] == ["promotion"]
    assert warnings(events) == []
    assert fake.log == []
    # What the professor wrote is no quick action, and mentions nobody.
    assert "\n" not in made["description"]
    assert "@all" not in made["description"]
    assert made["description"].startswith(f"Release 1 of `{LAB}`: checkpoint 1, <code>the &#96;first")


def test_the_command_prints_where_it_waits(course, fake, token, capfd):
    fake.status_of_merge = "not_approved"
    assert run(["-C", str(course.repository.root), "promote", LAB]) == 0
    said = capfd.readouterr()
    assert said.out == f"{fake.url}/-/merge_requests/1\n"
    assert "it waits for an approval" in said.err
    assert TOKEN not in said.err + said.out


def test_a_second_push_updates_it(course, fake, events):
    promote(course, LAB)
    prove(course, 2)
    done = promote(course, LAB)
    (made,) = fake.requests
    assert done.request.url == f"{fake.url}/-/merge_requests/1"
    assert (made["title"][-9:], "checkpoint 2" in made["description"]) == ("release 2", True)
    assert warnings(events) == []


def test_what_gitlab_warns_of_is_told_beside_the_request(course, fake, events):
    promote(course, LAB)
    prove(course, 2)
    fake.push_warning = "Another open merge request already exists for this source branch: !1"
    assert promote(course, LAB).request.url == f"{fake.url}/-/merge_requests/1"
    assert "Another open merge request already exists" in warnings(events)[0]


def test_nothing_pushed_is_no_success(course, fake, events):
    promote(course, LAB)
    fake.requests.clear()
    done = promote(course, LAB)
    assert "source_branch=promote%2Fnet101%2Ffirewalls" in done.request.url
    assert "told nothing" in warnings(events)[0]
    assert "/-/merge_requests/new?" in warnings(events)[1]


def test_a_branch_without_a_merge_request_is_told(course, fake, events):
    fake.push_warning = "Merge requests are disabled"
    done = promote(course, LAB)
    assert "?state=opened" in done.request.url
    assert "Merge requests are disabled" in warnings(events)[0]


def test_a_push_that_is_refused_is_an_error(course, fake):
    fake.refuses_push = "You are not allowed to push code to protected branches on this project."
    with pytest.raises(PermissionsError) as caught:
        promote(course, LAB)
    assert "protected branches" in caught.value.details


def test_no_secret_is_told_when_git_may_not_enter(course, fake, tmp_path):
    fake.tokens.pop(PASSWORD)
    with pytest.raises(PermissionsError) as caught:
        promote(course, LAB)
    assert PASSWORD not in str(vars(caught.value))


def test_a_receiver_without_push_options_is_told(course, fake):
    git(fake.folder, "config", "receive.advertisePushOptions", "false")
    with pytest.raises(UnavailableError) as caught:
        promote(course, LAB)
    assert "give a token" in caught.value.resolution


def test_the_api_opens_it_where_there_is_a_token_and_updates_it_in_place(course, fake, token):
    done = promote(course, LAB)
    (made,) = fake.requests
    assert done.request.url == f"{fake.url}/-/merge_requests/1"
    assert [one["username"] for one in made["assignees"]] == ["ada"]
    assert fake.push_options[-1] == []
    again = promote(course, LAB)
    assert again.request == done.request
    assert [entry[0] for entry in fake.log if entry[0] != "GET"] == ["POST"]
    prove(course, 2)
    promote(course, LAB)
    (made,) = fake.requests
    assert made["title"].endswith("release 2")
    assert "checkpoint 2" in made["description"]


def test_one_that_the_push_itself_made_is_taken(course, fake, token):
    promote(course, LAB)
    fake.faults = [
        ("GET .*/merge_requests$", 200, {}, []),
        ("POST", 409, {}, {"message": ["Another open merge request"]}),
    ]
    assert promote(course, LAB).request.url == f"{fake.url}/-/merge_requests/1"


def test_a_professor_whom_gitlab_does_not_know(course, fake, token, events):
    fake.users = fake.users[:1]
    promote(course, LAB)
    assert "no user 'ada'" in warnings(events)[0]


def test_merged_at_once_it_is_looked_at_again(course, fake, token):
    done = promote(course, LAB, at_once=True)
    assert done.merge == course.repository.head() == fake.branches["main"]
    assert fake.requests[0]["state"] == "merged"
    assert promote(course, LAB).merge is None


def test_a_merge_that_is_not_what_was_proved_is_told(course, fake, token, monkeypatch, tmp_path):
    real = git_over_http.merge_in

    def with_somebody_elses_change(fake, branch, target="main"):
        real(fake, branch, target)
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", fake.folder, clone)
        (clone / f"environments/prod/{LAB}/lxd/prof.yaml").write_text("changed: true\n")
        git(clone, "commit", "-qam", "Change prod by hand")
        git(fake.folder, "fetch", "-q", clone, "+main:main")
        return git(clone, "rev-parse", "HEAD")

    monkeypatch.setattr(git_over_http, "merge_in", with_somebody_elses_change)
    with pytest.raises(InputError):
        promote(course, LAB, at_once=True)
    assert "Change prod by hand" in git(course.repository.root, "log", "-1")


def test_without_a_token_nothing_is_merged_and_nothing_pushed(course, fake):
    with pytest.raises(PermissionsError, match="no token"):
        promote(course, LAB, at_once=True)
    assert BRANCH not in fake.branches


def test_without_the_right_to_merge_nothing_is_left_to_gitlab(course, fake, token, events):
    fake.can_merge = False
    with pytest.raises(PermissionsError, match="may not merge"):
        promote(course, LAB, at_once=True)
    allowed(course, fake)
    done = promote(course, LAB)
    assert "auto-merge was not set" in warnings(events)[0]
    assert not fake.requests[0]["auto_merge"]
    assert done.request.url


def allowed(course, fake):
    """Let GitLab merge by itself."""
    platform = PLATFORM.format(fake.url, ", auto_merge: true").encode()
    course.repository.commit({"environments/prod/platform.yaml": platform}, "Allow auto-merge")
    course.repository.publish()


def test_auto_merge_is_set_where_the_operator_allows_it(course, fake, token):
    allowed(course, fake)
    fake.status_of_merge = "ci_still_running"
    done = promote(course, LAB)
    assert fake.requests[0]["auto_merge"]
    assert done.request.waits_for == "its pipeline"


@pytest.mark.parametrize(
    ("status", "words"),
    [("not_approved", "1 approval of @ada, @mallory (Professors)"), ("draft_status", "somebody who marks it as ready")],
)
def test_it_is_said_for_whom_it_waits(course, fake, token, status, words):
    fake.status_of_merge, fake.premium = status, True
    rule = {"name": "Professors", "approvals_required": 1, "approved": False, "eligible_approvers": fake.users[1:]}
    fake.approvals = {"rules": [rule, {**rule, "name": "Done", "approved": True}]}
    assert promote(course, LAB).request.waits_for == words
    with pytest.raises(UnavailableError) as caught:
        promote(course, LAB, at_once=True)
    assert words in caught.value.message


def test_a_branch_that_moved_is_not_merged(course, fake, token):
    fake.faults = [("PUT .*/merge$", 409, {}, {"message": "SHA does not match HEAD of source branch: abc"})]
    with pytest.raises(TryAgainError, match="moved"):
        promote(course, LAB, at_once=True)


def test_the_merge_requests_own_pipeline_finds_what_a_pilot_proved(course, fake, token):
    promote(course, LAB)
    repository = course.repository
    base = repository.head()
    git(repository.root, "switch", "-q", BRANCH)
    assert touched(course, base) == []
    (repository.root / f"environments/prod/{LAB}/lxd/s001.yaml").write_text("changed: true\n")
    git(repository.root, "commit", "-qam", "Give one student more")
    found = touched(course, base)
    assert f"environments/prod/{LAB}/lxd/s001.yaml" in [one.path for one in found]
    assert {one.advice for one in found} == {BY_PROMOTION}


def test_what_is_generated_on_main_starts_no_pipeline(course, fake):
    course.repository.commit({f"labs/{LAB}.lab.yaml": SPEC.replace("2", "3").encode()}, "Edit")
    assert publish_generated(course) == git(fake.folder, "rev-parse", "main")
    assert fake.push_options[-1] == ["ci.skip", "integrations.skip_ci"]


def test_what_is_superseded_is_closed_with_a_word(course, fake, token):
    promote(course, LAB)
    git_over_http.merge_in(fake, BRANCH)  # by hand, and GitLab has not seen it yet
    assert promote(course, LAB).request is None
    (made,) = fake.requests
    assert made["state"] == "closed"
    assert "has this release already" in fake.notes[1][0]["body"]
    assert BRANCH not in fake.branches


def test_people_who_committed_on_the_branch_are_not_overwritten(course, fake, token, tmp_path):
    promote(course, LAB)
    clone = tmp_path / "clone"
    url = f"{fake.url}.git".replace("://", f"://bot:{PASSWORD}@")
    git(tmp_path, "clone", "-q", "-b", BRANCH, url, clone)
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    git(clone, "push", "-q")
    with pytest.raises(PracticumError, match="commits that people made"):
        promote(course, LAB)


def test_a_repository_without_a_project_merges_by_itself(workspace, deploy):
    deploy(SPEC)
    prove(workspace, 1)
    assert promote(Workspace(workspace.repository, today=workspace.today), LAB).merge
