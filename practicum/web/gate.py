"""What every request passes first: the name of this server, the origin of what changes something, and the session."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from practicum.web.messages import say
from practicum.web.site import Site

__all__ = ["MOST_UPLOADED", "OURS", "Gate", "protect"]

# A form of ours is far smaller; what is larger fills memory, and without a session too.
MOST_DIGITS = 6
# A file that a student puts in: bytes, with what a form says around it. It waits on disk, not in memory.
MOST_UPLOADED = 64 * 2**20
UPLOAD = re.compile(r"/labs/[^/]+/[^/]+/seats/[^/]+/files/put")
AROUND = 2**16
SAFE = frozenset({"GET", "HEAD"})
OPEN = ("/login", "/static/")
# A browser says where a request comes from; a page of another origin is not ours, whatever cookie comes along.
OURS = frozenset({"same-origin", "none"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    # With "no-referrer" browsers call the origin of our own forms "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass
class Gate:
    """ASGI middleware that refuses what does not come from this server's own pages and a person who signed in."""

    app: ASGIApp
    site: Site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, _protected(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403})
        else:
            await refusal(scope, receive, _protected(scope, send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self.site.address.names:
            return PlainTextResponse(say("refused.host", url=self.site.address.url), 421)
        if not self._is_ours(scope, headers):
            return PlainTextResponse(say("refused.origin"), 403)
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or (len(length) > MOST_DIGITS and not self._is_upload(scope, length)):
            return PlainTextResponse(say("refused.size"), 413)
        if scope["path"].startswith(OPEN) or self.site.user_of(scope) is not None:
            return None
        if scope["type"] == "http" and "hx-request" in headers:
            return PlainTextResponse(say("refused.session"), 401)
        return RedirectResponse("/login", 303)

    def _is_upload(self, scope: Scope, length: str) -> bool:
        """Say whether this is a file of somebody who signed in, and no larger than such a file may be."""
        fits = length.isascii() and length.isdecimal() and int(length) <= MOST_UPLOADED + AROUND
        return fits and bool(UPLOAD.fullmatch(scope["path"])) and self.site.user_of(scope) is not None

    def _is_ours(self, scope: Scope, headers: Headers) -> bool:
        """Say whether a request may have an effect here: reading may, changing must come from our own pages."""
        origin, place = headers.get("origin"), headers.get("sec-fetch-site")
        if scope["type"] == "websocket":
            return origin in self.site.address.origins
        if scope["method"] in SAFE:
            return True
        if origin is not None and origin not in self.site.address.origins:
            return False
        return place in OURS if place is not None else origin is not None


def _protected(scope: Scope, send: Send) -> Send:
    """Return a `send` whose answers are protected."""

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            protect(scope, MutableHeaders(scope=message))
        await send(message)

    return protected


def protect(scope: Scope, headers: MutableHeaders) -> None:
    """Add to an answer what keeps browsers from running or showing anything of others with it."""
    nonce = scope.get("state", {}).get("nonce")
    headers["content-security-policy"] = POLICY.format(nonce=f" 'nonce-{nonce}'" if nonce else "")
    headers.update(HEADERS)
    if not scope["path"].startswith("/static/"):
        headers["cache-control"] = "no-store"
