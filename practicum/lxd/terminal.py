"""A terminal in a machine, for callers that serve many at once."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.exec_sockets import ExecSockets, exec_sockets, messages

__all__ = ["Terminal", "open_terminal"]

LONGEST_SIDE = 1000


@dataclass(frozen=True)
class Terminal:
    """An open terminal. `output` ends when the program in it has ended."""

    lxd: Lxd
    sockets: ExecSockets

    async def write(self, typed: bytes) -> None:
        """Type something."""
        with suppress(ConnectionClosed):
            await self.sockets.streams[0].send(typed)

    async def resize(self, columns: int, rows: int) -> None:
        """Say how large the window is; what no window can be is ignored."""
        if 0 < columns <= LONGEST_SIDE and 0 < rows <= LONGEST_SIDE:
            await self.sockets.command("window-resize", args={"width": str(columns), "height": str(rows)})

    def output(self) -> AsyncIterator[bytes]:
        """Yield what is shown, as it comes."""
        return messages(self.sockets.streams[0])

    async def exit_code(self) -> int | None:
        """Return how the program ended, once it has; None when nobody can say any more."""
        for socket in (*self.sockets.streams, self.sockets.control):  # LXD's operation ends when the client closed both
            await socket.close()
        with suppress(PracticumError):
            ended = await to_thread(self.lxd.get, "operations", self.sockets.operation, "wait", timeout=5)
            code: int | None = ended["metadata"].get("return")
            return code
        return None


@asynccontextmanager
async def open_terminal(
    lxd: Lxd, project: str, instance: str, command: Sequence[str], columns: int, rows: int
) -> AsyncIterator[Terminal]:
    """Start a command in a machine with a terminal of that size; what is left of it goes at the end."""
    body = {
        "command": list(command),
        "environment": {"TERM": "xterm-256color"},
        "interactive": True,
        "width": min(columns, LONGEST_SIDE),
        "height": min(rows, LONGEST_SIDE),
    }
    async with exec_sockets(lxd, project, instance, ("0",), body) as sockets:
        yield Terminal(lxd, sockets)
