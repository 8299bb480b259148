"""The files of a fresh GitOps repository."""

import json
import re

import pytest
import yaml

from practicum.git.repository import Repository
from practicum.git.template import repository_files

PLATFORM = {"environments/dev/platform.yaml": b"installation: x\n", "environments/prod/platform.yaml": b"{}\n"}


@pytest.fixture
def content():
    return repository_files("University of Ünder", PLATFORM, {"lab.schema.json": b"{}"})


def test_files(content):
    assert list(content) == [
        ".gitattributes",
        ".gitignore",
        ".gitlab-ci.yml",
        ".gitlab/issue_templates/New lab.md",
        ".gitlab/merge_request_templates/Default.md",
        ".pre-commit-config.yaml",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        "Jenkinsfile",
        "README.md",
        "environments/dev/platform.yaml",
        "environments/prod/platform.yaml",
        "labs/.gitkeep",
        "schemas/lab.schema.json",
    ]
    assert content["environments/dev/platform.yaml"] == b"installation: x\n"


def test_readme_names_the_course_and_five_commands(content):
    readme = content["README.md"].decode()
    assert readme.startswith("# University of Ünder\n")
    assert "{{" not in readme
    block = re.search(r"```sh\n(.*?)```", readme, re.DOTALL)[1]
    assert [line.split()[1] for line in block.splitlines()] == ["new", "validate", "plan", "checkpoint", "promote"]


def test_jenkinsfile_only_calls_the_library(content):
    lines = content["Jenkinsfile"].decode().splitlines()
    assert lines[1:] == ["@Library('practicum') _", "practicumPipeline()"]


def test_merge_request_jobs_have_no_effects(content):
    jobs = yaml.safe_load(content[".gitlab-ci.yml"])
    verbs = re.findall(r"practicum (\w+)", " ".join(line for job in jobs.values() for line in job.get("script", ())))
    assert set(verbs) == {"validate", "generate", "review"}
    assert {job["extends"] for name, job in jobs.items() if name != ".request"} == {".request"}


def test_editor_knows_the_schema(content):
    schemas = json.loads(content[".vscode/settings.json"])["yaml.schemas"]
    assert schemas == {
        "./schemas/lab.schema.json": "labs/**/*.lab.yaml",
        "./schemas/platform.schema.json": "environments/*/platform.yaml",
    }


@pytest.mark.parametrize("path", ["generator/x.py", "practicum/x.py", "jenkins/vars/x.groovy"])
def test_the_tool_is_never_part_of_it(path):
    with pytest.raises(ValueError, match="belongs to the tool"):
        repository_files("x", {path: b""})


@pytest.mark.parametrize(
    ("path", "generated"),
    [
        ("environments/dev/net101/firewalls/lxd/s001.yaml", True),
        ("environments/prod/net101/firewalls/kubernetes/shards/00/kustomization.yaml", True),
        ("environments/dev/addresses.yaml", True),
        ("argocd/apps/dev/net101-firewalls-00.yaml", True),
        ("labs/net101/firewalls.seats.yaml", True),
        ("labs/net101/firewalls.lab.yaml", False),
        ("environments/dev/platform.yaml", False),
    ],
)
def test_generated_paths_are_marked(content, tmp_path, user, path, generated):
    root = Repository.create(tmp_path / "course", content, None, "Begin").root
    for attribute in ("linguist-generated", "gitlab-generated"):
        assert user(root, "check-attr", attribute, path).endswith(": set") == generated


def test_practicums_own_folder_is_ignored(content, tmp_path):
    made = Repository.create(tmp_path / "course", content, None, "Begin")
    (made.root / ".practicum").mkdir()
    (made.root / ".practicum/cache").write_text("")
    assert made.uncommitted() == []
