"""The laboratory of the fault tests: one lab on a fake LXD, its whole life walked through once."""

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))

from laboratory import open_laboratory
from life import walk


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory):
    """A laboratory that remembers every moment of a lab's life from which a stage begins."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("practicum.lxd.endpoints.SOCKETS", ("/nonexistent/lxd.socket",))
        opened = open_laboratory(tmp_path_factory.mktemp("faults"), stack)
        walk(opened)
        yield opened
