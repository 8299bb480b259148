"""Lets nobody do what their role does not allow: every route to a lab is made here, with what it is for."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from practicum.web.roles import Act, Standing, labs_of, may, standing_in
from practicum.web.site import site_of
from practicum.web.users import User

__all__ = ["courses_taught", "guarded", "lab_named", "require", "standing_of", "user_of"]

Endpoint = Callable[[Request], Any]


def guarded(path: str, endpoint: Endpoint, act: Act, method: str = "GET") -> Route:
    """Return a route to a lab, or to the copy that it names, for those who may do `act` there."""
    if inspect.iscoroutinefunction(endpoint):
        waits: Callable[[Request], Awaitable[Response]] = endpoint

        @functools.wraps(endpoint)
        async def asked(request: Request) -> Response:
            await run_in_threadpool(require, request, act)
            return await waits(request)

        return Route(path, asked, methods=[method])

    @functools.wraps(endpoint)
    def answered(request: Request) -> Response:
        require(request, act)
        answer: Response = endpoint(request)
        return answer

    return Route(path, answered, methods=[method])


def require(connection: HTTPConnection, act: Act, lab: str = "", seat: str = "") -> None:
    """Raise HTTPException unless the user may: 404 for a lab in which they are nobody, so that it tells no names."""
    standing = standing_of(connection, lab or lab_named(connection))
    if not may(standing, act, seat or connection.path_params.get("seat", "")):
        raise HTTPException(404 if standing.role == "nobody" else 403)


def standing_of(connection: HTTPConnection, lab: str) -> Standing:
    """Return what the user is in a lab."""
    return standing_in(site_of(connection).workspace(), user_of(connection), lab)


def user_of(connection: HTTPConnection) -> User:
    """Return who is signed in. Raises HTTPException when nobody is."""
    user = site_of(connection).user_of(connection.scope)
    if user is None:
        raise HTTPException(401)
    return user


def courses_taught(connection: HTTPConnection) -> frozenset[str]:
    """Return the courses in which the user is the professor of a lab."""
    found = labs_of(site_of(connection).workspace(), user_of(connection))
    return frozenset(lab.split("/")[0] for lab, standing in found.items() if standing.role == "professor")


def lab_named(connection: HTTPConnection) -> str:
    """Return COURSE/LAB of an address."""
    return "{course}/{lab}".format(**connection.path_params)
