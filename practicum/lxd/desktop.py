"""The desktop of a machine: its VNC server's bytes, through LXD's exec and over no network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from practicum.lxd.client import Lxd
from practicum.lxd.exec_sockets import ExecSockets, exec_sockets, messages

__all__ = ["SOCKET", "Desktop", "open_desktop"]

# Where the image of a graphical machine has its VNC server: generator/catalogue/types/desktop.yaml.
SOCKET = "/run/desktop/vnc.sock"
# netcat-openbsd, which all our images have; it ends when the browser has gone.
TUNNEL = ("nc", "-N", "-U", SOCKET)
INPUT, OUTPUT, ERRORS = range(3)
LONGEST_COMPLAINT = 200


@dataclass(frozen=True)
class Desktop:
    """An open desktop, which speaks RFB (RFC 6143). `shown` ends when the server has gone."""

    sockets: ExecSockets

    async def write(self, data: bytes) -> None:
        """Send what the browser says."""
        with suppress(ConnectionClosed):
            await self.sockets.streams[INPUT].send(data)

    def shown(self) -> AsyncIterator[bytes]:
        """Yield what the server says, as it comes."""
        return messages(self.sockets.streams[OUTPUT])

    async def complaint(self) -> str:
        """Return why there was no desktop, once `shown` has ended; empty when there was one."""
        found = b"".join([data async for data in messages(self.sockets.streams[ERRORS])])
        return found.decode(errors="replace").strip()[:LONGEST_COMPLAINT]


@asynccontextmanager
async def open_desktop(lxd: Lxd, project: str, instance: str) -> AsyncIterator[Desktop]:
    """Open a tunnel to the desktop of a machine; at the end it goes, and the desktop goes on."""
    streams = [str(number) for number in (INPUT, OUTPUT, ERRORS)]
    body = {"command": list(TUNNEL), "interactive": False}
    async with exec_sockets(lxd, project, instance, streams, body) as sockets:
        yield Desktop(sockets)
