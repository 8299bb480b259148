"""A Jenkins without Jenkins: the library under its real CPS semantics, with strict stand-ins of the steps."""

import sys
from pathlib import Path

import click
import pytest
from job_runs import Controller, Site, need_parts

from practicum.cli.main import cli

# The laboratory with its fake LXD, for the whole way.
sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("fakes", "unit/faults")]


@pytest.fixture(scope="session")
def controller(tmp_path_factory):
    """The JVM that runs builds."""
    need_parts()
    opened = Controller(tmp_path_factory.mktemp("controller") / "log.txt")
    yield opened
    opened.close()


@pytest.fixture
def site(controller, tmp_path, monkeypatch):
    """Agents with a stand-in of the command line; in the end the real one reads all that the stand-in was told."""
    made = Site(controller, tmp_path)
    yield made
    monkeypatch.setattr(click.Command, "invoke", lambda _command, _context: None)
    for words in made.calls:
        cli.main(args=words, standalone_mode=False)
