"""Desktops: a ticket for one machine, and the WebSocket through which noVNC speaks to its VNC server."""

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from practicum.errors import PracticumError
from practicum.stages.desktop import Desktop, desktop
from practicum.web.access import guarded
from practicum.web.site import site_of
from practicum.web.terminal import IN_CLASS, OWN, REFUSED, Place, admitted, session_end, ticket_for, told

__all__ = ["ROUTES"]

DESKTOP = "desktop"
# The page shows the reason of this end; a WebSocket carries 123 bytes of it.
FAILED = 4409
LONGEST_REASON = 123


def give_ticket(request: Request) -> Response:
    """Return a ticket that opens the desktop of one machine, for this session, and soon."""
    return ticket_for(request, DESKTOP)


async def serve_desktop(websocket: WebSocket) -> None:
    """Join a browser and a desktop until one of them ends; the desktop goes on."""
    if not await admitted(websocket, DESKTOP):
        return
    site, place = site_of(websocket), Place.of(websocket)
    try:
        opening = await asyncio.to_thread(
            desktop, site.workspace(), place.lab, place.environment, place.seat, place.machine
        )
        async with opening as opened:
            code, reason = await _join(websocket, opened)
    except PracticumError as error:
        code, reason = FAILED, told(error)["error"]
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))


async def _join(websocket: WebSocket, opened: Desktop) -> tuple[int, str]:
    """Carry bytes both ways as long as the session lasts; return how it ended."""
    shown, said = asyncio.create_task(_show(websocket, opened)), asyncio.create_task(_say(websocket, opened))
    over = asyncio.create_task(session_end(websocket))
    tasks = (shown, said, over)
    ended, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if over in ended:
        return REFUSED, ""
    return FAILED, await opened.complaint() if shown in ended else ""


async def _show(websocket: WebSocket, opened: Desktop) -> None:
    async for data in opened.shown():
        await websocket.send_bytes(data)


async def _say(websocket: WebSocket, opened: Desktop) -> None:
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await opened.write(message.get("bytes") or b"")


ROUTES = [
    guarded(f"{OWN}/desktop/ticket", give_ticket, "own copy", "POST"),
    guarded(f"{IN_CLASS}/desktop/ticket", give_ticket, "console", "POST"),
    # Only a ticket opens these.
    *(WebSocketRoute(f"{machine}/desktop/screen", serve_desktop) for machine in (OWN, IN_CLASS)),
]
