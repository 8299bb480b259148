"""Two checkouts and one origin."""

import pytest

from practicum.errors import PracticumError, TryAgainError, UnavailableError, UsageError


def test_publish_and_synchronise(repository, colleague, tmp_path, user):
    made = repository.commit({"labs/net101/a": b"a", ".gitignore": None}, "Add")
    repository.publish()
    repository.publish()
    assert user(tmp_path / "origin.git", "rev-parse", "main") == made
    colleague.synchronise()
    assert colleague.head() == made
    assert (colleague.root / "labs/net101/a").read_bytes() == b"a"
    assert not (colleague.root / ".gitignore").exists()
    assert colleague.uncommitted() == []


def test_synchronise_keeps_unrelated_work(repository, colleague, user):
    repository.commit({"labs/net101/a": b"a"}, "Add")
    repository.publish()
    (colleague.root / "labs/net101/mine").write_text("draft")
    (colleague.root / "labs/net101/staged").write_text("draft")
    user(colleague.root, "add", "labs/net101/staged")
    colleague.synchronise()
    assert user(colleague.root, "status", "--porcelain") == "A  labs/net101/staged\n?? labs/net101/mine"


@pytest.mark.parametrize("path", ["labs/net101/firewalls.lab.yaml", "labs/net101/new"])
def test_synchronise_does_not_overwrite_work(repository, colleague, path):
    repository.commit({path: b"theirs"}, "Add")
    repository.publish()
    (colleague.root / path).write_text("mine")
    before = colleague.head()
    with pytest.raises(PracticumError, match="not committed") as caught:
        colleague.synchronise()
    assert (caught.value.details, colleague.head()) == (path, before)
    assert "stash" in caught.value.resolution
    assert (colleague.root / path).read_text() == "mine"


def test_synchronise_with_unpublished_commits_only(repository, colleague):
    made = colleague.commit({"labs/b": b"b"}, "Add")
    colleague.synchronise()
    assert colleague.head() == made


def test_publish_race_then_drop_and_make_anew(repository, colleague, tmp_path, user):
    colleague.commit({"labs/b": b"b"}, "Generate net101/firewalls")
    first = repository.commit({"labs/a": b"a"}, "Generate net101/firewalls")
    repository.publish()
    with pytest.raises(TryAgainError) as caught:
        colleague.publish()
    assert "[rejected]" in caught.value.details
    assert "reset --keep origin/main" in caught.value.resolution
    with pytest.raises(PracticumError, match="different commits") as caught:
        colleague.synchronise()
    assert "Practicum: Generate" in caught.value.details
    colleague.synchronise(drop=True)
    assert colleague.head() == first
    assert not (colleague.root / "labs/b").exists()
    assert colleague.uncommitted() == []
    second = colleague.commit({"labs/b": b"b"}, "Generate net101/firewalls")
    colleague.publish()
    assert user(tmp_path / "origin.git", "rev-parse", "main", "main^").split() == [second, first]


def test_synchronise_never_drops_the_work_of_people(repository, colleague, user):
    user(colleague.root, "commit", "--quiet", "--allow-empty", "-m", "By Ada")
    colleague.commit({"labs/b": b"b"}, "Generate net101/firewalls")
    before = colleague.head()
    repository.commit({"labs/a": b"a"}, "Generate net101/firewalls")
    repository.publish()
    with pytest.raises(PracticumError) as caught:
        colleague.synchronise(drop=True)
    assert "pull --rebase origin main" in caught.value.resolution
    assert "Ada: By Ada" in caught.value.details
    assert colleague.head() == before


@pytest.mark.parametrize("subject", ["Edit net101/firewalls", "Checkpoint 2 of net101/firewalls", "Generated", ""])
def test_synchronise_never_drops_what_practicum_does_not_make_anew(repository, colleague, subject):
    colleague.commit({"labs/a": b"spec"}, "Generate net101/firewalls")
    before = colleague.commit({"labs/b": b"b"}, subject)
    repository.commit({"labs/c": b"c"}, "Generate net101/firewalls")
    repository.publish()
    with pytest.raises(PracticumError) as caught:
        colleague.synchronise(drop=True)
    assert "pull --rebase origin main" in caught.value.resolution
    assert "reset" not in caught.value.resolution
    assert colleague.head() == before
    assert (colleague.root / "labs/b").read_bytes() == b"b"


def test_the_advice_to_drop_can_be_followed(repository, colleague, user):
    colleague.commit({"labs/net101/firewalls.lab.yaml": b"other\n"}, "Generate net101/firewalls")
    first = repository.commit({"labs/a": b"a"}, "Generate net101/firewalls")
    repository.publish()
    with pytest.raises(TryAgainError):
        colleague.publish()
    user(colleague.root, "fetch", "origin")
    user(colleague.root, "reset", "--keep", "origin/main")
    assert (colleague.head(), colleague.uncommitted()) == (first, [])


@pytest.mark.parametrize("home", ["plain"], indirect=True)
def test_synchronise_converges_wherever_git_is_killed(repository, colleague, dies):
    for calls in range(50):
        made = repository.commit({"labs/a": str(calls).encode(), f"labs/{calls}": b"", f"labs/{calls - 1}": None}, "Go")
        repository.publish()
        dies(calls)
        try:
            colleague.synchronise()
            killed = False
        except PracticumError:
            killed = True
        dies(None)
        colleague.synchronise()
        assert (colleague.head(), colleague.uncommitted()) == (made, [])
        if not killed:
            break
    assert 5 < calls < 49


def test_synchronise_after_a_kill_among_the_files(repository, colleague):
    made = repository.commit({"labs/a": b"a", "labs/b": b"b", ".gitignore": None}, "Add")
    repository.publish()
    (colleague.root / "labs/a").write_bytes(b"a")
    (colleague.root / ".gitignore").unlink()
    colleague.synchronise()
    assert (colleague.head(), colleague.uncommitted()) == (made, [])


def test_main_must_be_checked_out(repository, user):
    user(repository.root, "switch", "--quiet", "-c", "topic")
    for call in (repository.publish, repository.synchronise, lambda: repository.merge("promote/x/y", "m")):
        with pytest.raises(UsageError, match="topic checked out") as caught:
            call()
        assert "switch main" in caught.value.resolution


def test_an_origin_that_is_gone(repository, tmp_path):
    (tmp_path / "origin.git").rename(tmp_path / "moved.git")
    for call in (repository.publish, repository.synchronise):
        with pytest.raises(UnavailableError) as caught:
            call()
        assert "origin.git" in caught.value.details


def test_a_refusing_origin(repository, tmp_path):
    hook = tmp_path / "origin.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho main is frozen; exit 1\n")
    hook.chmod(0o755)
    repository.commit({"labs/a": b"a"}, "Add")
    with pytest.raises(PracticumError) as caught:
        repository.publish()
    assert "main is frozen" in caught.value.details
    assert caught.value.exit_code == 1


def test_tags_in_natural_order(repository, user):
    for number in (10, 9, 1):
        repository.tag(f"release/net101/firewalls/{number}", f'{{"n": {number}}}\n\n# kept', "HEAD")
    repository.tag("release/net101/firewalls-2/1", "other")
    user(repository.root, "tag", "release/net101/firewalls/light")
    assert repository.tags("release/net101/firewalls/") == {
        f"release/net101/firewalls/{number}": f'{{"n": {number}}}\n\n# kept' for number in (1, 9, 10)
    }
    assert repository.tags("nothing/") == {}


def test_a_tag_is_never_moved(repository, tmp_path, user):
    first = repository.head()
    repository.tag("release/a/b/1", "{}", first)
    repository.tag("release/a/b/1", "{}", first)
    repository.commit({"labs/a": b"a"}, "Add")
    for message, commit in (("{}", "HEAD"), ('{"x": 1}', first)):
        with pytest.raises(PracticumError, match="never changed"):
            repository.tag("release/a/b/1", message, commit)
    assert user(tmp_path / "origin.git", "rev-parse", "release/a/b/1^{commit}") == first


def test_a_tag_of_another_checkout_counts(repository, colleague):
    repository.tag("release/a/b/1", "{}")
    colleague.tag("release/a/b/1", "{}")
    with pytest.raises(PracticumError, match="never changed"):
        colleague.tag("release/a/b/1", "mine")
    repository.tag("release/a/b/2", "{}")
    colleague.synchronise()
    assert colleague.tags("release/") == {"release/a/b/1": "{}", "release/a/b/2": "{}"}


def test_a_tag_moved_on_origin_does_not_move_here(repository, colleague, tmp_path, user):
    repository.tag("release/a/b/1", "{}")
    user(tmp_path / "origin.git", "tag", "--force", "-a", "-m", "forged", "release/a/b/1", "main")
    made = colleague.commit({"labs/a": b"a"}, "Add")
    colleague.publish()
    repository.synchronise()
    assert (repository.head(), repository.tags("release/")) == (made, {"release/a/b/1": "{}"})


def test_a_tag_that_does_not_arrive_is_not_kept(repository, tmp_path):
    hook = tmp_path / "origin.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho releases are frozen; exit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PracticumError) as caught:
        repository.tag("release/a/b/1", "{}")
    assert "releases are frozen" in caught.value.details
    assert repository.tags("release/") == {}
    hook.unlink()
    repository.tag("release/a/b/1", "{}")
    assert repository.tags("release/") == {"release/a/b/1": "{}"}


def test_a_tag_that_is_only_here_is_pushed(repository, tmp_path, user):
    user(repository.root, "tag", "-a", "-m", "{}", "release/a/b/1", "HEAD")
    repository.tag("release/a/b/1", "{}")
    assert user(tmp_path / "origin.git", "rev-parse", "release/a/b/1^{commit}") == repository.head()


def test_a_tag_that_was_only_here_goes_when_it_does_not_arrive(repository, tmp_path, user):
    user(repository.root, "tag", "-a", "-m", "{}", "release/a/b/1", "HEAD")
    hook = tmp_path / "origin.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PracticumError):
        repository.tag("release/a/b/1", "{}")
    assert repository.tags("release/") == {}


def test_tag_of_no_commit(repository):
    with pytest.raises(UsageError, match="no commit"):
        repository.tag("release/a/b/1", "{}", "nothing")


@pytest.mark.parametrize("home", ["plain"], indirect=True)
def test_tag_converges_wherever_git_is_killed(repository, dies, tmp_path, user):
    for calls in range(50):
        dies(calls)
        try:
            repository.tag(f"release/a/b/{calls}", "{}")
            killed = False
        except PracticumError:
            killed = True
        dies(None)
        repository.tag(f"release/a/b/{calls}", "{}")
        assert user(tmp_path / "origin.git", "cat-file", "-t", f"release/a/b/{calls}") == "tag"
        if not killed:
            break
    assert 3 < calls < 49
