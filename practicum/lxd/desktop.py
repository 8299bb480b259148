"""The desktop of a machine: its VNC server's bytes, through LXD's exec WebSockets and over no network.

The protocol is that of LXD's `POST /1.0/instances/NAME/exec` without `interactive` (doc/rest-api.md): one WebSocket
each for standard input, output and errors.
"""

import json
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from practicum.lxd.client import Lxd
from practicum.lxd.terminal import HANG_UP, exec_socket

__all__ = ["SOCKET", "Desktop", "open_desktop"]

# Where the image of a graphical machine has its VNC server: generator/catalogue/types/desktop.yaml.
SOCKET = "/run/desktop/vnc.sock"
# netcat-openbsd, which all our images have; it ends when the browser has gone.
TUNNEL = ("nc", "-N", "-U", SOCKET)
LONGEST_COMPLAINT = 200


@dataclass(frozen=True)
class Desktop:
    """An open desktop, which speaks RFB (RFC 6143). `shown` ends when the server has gone."""

    _input: ClientConnection
    _output: ClientConnection
    _errors: ClientConnection
    _control: ClientConnection

    async def write(self, data: bytes) -> None:
        """Send what the browser says."""
        with suppress(ConnectionClosed):
            await self._input.send(data)

    async def shown(self) -> AsyncIterator[bytes]:
        """Yield what the server says, as it comes."""
        async for data in _bytes_of(self._output):
            yield data

    async def complaint(self) -> str:
        """Return why there was no desktop, once `shown` has ended; empty when there was one."""
        found = b"".join([data async for data in _bytes_of(self._errors)])
        return found.decode(errors="replace").strip()[:LONGEST_COMPLAINT]

    async def hang_up(self) -> None:
        """End the tunnel; the desktop goes on."""
        with suppress(ConnectionClosed):
            await self._control.send(json.dumps({"command": "signal", "signal": HANG_UP}))


async def _bytes_of(socket: ClientConnection) -> AsyncIterator[bytes]:
    with suppress(ConnectionClosed):
        async for message in socket:
            if isinstance(message, str):
                return
            yield message


@asynccontextmanager
async def open_desktop(lxd: Lxd, project: str, instance: str) -> AsyncIterator[Desktop]:
    """Open a tunnel to the desktop of a machine; it goes at the end."""
    body = {"command": list(TUNNEL), "interactive": False, "wait-for-websocket": True}
    begun = await to_thread(lxd.begin, "instances", instance, "exec", project=project, body=body)
    secrets: dict[str, str] = begun["metadata"]["fds"]
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(exec_socket(lxd.endpoint, begun["id"], secrets[name]))
            for name in ("0", "1", "2", "control")
        ]
        desktop = Desktop(*sockets)
        stack.push_async_callback(desktop.hang_up)
        yield desktop
