"""Signing in with the link that the terminal shows or with a personal one, and out."""

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from practicum.web.pages import is_signed_in, page
from practicum.web.site import SIGNED_IN, Session, Site, site_of
from practicum.web.users import OPERATOR


async def show_login(request: Request) -> Response:
    """Ask for the click that uses a link: programs that only look at links must not."""
    token = request.query_params.get("token", "")
    if is_signed_in(request) and not token:
        return RedirectResponse("/", 303)
    invitation = site_of(request).invitations.find(token)
    who = invitation.user.name if invitation else ""
    return page(request, "login.html", token=token, who=who, failed=False)


async def login(request: Request) -> Response:
    """Use a link and begin a session; whoever was signed in here before is not any more."""
    site = site_of(request)
    session = _session(site, str((await request.form()).get("token", "")))
    if session is None:
        return page(request, "login.html", 403, token="", who="", failed=True)
    _end(request)
    request.session[SIGNED_IN] = site.begin(session)
    return RedirectResponse("/", 303)


async def logout(request: Request) -> Response:
    """End the session."""
    _end(request)
    return RedirectResponse("/login", 303)


def _session(site: Site, token: str) -> Session | None:
    if site.links.take(token, "login"):
        return Session(OPERATOR)
    invitation = site.invitations.find(token)
    if invitation is None or not site.invitations.is_good(invitation, time.time()):
        return None
    return Session(invitation.user, invitation)


def _end(request: Request) -> None:
    site_of(request).sessions.pop(request.session.get(SIGNED_IN, ""), None)
    request.session.clear()


ROUTES = [
    Route("/login", show_login),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
]
