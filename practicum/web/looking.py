"""Looking at a student's terminal without touching it: what they see; and they see that somebody looks."""

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from practicum.errors import PracticumError
from practicum.web.access import guarded, user_of
from practicum.web.messages import say
from practicum.web.screens import Screen, Watcher
from practicum.web.site import site_of
from practicum.web.terminal import IN_CLASS, Place, admitted, purpose, session_end, told

__all__ = ["ROUTES"]

LOOK = "look"


def give_ticket(request: Request) -> Response:
    """Return a ticket to look at one terminal, for this session, and soon; it is noted for the student first."""
    site, place = site_of(request), Place.of(request)
    if site.screens.newest(place) is None:
        return JSONResponse({"error": say("look.nothing")}, 409)
    try:
        site.audit.write(user_of(request).login, place.lab, place.seat, place.machine, LOOK)
    except PracticumError as error:
        return JSONResponse(told(error), 409)
    return JSONResponse({"ticket": site.tickets.give(purpose(request, place, LOOK))})


async def serve_look(websocket: WebSocket) -> None:
    """Show a terminal as long as it is open and the session lasts. What comes from the browser is not read."""
    if not await admitted(websocket, LOOK):
        return
    screen = site_of(websocket).screens.newest(Place.of(websocket))
    if screen is not None:
        await _watch(websocket, screen)
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.send_json({"error": say("look.over")})
        await websocket.close()


async def _watch(websocket: WebSocket, screen: Screen) -> None:
    watcher = screen.watch()
    ways_to_end = (_show(websocket, watcher), _left(websocket), session_end(websocket))
    tasks = [asyncio.create_task(work) for work in ways_to_end]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:  # also of a server that ends
        screen.leave(watcher)
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _show(websocket: WebSocket, watcher: Watcher) -> None:
    while (piece := await watcher.get()) is not None:
        if isinstance(piece, bytes):
            await websocket.send_bytes(piece)
        else:
            await websocket.send_json({"size": piece})


async def _left(websocket: WebSocket) -> None:
    """Return when the browser has gone."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


ROUTES = [
    guarded(f"{IN_CLASS}/look/ticket", give_ticket, "look", "POST"),
    # Only a ticket opens it.
    WebSocketRoute(f"{IN_CLASS}/look/terminal", serve_look),
]
