"""Real git in a temporary folder, apart from the configuration of whoever runs the tests."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from practicum.git.repository import Repository

HOSTILE = """
[init]
    defaultBranch = trunk
    templateDir = {home}/template
[commit]
    gpgSign = true
[tag]
    gpgSign = true
    sort = -version:refname
[user]
    useConfigOnly = true
    signingKey = nobody
[gpg]
    program = /bin/false
[core]
    autocrlf = true
    safecrlf = true
    eol = crlf
    hooksPath = {home}/hooks
    attributesFile = {home}/attributes
    fileMode = false
    quotePath = true
    splitIndex = true
    abbrev = 12
    pager = /bin/false
    editor = /bin/false
[push]
    default = nothing
    followTags = true
    gpgSign = true
[pull]
    rebase = true
[fetch]
    prune = true
    pruneTags = true
[merge]
    ff = only
[status]
    showUntrackedFiles = no
    renames = copies
    short = true
[log]
    showSignature = true
    decorate = full
[diff]
    noprefix = true
    external = /bin/false
[color]
    ui = always
[safe]
    bareRepository = explicit
[protocol "file"]
    allow = never
[i18n]
    commitEncoding = latin1
"""


def run(root: Path, *arguments: str) -> str:
    """Git as its user types it."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", root, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def hostile(home: Path) -> None:
    (home / "gitconfig").write_text(HOSTILE.format(home=home))
    (home / "attributes").write_text("*.yaml text eol=crlf filter=broken\n")
    for hooks in (home / "hooks", home / "template" / "hooks"):
        hooks.mkdir(parents=True)
        for name in ("pre-commit", "pre-push", "reference-transaction", "pre-receive", "update", "post-checkout"):
            (hooks / name).write_text("#!/bin/sh\nexit 1\n")
            (hooks / name).chmod(0o755)


@pytest.fixture(autouse=True, params=["plain", "hostile"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any git identity, once without configuration and once with one that breaks most tools."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "gitconfig").write_text("")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("EMAIL", raising=False)
    if request.param == "hostile":
        hostile(home)
    return home


@pytest.fixture
def user(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run git as a person with a harmless configuration, whatever Practicum runs under."""
    quiet = home / "quiet"
    quiet.write_text("")

    def call(root: Path, *arguments: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_CONFIG_GLOBAL", str(quiet))
            return run(root, *arguments)

    return call


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """`labs/net101/firewalls.lab.yaml` and two generated files, with an origin."""
    files = {
        "labs/net101/firewalls.lab.yaml": b"version: 1\n",
        "environments/dev/net101/firewalls/lxd/s001.yaml": b"one\n",
        "environments/dev/net101/firewalls/lxd/s002.yaml": b"two\n",
        ".gitignore": b".practicum/\n",
    }
    return Repository.create(tmp_path / "course", files, tmp_path / "origin.git", "Begin")


@pytest.fixture
def colleague(repository: Repository, tmp_path: Path, user: Callable[..., str]) -> Repository:
    """A second checkout of the same origin."""
    user(tmp_path, "clone", "--quiet", str(tmp_path / "origin.git"), "colleague")
    return Repository.open(tmp_path / "colleague")


EFFECTS = ["clone", "config", "fetch", "init", "push", "read-tree", "symbolic-ref", "tag", "update-index", "update-ref"]


@pytest.fixture
def dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """`dies(n)`: git has an effect n times and is killed before the next; `dies(None)`: it lives on."""
    folder, countdown, real = tmp_path / "bin", tmp_path / "countdown", shutil.which("git")
    folder.mkdir()
    effects = "|".join(f'*" {verb} "*' for verb in EFFECTS)
    (folder / "git").write_text(
        f'#!/bin/sh\n[ -f {countdown} ] || exec {real} "$@"\ncase " $* " in {effects}) ;; *) exec {real} "$@";; esac\n'
        f'read left < {countdown}\n[ "$left" -gt 0 ] || exit 137\necho $((left - 1)) > {countdown}\nexec {real} "$@"\n'
    )
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def arm(calls: int | None) -> None:
        countdown.unlink(missing_ok=True)
        if calls is not None:
            countdown.write_text(f"{calls}\n")

    return arm
