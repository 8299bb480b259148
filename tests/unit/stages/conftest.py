"""A workspace around a real git repository in a temporary folder; no LXD."""

import os
from datetime import date

import pytest

from practicum.git.repository import Repository
from practicum.stages.workspace import Workspace

PLATFORM = "installation: k3v9t2qa\nprofessor_internet: none\nlxd: {socket: /nonexistent/lxd.socket}\n"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository with platform files for dev and prod."""
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    files = {f"environments/{name}/platform.yaml": PLATFORM.encode() for name in ("dev", "prod")}
    repository = Repository.create(tmp_path / "labs", files, None, "Start")
    key = repository.root / ".practicum/secret.key"
    key.parent.mkdir()
    key.write_text("0123456789abcdef" * 4 + "\n")
    return Workspace(repository, today=date(2026, 9, 1))


@pytest.fixture
def deploy(workspace):
    """Commit a spec with its files and what is generated: `deploy(text, {path: data})`; paths within the course."""

    def run(text, files=None, lab="net101/firewalls"):
        from practicum.stages.generate import generate

        course = lab.split("/")[0]
        content = {f"labs/{course}/{name}": data for name, data in (files or {}).items()}
        workspace.repository.commit({f"labs/{lab}.lab.yaml": text.encode(), **content}, "Edit")
        workspace.repository.commit(generate(workspace, workspace.repository.sources(None), [lab]), "Generate")
        return workspace.repository.head()

    return run
