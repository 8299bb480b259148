"""Promotion branches and their merge."""

import pytest

from practicum.errors import PracticumError, TryAgainError, UsageError

BRANCH = "promote/net101/firewalls"
PROD = "environments/prod/net101/firewalls"
CHANGES = {f"{PROD}/release.json": b"{}\n", f"{PROD}/lxd/s001.yaml": b"one\n"}


def promote(repository, changes=CHANGES, base="main"):
    return repository.merge_files(BRANCH, changes, "Promote net101/firewalls", "to the class", base)


def branches(user, root):
    return user(root, "for-each-ref", "--format=%(refname:strip=2)", "refs/heads").split()


def test_merge_files_leaves_the_working_tree_alone(repository, tmp_path, user):
    (repository.root / "labs/net101/firewalls.lab.yaml").write_text("draft")
    (repository.root / "labs/net101/staged").write_text("draft")
    user(repository.root, "add", "labs/net101/staged")
    before = user(repository.root, "status", "--porcelain")
    main = repository.head()
    tip = promote(repository)
    assert repository.branch == "main"
    assert repository.head() == main
    assert user(repository.root, "status", "--porcelain") == before
    assert user(tmp_path / "origin.git", "rev-parse", BRANCH, f"{BRANCH}^").split() == [tip, main]
    assert repository.committed("environments/prod", tip) == CHANGES
    assert user(repository.root, "log", "-1", "--format=%B", tip) == "Promote net101/firewalls\n\nto the class"


def test_merge(repository, tmp_path, user):
    (repository.root / "labs/net101/firewalls.lab.yaml").write_text("draft")
    main, tip = repository.head(), promote(repository)
    made = repository.merge(BRANCH, "Deploy")
    assert repository.head() == made == user(tmp_path / "origin.git", "rev-parse", "main")
    assert user(repository.root, "rev-parse", f"{made}^1", f"{made}^2").split() == [main, tip]
    assert (repository.root / PROD / "release.json").read_bytes() == b"{}\n"
    assert repository.uncommitted() == ["labs/net101/firewalls.lab.yaml"]
    assert branches(user, repository.root) == branches(user, tmp_path / "origin.git") == ["main"]


def test_merge_after_main_moved_elsewhere(repository, colleague, user):
    promote(repository)
    colleague.commit({"labs/a": b"a"}, "Add")
    colleague.publish()
    made = repository.merge(BRANCH, "Deploy")
    assert repository.committed("labs/a") == {}
    assert (repository.root / "labs/a").read_bytes() == b"a"
    assert repository.committed("environments/prod") == CHANGES
    colleague.synchronise()
    assert colleague.head() == made


def test_merge_from_another_checkout(repository, colleague):
    promote(repository)
    made = colleague.merge(BRANCH, "Deploy")
    repository.synchronise()
    assert repository.head() == made
    assert repository.merge(BRANCH, "Deploy") == made


def test_merge_without_origin(repository, user):
    user(repository.root, "remote", "remove", "origin")
    promote(repository)
    made = repository.merge(BRANCH, "Deploy")
    assert (repository.head(), branches(user, repository.root)) == (made, ["main"])


def test_a_deletion_is_promoted(repository):
    promote(repository)
    repository.merge(BRANCH, "Deploy")
    promote(repository, {f"{PROD}/lxd/s001.yaml": None})
    repository.merge(BRANCH, "Deploy")
    assert sorted(path.name for path in (repository.root / PROD).iterdir()) == ["release.json"]


def test_all_again_is_one_merge(repository, user):
    promote(repository)
    made = repository.merge(BRANCH, "Deploy")
    assert promote(repository) == made
    assert repository.merge(BRANCH, "Deploy") == made
    assert len(user(repository.root, "rev-list", "--merges", "HEAD").split()) == 1


@pytest.mark.parametrize("home", ["plain"], indirect=True)
def test_promote_and_merge_converge_wherever_git_is_killed(repository, user, dies, tmp_path):
    for calls in range(200):
        changes = {f"{PROD}/release.json": str(calls).encode()}
        count = len(user(repository.root, "rev-list", "--merges", "main").split())
        dies(calls)
        try:
            promote(repository, changes)
            repository.merge(BRANCH, "Deploy")
            killed = False
        except PracticumError:
            killed = True
        dies(None)
        promote(repository, changes)
        made = repository.merge(BRANCH, "Deploy")
        assert repository.head() == made == user(tmp_path / "origin.git", "rev-parse", "main")
        assert len(user(repository.root, "rev-list", "--merges", "main").split()) == count + 1
        assert branches(user, repository.root) == branches(user, tmp_path / "origin.git") == ["main"]
        assert repository.uncommitted() == []
        if not killed:
            break
    assert 20 < calls < 199


def test_the_same_promotion_keeps_its_commit(repository):
    assert promote(repository) == promote(repository)


def test_a_newer_promotion_replaces_the_branch(repository, tmp_path, user):
    old = promote(repository)
    repository.commit({"labs/a": b"a"}, "Add")
    new = promote(repository, {f"{PROD}/release.json": b"new"})
    assert user(tmp_path / "origin.git", "rev-parse", BRANCH, f"{BRANCH}^").split() == [new, repository.head()]
    assert old != new


def test_a_promotion_of_what_main_has_closes_an_older_one(repository, tmp_path, user):
    promote(repository)
    assert promote(repository, {f"{PROD}/release.json": None}) == repository.head()
    assert branches(user, tmp_path / "origin.git") == branches(user, repository.root) == ["main"]
    with pytest.raises(UsageError, match="no branch"):
        repository.merge(BRANCH, "Deploy")


def test_commits_of_people_on_the_branch(repository, colleague, user):
    promote(repository)
    user(colleague.root, "fetch", "--quiet", "origin")
    user(colleague.root, "switch", "--quiet", BRANCH)
    user(colleague.root, "commit", "--quiet", "--allow-empty", "-m", "Reviewed")
    user(colleague.root, "push", "--quiet", "origin", BRANCH)
    with pytest.raises(PracticumError, match="people made") as caught:
        promote(repository, {f"{PROD}/release.json": b"new"})
    assert "Reviewed" in caught.value.details
    repository.merge(BRANCH, "Deploy")
    assert "Reviewed" in user(repository.root, "log", "--format=%s")


def test_a_branch_that_people_closed_is_not_merged(repository, tmp_path, user):
    promote(repository)
    user(tmp_path / "origin.git", "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(UsageError, match="no branch"):
        repository.merge(BRANCH, "Deploy")
    assert repository.committed("environments/prod") == {}


def test_no_branch_of_a_similar_name(repository):
    promote(repository)
    repository.merge(BRANCH, "Deploy")
    with pytest.raises(UsageError, match="no branch"):
        repository.merge("promote/net101/fire", "Deploy")


def test_conflict(repository):
    promote(repository)
    repository.commit({f"{PROD}/release.json": b"by hand\n"}, "Other")
    with pytest.raises(PracticumError, match="both changed the same files") as caught:
        repository.merge(BRANCH, "Deploy")
    assert caught.value.details == f"{PROD}/release.json"
    assert repository.uncommitted() == []


def test_uncommitted_changes_in_the_way(repository, tmp_path, user):
    main = repository.head()
    promote(repository)
    (repository.root / PROD).mkdir(parents=True)
    (repository.root / PROD / "release.json").write_text("mine")
    for call in (lambda: promote(repository), lambda: repository.merge(BRANCH, "Deploy")):
        with pytest.raises(PracticumError, match="not committed") as caught:
            call()
        assert caught.value.details == f"{PROD}/release.json"
    assert repository.head() == main == user(tmp_path / "origin.git", "rev-parse", "main")
    assert (repository.root / PROD / "release.json").read_text() == "mine"


def test_origin_that_moves_during_the_merge(repository, tmp_path):
    promote(repository)
    hook = tmp_path / "origin.git/hooks/pre-receive"  # someone is faster at exactly this moment
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nunset GIT_QUARANTINE_PATH\n"
        "export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=a@b\n"
        "new=$(git commit-tree -p main -m faster 'main^{tree}') || exit 0\n"
        "git update-ref refs/heads/main $new\n"
    )
    hook.chmod(0o755)
    before = repository.head()
    with pytest.raises(TryAgainError):
        repository.merge(BRANCH, "Deploy")
    assert (repository.head(), repository.uncommitted()) == (before, [])
    hook.unlink()
    assert repository.merge(BRANCH, "Deploy") == repository.head()
    assert repository.committed("environments/prod") == CHANGES
