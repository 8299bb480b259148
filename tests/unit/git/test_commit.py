"""Committing exactly what was asked for, beside a user who works in the same checkout."""

import os

import pytest

from practicum.errors import PermissionsError, PracticumError, TryAgainError
from practicum.git import checkout

SPEC = "labs/net101/firewalls.lab.yaml"
SEATS = "environments/dev/net101/firewalls/lxd"


def test_committed(repository):
    assert repository.committed(SEATS) == {f"{SEATS}/s001.yaml": b"one\n", f"{SEATS}/s002.yaml": b"two\n"}
    assert repository.committed("environments/prod") == {}
    assert repository.committed("env") == {}
    first = repository.head()
    repository.commit({f"{SEATS}/s001.yaml": b"1\n"}, "Change")
    assert repository.committed(f"{SEATS}/", first)[f"{SEATS}/s001.yaml"] == b"one\n"


def test_commit_writes_and_deletes(repository, user):
    before = repository.head()
    made = repository.commit({f"{SEATS}/s001.yaml": None, f"{SEATS}/s003.yaml": b"3\r\n"}, "Ünïcode\n\nwhy")
    assert repository.head() == made != before
    assert user(repository.root, "log", "-1", "--format=%an <%ae> %cn %P|%B") == (
        f"Practicum <practicum@localhost> Practicum {before}|Ünïcode\n\nwhy"
    )
    assert sorted(repository.committed(SEATS)) == [f"{SEATS}/s002.yaml", f"{SEATS}/s003.yaml"]
    assert (repository.root / SEATS / "s003.yaml").read_bytes() == b"3\r\n"
    assert not (repository.root / SEATS / "s001.yaml").exists()
    assert user(repository.root, "status", "--porcelain") == ""


def test_commit_of_nothing_new(repository):
    before = repository.head()
    changes = {f"{SEATS}/s001.yaml": b"one\n", "environments/prod/none": None}
    assert repository.commit(changes, "Again") is None
    assert repository.commit({}, "Empty") is None
    assert repository.head() == before


def test_commit_removes_folders_that_become_empty(repository):
    (repository.root / "environments/dev/note").write_text("mine")
    repository.commit({f"{SEATS}/s001.yaml": None, f"{SEATS}/s002.yaml": None}, "Destroy")
    assert sorted(p.name for p in (repository.root / "environments/dev").iterdir()) == ["note"]


def test_commit_leaves_the_users_other_changes(repository, user):
    root = repository.root
    (root / SPEC).write_text("version: 1\ntitle: staged\n")
    user(root, "add", SPEC)
    (root / SPEC).write_text("version: 1\ntitle: modified\n")
    (root / "labs/net101/staged").write_text("new")
    user(root, "add", "labs/net101/staged")
    user(root, "rm", "--quiet", "--cached", f"{SEATS}/s002.yaml")
    (root / "untracked").write_text("u")
    repository.commit({f"{SEATS}/s001.yaml": b"1\n"}, "Generate")
    assert user(root, "show", "--format=", "--name-status", "HEAD") == f"M\t{SEATS}/s001.yaml"
    assert user(root, "status", "--porcelain").splitlines() == [
        f"D  {SEATS}/s002.yaml",
        f"MM {SPEC}",
        "A  labs/net101/staged",
        f"?? {SEATS}/s002.yaml",
        "?? untracked",
    ]
    assert (root / SPEC).read_text() == "version: 1\ntitle: modified\n"


def test_commit_takes_ignored_and_many_files(repository):
    changes = {f".practicum/{number:04}": str(number).encode() for number in range(500)}
    repository.commit(changes, "Many")
    assert repository.committed(".practicum") == changes


def test_commit_keeps_a_file_executable(repository, user):
    script = repository.root / "labs/net101/run.sh"
    script.write_text("old")
    script.chmod(0o755)
    user(repository.root, "add", "--chmod=+x", "labs/net101/run.sh")
    user(repository.root, "commit", "--quiet", "-m", "script")
    repository.commit({"labs/net101/run.sh": b"new"}, "Change")
    assert user(repository.root, "ls-tree", "HEAD", "labs/net101/run.sh").startswith("100755")
    assert os.access(script, os.X_OK)


def test_commit_turns_a_folder_into_a_file_and_back(repository):
    repository.commit({f"{SEATS}/s001.yaml": None, f"{SEATS}/s002.yaml": None, SEATS: b"file"}, "File")
    assert repository.committed("environments") == {SEATS: b"file"}
    repository.commit({SEATS: None, f"{SEATS}/s001.yaml": b"one"}, "Folder")
    assert repository.committed("environments") == {f"{SEATS}/s001.yaml": b"one"}
    assert repository.uncommitted() == []


def test_commit_refuses_to_write_through_a_link(repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (repository.root / "environments/prod").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PracticumError, match="refusing to write"):
        repository.commit({"environments/prod/net101/x": b""}, "Escape")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("path", ["environments/prod/x", "../x", ".git/hooks/x", "/x"])
def test_write_refuses_paths_that_leave_the_repository(repository, tmp_path, path):
    (tmp_path / "elsewhere").mkdir()
    (repository.root / "environments/prod").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PracticumError, match="refusing to write"):
        repository.write({"labs/a": b"", path: b""})
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (repository.root / "labs/a").exists()


def test_the_index_knows_the_files_that_were_committed(repository, user):
    assert user(repository.root, "diff-files") == ""
    before = repository.head()
    repository.commit({f"{SEATS}/s001.yaml": b"1\n"}, "Generate")
    assert user(repository.root, "diff-files") == ""
    user(repository.root, "reset", "--keep", before)
    assert (repository.root / SEATS / "s001.yaml").read_bytes() == b"one\n"


def test_commit_replaces_a_link_and_not_its_target(repository, tmp_path):
    (tmp_path / "target").write_text("keep")
    (repository.root / SEATS / "s001.yaml").unlink()
    (repository.root / SEATS / "s001.yaml").symlink_to(tmp_path / "target")
    repository.commit({f"{SEATS}/s001.yaml": b"1\n"}, "Generate")
    assert (tmp_path / "target").read_text() == "keep"
    assert not (repository.root / SEATS / "s001.yaml").is_symlink()


def test_commit_where_a_folder_stands_in_the_way(repository):
    (repository.root / "environments/addresses.yaml").mkdir()
    (repository.root / "environments/addresses.yaml/note").write_text("mine")
    before = repository.head()
    with pytest.raises(PracticumError, match="cannot read or write"):
        repository.commit({"environments/addresses.yaml": b""}, "Generate")
    assert repository.head() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_commit_without_permission(repository):
    (repository.root / SEATS).chmod(0o500)
    with pytest.raises(PermissionsError):
        repository.commit({f"{SEATS}/s001.yaml": b"1\n"}, "Generate")


def test_commit_on_a_detached_head(repository, user):
    user(repository.root, "switch", "--quiet", "--detach")
    made = repository.commit({"labs/a": b"b"}, "Add")
    assert (repository.head(), repository.branch) == (made, "")


def test_commit_while_another_git_holds_the_index(repository):
    lock = repository.root / ".git/index.lock"
    lock.write_text("")
    before = repository.head()
    with pytest.raises(TryAgainError) as caught:
        repository.commit({"labs/a": b"b"}, "Add")
    assert "index.lock" in caught.value.details
    assert repository.head() == before
    lock.unlink()
    assert repository.commit({"labs/a": b"b"}, "Add") == repository.head()


@pytest.mark.parametrize("home", ["plain"], indirect=True)
def test_commit_converges_wherever_git_is_killed(repository, dies):
    for calls in range(50):
        changes = {f"{SEATS}/s001.yaml": None, f"{SEATS}/s{calls + 100}.yaml": b"new"}
        repository.commit({f"{SEATS}/s001.yaml": b"one\n"}, "Back")
        before = repository.head()
        dies(calls)
        try:
            killed = repository.commit(changes, "Generate") is None
        except PracticumError:
            killed = True
        dies(None)
        repository.commit(changes, "Generate")
        assert repository.committed(SEATS, "HEAD^") == repository.committed(SEATS, before)
        assert repository.uncommitted() == []
        if not killed:
            break
    assert calls >= 3


def test_commit_after_a_kill_among_the_files(repository):
    changes = {f"{SEATS}/s001.yaml": None, f"{SEATS}/s003.yaml": b"3", f"{SEATS}/s004.yaml": b"4"}
    checkout.write(repository.root, dict(list(changes.items())[:2]))
    (repository.root / SEATS / ".s004.yaml.new").write_bytes(b"hal")
    repository.commit(changes, "Generate")
    assert repository.uncommitted() == []
    assert sorted(repository.committed(SEATS)) == [f"{SEATS}/s00{number}.yaml" for number in (2, 3, 4)]


def test_uncommitted(repository, user):
    root = repository.root
    (root / SPEC).write_text("changed")
    (root / SEATS / "s001.yaml").unlink()
    (root / SEATS / "new folder").mkdir()
    (root / SEATS / "new folder/ü.yaml").write_text("new")
    (root / ".practicum").mkdir()
    (root / ".practicum/ignored").write_text("")
    user(root, "mv", f"{SEATS}/s002.yaml", f"{SEATS}/s009.yaml")
    below = [f"{SEATS}/{name}" for name in ("new folder/ü.yaml", "s001.yaml", "s002.yaml", "s009.yaml")]
    assert repository.uncommitted("environments") == repository.uncommitted("environments/") == below
    assert repository.uncommitted() == [*below, SPEC]
    assert repository.uncommitted("argocd") == []
