"""A fresh GitOps repository for each test, no LXD, and a way to run `practicum` that tells all it said."""

import os

import pytest
from university import AREAS, PLATFORM, Said, University

from practicum.cli.main import run
from practicum.lxd import endpoints
from practicum.stages.init import init


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    """Keep the configuration, the LXD and the temporary files of whoever runs the tests out of them."""
    home = tmp_path / "home"
    home.mkdir()
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("tempfile.tempdir", str(home))
    monkeypatch.setattr(endpoints, "SOCKETS", ("/nonexistent/lxd.socket",))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def practicum(capfd):
    """Run the command line; whatever happens, a person reads no traceback."""

    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        said = Said(code, *capfd.readouterr())
        assert "Traceback" not in said.out + said.err
        return said

    return call


@pytest.fixture
def university(tmp_path, practicum):
    """A repository as `practicum init` makes it, with platforms that no host changes."""
    made = University(tmp_path / "labs-repository", practicum)
    init(made.root)
    for environment, area in AREAS.items():
        made.write(f"environments/{environment}/platform.yaml", PLATFORM.format(area))
    made.commit()
    return made
