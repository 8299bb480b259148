"""`practicum init --gitlab`: the settings of a project as code, a plan first, and nothing to do the second time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from university import GOOD

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
from gitlab_server import PATH, REPORTER, TOKEN, FakeGitLab

SECRET = "webhook-secret"


@pytest.fixture
def fake(monkeypatch):
    """A new project: GitLab itself protects main."""
    monkeypatch.setenv("PRACTICUM_GITLAB_TOKEN", TOKEN)
    monkeypatch.delenv("PRACTICUM_WEBHOOK_TOKEN", raising=False)
    with FakeGitLab().running() as running:
        levels = [{"access_level": 40}]
        main = {"id": 1, "name": "main", "push_access_levels": levels, "merge_access_levels": levels}
        running.lists["protected_branches"].append({**main, "allow_force_push": False})
        yield running


def changing(fake):
    return [(method, path.rsplit("/", 1)[-1]) for method, path, _ in fake.log if method != "GET"]


def levels(fake, kind, name, key):
    return [one[key] for one in fake.lists[kind] if one["name"] == name]


def test_a_project_becomes_as_wanted_and_then_stays(university, fake):
    said = university("init", "--gitlab", fake.url, "--yes")
    assert said.code == 0
    assert "push: maintainers, merge: developers" in said.out
    assert levels(fake, "protected_branches", "main", "merge_access_levels") == [[{"access_level": 30}]]
    assert levels(fake, "protected_branches", "deployed/*", "merge_access_levels") == [[{"access_level": 0}]]
    assert levels(fake, "protected_tags", "release/*", "create_access_levels") == [[{"access_level": 40}]]
    assert fake.settings["only_allow_merge_if_pipeline_succeeds"]
    assert "promotion" in [label["name"] for label in fake.lists["labels"]]
    fake.log.clear()
    again = university("init", "--gitlab", fake.url, "--yes")
    assert (again.code, again.out, changing(fake)) == (0, "", [])
    assert "nothing to do" in again.err


def test_the_plan_comes_first(university, fake):
    head = university.head
    said = university("init", "--gitlab", fake.url)
    assert said.code == 2
    assert "only_allow_merge_if_pipeline_succeeds" in said.out
    assert ".gitlab/CODEOWNERS" in said.out
    assert (changing(fake), university.head) == ([], head)


def test_files_speak_of_the_project(university, fake):
    university("init", "--gitlab", fake.url, "--yes")
    files = university.files()
    assert b"/environments/*/platform.yaml @teaching\n" in files[".gitlab/CODEOWNERS"]
    assert f"{fake.url}/-/new/main?file_name=labs/COURSE/LAB.lab.yaml".encode() in files["labs/README.md"]
    for environment in ("dev", "prod"):
        assert files[f"environments/{environment}/platform.yaml"].endswith(f"git: {{project: {fake.url}}}\n".encode())
    assert university("validate").code == 0


def test_a_platform_file_that_speaks_of_git_already_is_left_and_told(university, fake):
    path = university.root / "environments/prod/platform.yaml"
    path.write_text(path.read_text() + "git: {remote: /srv/git/labs.git}\n")
    university.commit()
    before = path.read_text()
    said = university("init", "--gitlab", fake.url, "--yes")
    assert f"write 'project: {fake.url}' under 'git:' in environments/prod/platform.yaml" in said.err
    assert path.read_text() == before


@pytest.mark.parametrize(("premium", "words"), [(False, "is a note only"), (True, "counts")])
def test_the_tier_is_told(university, fake, premium, words):
    if premium:
        fake.settings["approvals_before_merge"] = 0
    assert f"CODEOWNERS {words}" in university("init", "--gitlab", fake.url, "--yes").err


def test_jenkins_gets_a_webhook_with_its_secret(university, fake, monkeypatch):
    path = university.root / "environments/prod/platform.yaml"
    path.write_text(path.read_text() + "jenkins: {url: https://jenkins.example.org/}\n")
    university.commit()
    assert "no webhook" in university("init", "--gitlab", fake.url, "--yes").err
    assert fake.lists["hooks"] == []
    monkeypatch.setenv("PRACTICUM_WEBHOOK_TOKEN", SECRET)
    for _ in range(2):
        said = university("init", "--gitlab", fake.url, "--yes")
        assert SECRET not in said.out + said.err
    assert [hook["url"] for hook in fake.lists["hooks"]] == ["https://jenkins.example.org/gitlab-webhook/post"]
    assert [content["token"] for method, path, content in fake.log if (method, path[-6:]) == ("POST", "/hooks")] == [
        SECRET
    ]


def test_what_failed_in_the_middle_is_done_by_the_next_run(university, fake):
    fake.faults = [("POST .*/labels", 400, {}, {"message": "no"})]
    assert university("init", "--gitlab", fake.url, "--yes").code == 1
    fake.log.clear()
    assert university("init", "--gitlab", fake.url, "--yes").code == 0
    assert set(changing(fake)) == {("POST", "labels")}


def test_a_branch_that_lost_its_protection_is_told_and_protected_by_the_next_run(university, fake):
    fake.faults = [("POST .*/protected_branches", 422, {}, {"message": "no"})]
    said = university("init", "--gitlab", fake.url, "--yes")
    assert said.code == 1
    assert "main is NOT protected now" in said.err
    assert university("init", "--gitlab", fake.url, "--yes").code == 0
    assert levels(fake, "protected_branches", "main", "merge_access_levels") == [[{"access_level": 30}]]


def test_force_pushes_are_taken_away(university, fake):
    fake.lists["protected_branches"][0]["allow_force_push"] = True
    assert "FORCE PUSH" in university("init", "--gitlab", fake.url, "--yes").out
    assert levels(fake, "protected_branches", "main", "allow_force_push") == [False]


def test_a_token_that_may_not_is_told_before_anything(university, fake):
    fake.role = REPORTER
    assert university("init", "--gitlab", fake.url, "--yes").code == 77
    assert changing(fake) == []


def test_a_group_and_a_project_are_enough(university, fake):
    assert university("init", "--gitlab", PATH, "--server", fake.server_url, "--yes").code == 0
    assert university("init", "--gitlab", "labs").code == 2
    assert university("init").code == 2


def test_a_new_repository_and_its_project_at_once(practicum, fake, tmp_path):
    said = practicum("init", tmp_path / "new", "--gitlab", fake.url, "--yes")
    assert said.code == 0
    assert (tmp_path / "new/labs/README.md").is_file()


def job(university, name, **variables):
    """Run a job of .gitlab-ci.yml as a runner does; return how it ended."""
    script = yaml.safe_load((university.root / ".gitlab-ci.yml").read_text())[name]["script"]
    environment = {**os.environ, **variables, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    text = "set -eo pipefail\n" + "\n".join(script)
    return subprocess.run(["bash", "-c", text], cwd=university.root, env=environment, capture_output=True, text=True)


def test_the_jobs_of_a_merge_request_make_their_reports(university, fake, monkeypatch):
    monkeypatch.delenv("PRACTICUM_GITLAB_TOKEN")
    university.lab(GOOD.replace("webserver", "webservr"))
    university.commit()
    assert job(university, "validate").returncode == 65
    (problem,) = json.loads((university.root / "gl-code-quality.json").read_text())
    assert problem["location"]["path"] == "labs/net101/firewalls.lab.yaml"
    assert 'failures="1"' in (university.root / "validate.xml").read_text()
    university.lab()
    university.commit()
    urls = {"CI_PIPELINE_URL": "https://git.example.org/p/7", "CI_JOB_URL": "https://git.example.org/j/8"}
    done = job(university, "review", **urls)
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    assert "[what the class would be](<https://git.example.org/j/8/artifacts/browse/preview>)" in done.stdout
    assert (university.root / "preview/environments/prod/net101/firewalls/lxd/s001.yaml").is_file()
    request = fake.open_request(fake.users[1], source_branch="change", target_branch="main")
    fake.branches["change"] = university.head
    token = {"PRACTICUM_GITLAB_TOKEN": TOKEN, "CI_PROJECT_URL": fake.url, "CI_MERGE_REQUEST_IID": str(request["iid"])}
    assert job(university, "review", **urls, **token).returncode == 0
    assert len(fake.notes[request["iid"]]) == 1
