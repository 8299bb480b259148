"""Commits are signed where a key is configured, and nothing changes when it cannot sign."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from practicum.errors import UnavailableError
from practicum.git.repository import Repository

User = Callable[..., str]


@pytest.fixture
def key(repository: Repository, user: User, tmp_path: Path) -> Path:
    """A key for this checkout, which this checkout also trusts."""
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    trusted = tmp_path / "trusted"
    trusted.write_text(f"practicum@localhost {made.with_suffix('.pub').read_text()}")
    settings = {"gpg.format": "ssh", "gpg.ssh.allowedSignersFile": trusted, "practicum.signingKey": made}
    for name, value in settings.items():
        user(repository.root, "config", name, str(value))
    return made


def test_every_commit_is_signed(repository: Repository, user: User, key: Path) -> None:
    assert key.exists()
    repository.commit({"a.yaml": b"a: 1\n"}, "Edit")
    repository.merge_files("promote/a/b", {"b.yaml": b"b: 1\n"}, "Promote", "")
    merged = repository.merge("promote/a/b", "Merge")
    commits = [merged, *user(repository.root, "rev-list", "-3", merged).split()]
    assert len(set(commits)) == 3
    for commit in commits:
        user(repository.root, "verify-commit", commit)


def test_a_key_that_cannot_sign_changes_nothing(repository: Repository, user: User, key: Path) -> None:
    key.unlink()
    key.with_suffix(".pub").unlink()
    head = repository.head()
    with pytest.raises(UnavailableError) as told:
        repository.commit({"a.yaml": b"a: 1\n"}, "Edit")
    assert "practicum.signingKey" in told.value.resolution
    assert repository.head() == head
    assert user(repository.root, "status", "--porcelain") == ""


def test_a_users_own_wish_to_sign_is_not_ours(repository: Repository, user: User) -> None:
    user(repository.root, "config", "commit.gpgSign", "true")
    user(repository.root, "config", "user.signingKey", "nobody")
    made = repository.commit({"a.yaml": b"a: 1\n"}, "Edit")
    assert made is not None
    assert "gpgsig" not in user(repository.root, "cat-file", "-p", made)
