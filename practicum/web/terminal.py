"""Terminals: a ticket for one machine, and the WebSocket that it opens."""

import asyncio
import json
import secrets
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from generator.seats.names import PROFESSOR
from practicum.errors import PracticumError
from practicum.stages.status import status
from practicum.stages.terminal import Terminal, terminal
from practicum.web.access import guarded, lab_named, standing_of, user_of
from practicum.web.pages import error_lines, is_signed_in, page
from practicum.web.screens import Screen
from practicum.web.site import SIGNED_IN, Site, site_of

__all__ = [
    "IN_CLASS",
    "OWN",
    "REFUSED",
    "ROUTES",
    "Place",
    "admitted",
    "purpose",
    "session_end",
    "terminal_page",
    "ticket_for",
    "told",
]

TERMINAL = "terminal"
REFUSED = 4403
# A program that prints without end waits for the browser: so much may be on its way.
MOST_UNSEEN = 2**20
COLUMNS, ROWS = 80, 24
LOOK_SECONDS = 0.5
OWN = "/labs/{course}/{lab}/machines/{machine}"
IN_CLASS = "/labs/{course}/{lab}/seats/{seat}/machines/{machine}"


@dataclass(frozen=True)
class Place:
    """A machine of the professor's copy, or of one in the class."""

    lab: str
    environment: str
    seat: str
    machine: str

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Place":
        """Return the machine that an address names."""
        seat, machine = connection.path_params.get("seat", ""), connection.path_params["machine"]
        return cls(lab_named(connection), "prod" if seat else "dev", seat or PROFESSOR, machine)

    def terminal(self, site: Site) -> AbstractAsyncContextManager[Terminal]:
        """Return a terminal there, to be entered. Raises PracticumError."""
        return terminal(site.workspace(), self.lab, self.environment, self.seat, self.machine, COLUMNS, ROWS)


def terminal_page(request: Request, name: str, **values: Any) -> HTMLResponse:
    """Return a page on which terminals open: xterm writes style sheets of its own, which a nonce lets through."""
    request.state.nonce = secrets.token_urlsafe(16)
    return page(request, name, **values)


def give_ticket(request: Request) -> Response:
    """Return a ticket that opens one terminal in one machine, for this session, and soon."""
    return ticket_for(request, TERMINAL)


def ticket_for(request: Request, what: str) -> Response:
    """Return a ticket for a machine. In a student's, whoever teaches is put on the list that the student sees."""
    site, place = site_of(request), Place.of(request)
    try:
        names = [row.machine for row in status(site.workspace(), place.lab, place.environment, [place.seat])]
        if place.machine in names and place.environment == "prod" and standing_of(request, place.lab).is_staff:
            site.audit.write(user_of(request).login, place.lab, place.seat, place.machine, what)
    except PracticumError as error:
        return JSONResponse(told(error), 409)
    if place.machine not in names:
        raise HTTPException(404)
    return JSONResponse({"ticket": site.tickets.give(purpose(request, place, what))})


async def admitted(websocket: WebSocket, what: str) -> bool:
    """Accept a WebSocket whose ticket opens this, and refuse any other; say which."""
    wanted = purpose(websocket, Place.of(websocket), what)
    if not site_of(websocket).tickets.take(websocket.query_params.get("ticket", ""), wanted):
        await websocket.close(REFUSED)
        return False
    await websocket.accept()
    return True


async def serve_terminal(websocket: WebSocket) -> None:
    """Join a browser and a shell in a machine until one of them ends."""
    if not await admitted(websocket, TERMINAL):
        return
    site, place = site_of(websocket), Place.of(websocket)
    try:
        opening = await asyncio.to_thread(place.terminal, site)
        screen = Screen((COLUMNS, ROWS))
        # What staff does in a student's machine is theirs; whoever looks on looks at the student.
        is_staff = (await asyncio.to_thread(standing_of, websocket, place.lab)).is_staff
        async with opening as opened:
            with nullcontext(screen) if is_staff else site.screens.open(place, screen):
                if not await _join(websocket, opened, screen):
                    return
            said: dict[str, Any] = {"ended": await opened.exit_code()}
    except PracticumError as error:
        said = told(error)
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.send_json(said)
        await websocket.close()


async def _tell(websocket: WebSocket, screen: Screen) -> None:
    """Say to whoever has a terminal open how many look on, whenever that changes."""
    while True:
        await websocket.send_json({"watched": await screen.watched.get()})


async def _join(websocket: WebSocket, opened: Terminal, screen: Screen) -> bool:
    """Carry what is typed and shown, as long as the session lasts; say whether the program ended, and nothing else."""
    window = _Window()
    shown = asyncio.create_task(_show(websocket, opened, window, screen))
    typed = asyncio.create_task(_type(websocket, opened, window, screen))
    over = asyncio.create_task(session_end(websocket))
    tasks = (shown, typed, over, asyncio.create_task(_tell(websocket, screen)))
    ended, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if over in ended:
        with suppress(WebSocketDisconnect, RuntimeError):
            await websocket.close(REFUSED)
        return False
    return shown in ended and shown.exception() is None


async def session_end(websocket: WebSocket) -> None:
    """Return when the session that opened a terminal is over."""
    while is_signed_in(websocket):
        await asyncio.sleep(LOOK_SECONDS)


class _Window:
    """How much of a terminal's output the browser has not shown yet."""

    def __init__(self) -> None:
        self._unseen = 0
        self._room = asyncio.Event()
        self._room.set()

    async def send(self, count: int) -> None:
        """Wait until there is room, then count so many bytes as being on their way."""
        await self._room.wait()
        self.seen(-count)

    def seen(self, count: int) -> None:
        """Count so many bytes as shown."""
        self._unseen = max(0, self._unseen - count)
        if self._unseen < MOST_UNSEEN:
            self._room.set()
        else:
            self._room.clear()


async def _show(websocket: WebSocket, opened: Terminal, window: _Window, screen: Screen) -> None:
    async for data in opened.output():
        await window.send(len(data))
        screen.add(data)
        await websocket.send_bytes(data)


async def _type(websocket: WebSocket, opened: Terminal, window: _Window, screen: Screen) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("bytes") is not None:
            await opened.write(message["bytes"])
        else:
            await _obey(message.get("text") or "", opened, window, screen)


async def _obey(text: str, opened: Terminal, window: _Window, screen: Screen) -> None:
    """Do what the page says of itself: `{"resize": [columns, rows]}` or `{"seen": bytes}`; anything else is ignored."""
    with suppress(ValueError, TypeError, KeyError):
        said = json.loads(text)
        if "resize" in said:
            columns, rows = map(int, said["resize"])
            await opened.resize(columns, rows)
            screen.resize(columns, rows)
        else:
            window.seen(max(0, int(said["seen"])))


def told(error: PracticumError) -> dict[str, Any]:
    """Return an error as the page's script shows it."""
    return {"error": "; ".join(filter(None, (error.message, *error_lines(error), error.resolution)))}


def purpose(connection: HTTPConnection, place: Place, what: str) -> tuple[str, str, Place]:
    """Return what a ticket is for: one thing, in one session, at one machine."""
    return (what, str(connection.session.get(SIGNED_IN, "")), place)


ROUTES = [
    guarded(f"{OWN}/ticket", give_ticket, "own copy", "POST"),
    guarded(f"{IN_CLASS}/ticket", give_ticket, "console", "POST"),
    # Only a ticket opens these.
    *(WebSocketRoute(f"{machine}/terminal", serve_terminal) for machine in (OWN, IN_CLASS)),
]
