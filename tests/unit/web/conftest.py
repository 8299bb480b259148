"""A web page on a fake LXD, and a browser without scripts that has signed in."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))

from lxd_server import FakeLxd
from starlette.testclient import TestClient
from visitor import ORIGIN, Visitor, settled, sign_in
from web_university import University

from practicum.stages.init import init
from practicum.web.address import Address
from practicum.web.app import build_app
from practicum.web.site import Site


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """A folder for what tests share: LXD's socket, whose path is committed, and a class that was deployed."""
    return tmp_path_factory.mktemp("session")


@pytest.fixture
def lxd(tmp_path, session, monkeypatch):
    """A fake LXD that nothing of the real one's is near."""
    monkeypatch.setattr("practicum.lxd.endpoints.SOCKETS", ("/nonexistent/lxd.socket",))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    with FakeLxd(session / "lxd.socket") as server:
        yield server


@pytest.fixture
def site(tmp_path, lxd):
    """A web page of a fresh repository without any lab."""
    repository = init(tmp_path / "labs")
    settled(repository, lxd)
    return Site(repository.root, Address("127.0.0.1", 8080))


@pytest.fixture
def stranger(site):
    """A browser that has not signed in."""
    with TestClient(build_app(site), base_url=ORIGIN, follow_redirects=False) as client:
        yield client


@pytest.fixture
def visitor(site, stranger):
    """A browser that has signed in."""
    sign_in(site, stranger)
    return Visitor(site, stranger)


@pytest.fixture
def university(site):
    """A university without any class; `found()` deploys one."""
    made = University(site)
    with made.browsers:
        yield made


@pytest.fixture
def deployed(university, session, lxd, kept):
    """A university with a deployed class."""
    if not kept:
        university.found()
        kept.append(university.keep(session, lxd))
    else:
        university.bring(session, lxd, kept[0])
    return university


@pytest.fixture(scope="session")
def kept():
    """The state of LXD with the class that was deployed first; empty before."""
    return []


@pytest.fixture
def colleague(site):
    """Return what commits a change from another checkout of the same origin."""
    other = site.folder.with_name("colleague")

    def git(*arguments, folder=other):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    git("clone", f"{site.folder}.git", str(other), folder=site.folder)

    def commit(path, text):
        git("pull")
        (other / path).write_text(text)
        git("add", path)
        git("commit", "-m", "Change something")
        git("push", "origin", "HEAD:main")

    return commit
