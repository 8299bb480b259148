"""What git refuses, told to people."""

import subprocess
import sys
from pathlib import Path

import pytest

from practicum.errors import PermissionsError, PracticumError, TryAgainError, UnavailableError
from practicum.git.failures import disk_failure, git_failure
from practicum.git.repository import Repository

pytestmark = pytest.mark.parametrize("home", ["plain"], indirect=True)


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("fatal: detected dubious ownership in repository at '/srv/course'", PermissionsError),
        ("git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.", PermissionsError),
        ("fatal: could not read Username for 'https://git': terminal prompts disabled", PermissionsError),
        ("remote: GitLab: You are not allowed to push code to protected branches", PermissionsError),
        ("fatal: Unable to create '/srv/course/.git/index.lock': File exists.", TryAgainError),
        ("fatal: cannot lock ref 'HEAD': is at 1 but expected 2", TryAgainError),
        ("! [rejected]        main -> main (fetch first)", TryAgainError),
        ("fatal: unable to access 'https://git/': Could not resolve host: git", UnavailableError),
        ("ssh: connect to host git port 22: Connection refused", UnavailableError),
        ("error: unable to write file: No space left on device", UnavailableError),
        ("something new", PracticumError),
    ],
)
def test_family(words, family):
    error = git_failure("push", words, Path("/srv/course"))
    assert type(error) is family
    assert error.details == words
    assert error.message == "git push failed in /srv/course"
    assert error.resolution
    assert "{" not in error.resolution


def test_no_secret_is_shown():
    error = git_failure("push", "fatal: unable to access 'https://bot:s3cret@git/x': 403", Path("/srv"))
    assert "s3cret" not in str(vars(error))


@pytest.mark.parametrize(
    ("error", "family"), [(PermissionError(13, "no"), PermissionsError), (OSError(28, "full"), PracticumError)]
)
def test_disk(error, family):
    told = disk_failure(Path("/srv/course/a"), error)
    assert (type(told), told.details) == (family, error.strerror)


def test_no_git_program(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match="not installed") as caught:
        repository.head()
    assert caught.value.resolution == "apt install git"


def test_import_without_a_git_program(tmp_path):
    code = "import practicum.git.repository"
    done = subprocess.run([sys.executable, "-c", code], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("practicum.errors.UnavailableError: git cannot be used")


def test_lost_objects_are_told(repository):
    for folder in (repository.root / ".git/objects").iterdir():
        for item in folder.iterdir():
            item.unlink()
    with pytest.raises(PracticumError):
        Repository.open(repository.root).committed("")
