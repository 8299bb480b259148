"""The web page of a folder, served from this process to a real browser."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from practicum.web.address import Address
from practicum.web.app import build_app
from practicum.web.site import Site


def sign_commits(patch: pytest.MonkeyPatch) -> None:
    """Let commits be Ada's, whoever runs the tests."""
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Ada")
        patch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve the web page of a folder at a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:  # whoever comes before the server is up waits here
        site = Site(folder, Address("127.0.0.1", listening.getsockname()[1]))
        config = uvicorn.Config(
            build_app(site), log_level="warning", timeout_graceful_shutdown=1, ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(30)
