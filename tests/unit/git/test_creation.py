"""`Repository.create` and `Repository.open`."""

from pathlib import Path

import pytest

from practicum.errors import PracticumError, UsageError
from practicum.git import creation
from practicum.git.plumbing import Plumbing
from practicum.git.repository import Repository

FILES = {"README.md": b"# Course\r\n", "labs/.gitkeep": b"", "environments/dev/platform.yaml": b"installation: a\n"}


def test_create_commits_and_pushes_main(tmp_path, user):
    made = Repository.create(tmp_path / "course", FILES, tmp_path / "origin.git", "Begin")
    assert made.branch == "main"
    assert made.committed("") == FILES
    assert {path: (made.root / path).read_bytes() for path in FILES} == FILES
    assert user(tmp_path / "origin.git", "rev-parse", "main") == made.head()
    assert user(made.root, "log", "--format=%an %ae %s") == "Practicum practicum@localhost Begin"
    assert user(made.root, "status", "--porcelain") == ""
    assert user(made.root, "pull", "--ff-only", "--quiet") == ""
    assert sorted(p.name for p in made.root.iterdir()) == [".git", "README.md", "environments", "labs"]


def test_create_without_origin(tmp_path):
    made = Repository.create(tmp_path / "deep" / "course", FILES, None, "Begin")
    assert made.origin is None
    made.publish()
    made.synchronise()
    assert made.committed("labs") == {"labs/.gitkeep": b""}


def test_create_accepts_an_empty_folder(tmp_path):
    (tmp_path / "course").mkdir()
    assert Repository.create(tmp_path / "course", FILES, None, "Begin").branch == "main"


def test_create_twice(tmp_path):
    first = Repository.create(tmp_path / "course", FILES, tmp_path / "origin.git", "Begin")
    with pytest.raises(UsageError, match="already"):
        Repository.create(tmp_path / "course", {"other": b""}, tmp_path / "origin.git", "Begin")
    again = Repository.create(tmp_path / "course", {"other": b""}, tmp_path / "origin.git", "Begin", exist_ok=True)
    assert (again.head(), again.committed("")) == (first.head(), FILES)


@pytest.mark.parametrize("exist_ok", [False, True])
@pytest.mark.parametrize("used", ["course", "origin.git"])
def test_create_refuses_used_folders(tmp_path, used, exist_ok):
    (tmp_path / used).mkdir()
    (tmp_path / used / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        Repository.create(tmp_path / "course", FILES, tmp_path / "origin.git", "Begin", exist_ok=exist_ok)
    assert [p.name for p in (tmp_path / used).iterdir()] == ["thesis.tex"]
    assert not (tmp_path / ({"course", "origin.git"} - {used}).pop()).exists()


def test_create_refuses_somebody_elses_repository(tmp_path, user):
    user(tmp_path, "init", "--quiet", "course")
    with pytest.raises(UsageError):
        Repository.create(tmp_path / "course", FILES, None, "Begin", exist_ok=True)


@pytest.mark.parametrize("path", ["../escape", "/etc/passwd", ".git/config", "a//b", "x/.GIT/hooks/pre-push"])
def test_create_refuses_paths_outside(tmp_path, path):
    with pytest.raises(PracticumError, match="refusing to write"):
        Repository.create(tmp_path / "course", {path: b""}, None, "Begin")
    assert not (tmp_path / "course").exists()


@pytest.mark.parametrize("home", ["plain"], indirect=True)
def test_create_converges_wherever_git_is_killed(tmp_path, user, dies):
    for calls in range(100):
        course, remote = tmp_path / f"course{calls}", tmp_path / f"origin{calls}.git"
        dies(calls)
        try:
            Repository.create(course, FILES, remote, "Begin")
            killed = False
        except PracticumError:
            killed = True
        dies(None)
        made = Repository.create(course, FILES, remote, "Begin", exist_ok=True)
        assert made.committed("") == FILES
        assert user(remote, "log", "--format=%s %H", "main") == f"Begin {made.head()}"
        assert user(made.root, "status", "--porcelain", "--ignored") == ""
        if not killed:
            break
    assert 10 < calls < 99


def test_create_completes_with_the_files_of_its_first_commit(tmp_path):
    git = Plumbing(tmp_path / "course")
    creation.begin(git)
    creation.first_commit(git, FILES, "Begin")
    made = Repository.create(git.root, FILES | {"environments/dev/platform.yaml": b"other\n"}, None, "Begin")
    assert made.committed("") == FILES
    assert made.uncommitted() == []


def test_create_killed_does_not_adopt_another_remote(tmp_path):
    Repository.create(tmp_path / "first", FILES, tmp_path / "origin.git", "Begin")
    creation.begin(Plumbing(tmp_path / "second"))
    with pytest.raises(UsageError, match="another repository"):
        Repository.create(tmp_path / "second", {"a": b"b"}, tmp_path / "origin.git", "Begin")


def test_create_inside_another_checkout_is_its_own(repository):
    inner = Repository.create(repository.root / ".demo", FILES, None, "Begin")
    assert inner.root == repository.root / ".demo"
    assert Repository.open(inner.root / "labs").head() == inner.head() != repository.head()


def test_create_in_a_git_hook_of_another_repository(repository, tmp_path, monkeypatch):
    before = repository.head()
    monkeypatch.setenv("GIT_DIR", str(repository.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository.root / ".git/index"))
    made = Repository.create(tmp_path / "other", FILES, tmp_path / "other.git", "Begin")
    made.commit({"labs/new": b""}, "More")
    made.publish()
    assert made.committed("labs") == {"labs/.gitkeep": b"", "labs/new": b""}
    assert (repository.head(), repository.uncommitted()) == (before, [])
    assert Repository.open(made.root).head() == made.head()


@pytest.mark.parametrize("place", [".", "labs/net101", "labs/net101/firewalls.lab.yaml"])
def test_open_finds_the_checkout(repository, place):
    assert Repository.open(repository.root / place).root == repository.root


def test_open_finds_a_linked_worktree(repository, user, tmp_path):
    user(repository.root, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "topic")
    linked = Repository.open(tmp_path / "linked" / "labs")
    assert (linked.root, linked.branch) == (tmp_path / "linked", "topic")
    assert linked.commit({"labs/a": b"b"}, "Add") == linked.head()
    assert repository.uncommitted() == []


@pytest.mark.parametrize("place", [".", "missing/too", "origin.git"])
def test_open_outside_says_what_to_do(tmp_path: Path, repository, place):
    with pytest.raises(UsageError, match="not in the working tree") as caught:
        Repository.open(tmp_path / place)
    assert "practicum init" in caught.value.resolution


def test_head_before_the_first_commit(tmp_path, user):
    user(tmp_path, "init", "--quiet", "fresh")
    with pytest.raises(UsageError, match="no commit") as caught:
        Repository.open(tmp_path / "fresh").head()
    assert "first commit" in caught.value.resolution


def test_short(repository):
    assert repository.head().startswith(repository.short(repository.head()))
    assert len(repository.short("HEAD")) == 7


def test_a_root_that_is_gone_does_not_fall_back_to_the_current_folder(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository.root)
    with pytest.raises(PracticumError):
        Repository(tmp_path / "gone").head()
