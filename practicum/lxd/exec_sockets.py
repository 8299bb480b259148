"""The WebSockets of LXD's exec in a machine, for callers that serve many at once.

The protocol is that of LXD's `POST /1.0/instances/NAME/exec` (doc/rest-api.md).
"""

import json
import ssl
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import Endpoint

__all__ = ["ExecSockets", "exec_sockets", "messages"]

HANG_UP = 1


@dataclass(frozen=True)
class ExecSockets:
    """The open WebSockets of a command: its streams, in the order that was asked for, and one for control messages."""

    operation: str
    streams: tuple[ClientConnection, ...]
    control: ClientConnection

    async def command(self, name: str, **what: Any) -> None:
        """Send a control message; a command that has ended needs none."""
        with suppress(ConnectionClosed):
            await self.control.send(json.dumps({"command": name, **what}))

    async def hang_up(self) -> None:
        """End the command."""
        await self.command("signal", signal=HANG_UP)


@asynccontextmanager
async def exec_sockets(
    lxd: Lxd, project: str, instance: str, streams: Sequence[str], body: Mapping[str, Any]
) -> AsyncIterator[ExecSockets]:
    """Start a command in a machine; `streams` are LXD's names, such as "0".

    At the end the command is hung up: one that nobody sees must not stay.
    """
    whole = {**body, "wait-for-websocket": True}
    begun = await to_thread(lxd.begin, "instances", instance, "exec", project=project, body=whole)
    secrets: dict[str, str] = begun["metadata"]["fds"]
    async with AsyncExitStack() as stack:
        *opened, control = [
            await stack.enter_async_context(_socket(lxd.endpoint, begun["id"], secrets[name]))
            for name in (*streams, "control")
        ]
        sockets = ExecSockets(begun["id"], tuple(opened), control)
        stack.push_async_callback(sockets.hang_up)
        yield sockets


async def messages(stream: ClientConnection) -> AsyncIterator[bytes]:
    """Yield what comes of a stream until its end, which LXD tells by an empty text frame."""
    with suppress(ConnectionClosed):
        async for message in stream:
            if isinstance(message, str):
                return
            yield message


def _socket(endpoint: Endpoint, operation: str, secret: str) -> connect:
    path = f"/1.0/operations/{operation}/websocket?secret={secret}"
    if not endpoint.is_remote:
        return unix_connect(endpoint.address, f"ws://lxd{path}", max_size=None, compression=None)
    place = endpoint.url.removeprefix("https://")
    return connect(f"wss://{place}{path}", ssl=_context(endpoint), proxy=None, max_size=None, compression=None)


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    """Return who we are, and the one certificate that the server may show."""
    pinned = endpoint.server_certificate
    context = ssl.create_default_context(cafile=str(pinned) if pinned else None)
    context.check_hostname = pinned is None  # LXD signs its own certificate, for names that nobody uses
    context.load_cert_chain(str(endpoint.certificate), str(endpoint.key))
    return context
