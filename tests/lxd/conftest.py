"""What tests on a real LXD share; tests of the web page take the same fixtures."""

import os

import pytest
from lxd_fixtures import (
    blocks,
    busybox,
    classroom,
    delivered,
    installation,
    lxd,
    missing,
    nothing_left,
    open_classroom,
    open_shared,
    pool,
    project,
)

__all__ = [
    "blocks",
    "busybox",
    "classroom",
    "delivered",
    "installation",
    "lxd",
    "nothing_left",
    "open_classroom",
    "open_shared",
    "pool",
    "project",
]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Ask for what a marker says that a test needs beside LXD."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        missing("lxd", "this test changes networks, the kernel or a pool of this host, which needs root")
