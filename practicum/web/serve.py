"""Runs the web page until somebody ends it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from practicum.errors import UnavailableError, UsageError
from practicum.web.address import LOOPBACK, Address
from practicum.web.app import build_app
from practicum.web.assets import require_vendor_files
from practicum.web.openid import Provider
from practicum.web.site import Site

__all__ = ["Certificate", "serve"]

GRACE_SECONDS = 2


@dataclass(frozen=True)
class Certificate:
    """The files of a TLS certificate with its key."""

    chain: Path
    key: Path


class _Server(uvicorn.Server):
    """Says where it answers once it does: a link that does not work yet must not be shown."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then tell."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(
    folder: Path,
    host: str,
    port: int,
    certificate: Certificate | None,
    provider: Provider | None,
    tell: Callable[[str], None],
) -> None:
    """Serve the web page of a repository; `tell` gets the login link. At `provider` people may sign in.

    Raises UsageError for an address that would carry sessions and terminals in the clear, UnavailableError when files
    are missing or the address cannot be had.
    """
    require_vendor_files()
    if certificate is None and host not in LOOPBACK:
        raise UsageError(
            f"on {host} sessions and terminals would cross the network in the clear; nothing was started",
            resolution="name a certificate with --certificate and --key; or stay on 127.0.0.1 and use ssh -L",
        )
    site = Site(folder, Address(host, port, certificate is not None), provider)
    config = uvicorn.Config(
        build_app(site),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses carry one-time secrets
        server_header=False,
        proxy_headers=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    server = _Server(config, lambda: tell(site.login_link()))
    try:
        server.run()
    except SystemExit as error:
        raise UnavailableError(
            f"the web page cannot answer at {site.address.url}", resolution="choose another --port"
        ) from error
    if not server.started:
        raise UnavailableError(f"the web page cannot answer at {site.address.url}", resolution="choose another --port")
