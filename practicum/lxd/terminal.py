"""A terminal in a machine over LXD's exec WebSockets, for callers that serve many at once.

The protocol is that of LXD's `POST /1.0/instances/NAME/exec` with `interactive` (doc/rest-api.md): one WebSocket for
what is typed and shown, one for control messages. An empty text frame is the end; the client must then close both.
"""

import json
import ssl
from asyncio import to_thread
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import Endpoint

__all__ = ["HANG_UP", "Terminal", "exec_socket", "open_terminal"]

HANG_UP = 1
LONGEST_SIDE = 1000


@dataclass(frozen=True)
class Terminal:
    """An open terminal. `output` ends when the program in it has ended."""

    lxd: Lxd
    operation: str
    data: ClientConnection
    control: ClientConnection

    async def write(self, typed: bytes) -> None:
        """Type something."""
        with suppress(ConnectionClosed):
            await self.data.send(typed)

    async def resize(self, columns: int, rows: int) -> None:
        """Say how large the window is; what no window can be is ignored."""
        if 0 < columns <= LONGEST_SIDE and 0 < rows <= LONGEST_SIDE:
            await self._command("window-resize", args={"width": str(columns), "height": str(rows)})

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what is shown, as it comes."""
        with suppress(ConnectionClosed):
            async for message in self.data:
                if isinstance(message, str):
                    return
                yield message

    async def exit_code(self) -> int | None:
        """Return how the program ended, once it has; None when nobody can say any more."""
        await self.data.close()
        await self.control.close()
        with suppress(PracticumError):
            ended = await to_thread(self.lxd.get, "operations", self.operation, "wait", timeout=5)
            code: int | None = ended["metadata"].get("return")
            return code
        return None

    async def hang_up(self) -> None:
        """End the program when somebody left: a shell that nobody sees must not stay."""
        await self._command("signal", signal=HANG_UP)

    async def _command(self, name: str, **what: Any) -> None:
        with suppress(ConnectionClosed):
            await self.control.send(json.dumps({"command": name, **what}))


@asynccontextmanager
async def open_terminal(
    lxd: Lxd, project: str, instance: str, command: Sequence[str], columns: int, rows: int
) -> AsyncIterator[Terminal]:
    """Start a command in a machine with a terminal of that size; what is left of it goes at the end."""
    body = {
        "command": list(command),
        "environment": {"TERM": "xterm-256color"},
        "interactive": True,
        "wait-for-websocket": True,
        "width": min(columns, LONGEST_SIDE),
        "height": min(rows, LONGEST_SIDE),
    }
    begun = await to_thread(lxd.begin, "instances", instance, "exec", project=project, body=body)
    secrets: dict[str, str] = begun["metadata"]["fds"]
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(exec_socket(lxd.endpoint, begun["id"], secrets[name]))
            for name in ("0", "control")
        ]
        terminal = Terminal(lxd, begun["id"], *sockets)
        stack.push_async_callback(terminal.hang_up)
        yield terminal


def exec_socket(endpoint: Endpoint, operation: str, secret: str) -> connect:
    """Return one WebSocket of an exec operation, to be entered."""
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
