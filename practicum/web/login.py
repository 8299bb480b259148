"""Signing in with the link that the terminal shows, with a personal one, or at an OpenID provider; and out."""

import logging
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from practicum.web.gate import OURS
from practicum.web.invitations import Invitation
from practicum.web.messages import say
from practicum.web.openid import Provider, Unanswered, Unproved
from practicum.web.pages import is_signed_in, page
from practicum.web.site import SESSION_SECONDS, SIGNED_IN, Session, Site, site_of
from practicum.web.users import OPERATOR, User

# To the terminal, or systemd's journal, for whoever runs the page: others are told less.
LOG = logging.getLogger(__name__)


async def show_login(request: Request) -> Response:
    """Ask for the click that uses a link: programs that only look at links must not."""
    token = request.query_params.get("token", "")
    if is_signed_in(request) and not token:
        return RedirectResponse("/", 303)
    invitation = site_of(request).invitations.find(token)
    return _login_page(request, token=token, who=invitation.user.name if invitation else "")


async def login(request: Request) -> Response:
    """Use a link and begin a session."""
    site = site_of(request)
    session = _session(site, str((await request.form()).get("token", "")))
    if session is None:
        return _login_page(request, 403, failed=say("login.failed"))
    return _begun(request, session)


async def logout(request: Request) -> Response:
    """End the session."""
    _end(request)
    return RedirectResponse("/login", 303)


async def to_provider(request: Request) -> Response:
    """Send a browser to the provider, which asks who it is."""
    site, provider = site_of(request), _provider(request)
    # From a page of somebody else our cookie does not come along, and what is begun would take its place. By another
    # name of ours it would not be there when the provider sends the browser back.
    if request.headers.get("sec-fetch-site", "none") not in OURS or request.url.hostname != site.address.host.lower():
        return RedirectResponse(f"{site.address.url}/login", 303)
    try:
        return await provider.begin(request, f"{site.address.url}/login/oidc/back")
    except Unanswered as error:
        return _unanswered(request, provider, error)


async def from_provider(request: Request) -> Response:
    """Send a browser that comes from the provider on to ourselves: only then our own cookie comes along."""
    _provider(request)
    return page(request, "signing_in.html", to=f"/login/oidc/end?{request.url.query}")


async def use_proof(request: Request) -> Response:
    """Begin the session of whom the provider named."""
    provider, now = _provider(request), time.time()
    try:
        user = User(await provider.login(request))
    except Unanswered as error:
        return _unanswered(request, provider, error)
    except Unproved as error:
        LOG.warning("nobody was signed in at %s: %s", provider.name, error)
        return _login_page(request, 403, failed=say("login.unproved", name=provider.name))
    # As a link does, this ends when somebody takes it back.
    return _begun(request, Session(user, Invitation(user, now, now + SESSION_SECONDS)))


def _provider(request: Request) -> Provider:
    provider = site_of(request).provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _unanswered(request: Request, provider: Provider, error: Unanswered) -> Response:
    LOG.warning("sign-in at %s: %s", provider.name, error)
    return _login_page(request, 502, failed=say("login.unanswered", name=provider.name))


def _login_page(request: Request, status: int = 200, token: str = "", who: str = "", failed: str = "") -> Response:
    provider = site_of(request).provider
    name = provider.name if provider else ""
    return page(request, "login.html", status, token=token, who=who, failed=failed, provider=name)


def _begun(request: Request, session: Session) -> Response:
    """Begin a session; whoever was signed in here before is not any more."""
    _end(request)
    request.session[SIGNED_IN] = site_of(request).begin(session)
    return RedirectResponse("/", 303)


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
    Route("/login/oidc", to_provider),
    Route("/login/oidc/back", from_provider),
    Route("/login/oidc/end", use_proof),
    Route("/logout", logout, methods=["POST"]),
]
