"""A browser, and the web page of a blank repository on a real LXD whose machine types are busybox."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "lxd"))
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "web"))

from class_pages import university
from classroom import Classroom
from lxd_fixtures import blocks, busybox, lxd, missing, open_shared, pool
from operator_page import Operator, chromium
from playwright.sync_api import Browser, sync_playwright

__all__ = ["blocks", "busybox", "lxd", "open_shared", "pool", "university"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's chromium."""
    program = shutil.which("chromium")
    if program is None:
        missing("web", "chromium is not installed; 'make install' does it")
    with sync_playwright() as playwright:
        opened = chromium(playwright, program)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def classroom(open_shared) -> Classroom:
    """Return a repository without any lab."""
    made = open_shared()
    shutil.rmtree(made.repository.root / "labs" / made.lab.split("/")[0])
    return made


@pytest.fixture(scope="module")
def operator(browser: Browser, classroom: Classroom) -> Iterator[Operator]:
    """Return somebody who started `practicum web`, and looks at the link that it printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = classroom.command("web", "--port", port)
    assert process.stdout is not None
    link = process.stdout.readline().strip()
    assert link.startswith(f"http://127.0.0.1:{port}/login?token="), (link, process.poll())
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    try:
        yield Operator(context.new_page(), link, os.environ.get("PRACTICUM_SCREENSHOTS", ""))
    finally:
        context.close()
        process.terminate()
        assert process.wait(timeout=30) is not None
        for pipe in (process.stdout, process.stderr):
            pipe.close()
