"""Signing in at an OpenID provider such as GitLab: it says who somebody is; specs and rosters say what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from practicum.errors import PermissionsError, UsageError
from practicum.web.address import LOOPBACK

__all__ = ["SECRET", "Provider", "Unanswered", "Unproved", "provider_of"]

SECRET = "PRACTICUM_OIDC_SECRET"  # noqa: S105 - the name of an environment variable
# What comes of an answer that no provider gives: none at all, another form than the protocol's, or no address in it.
NO_ANSWER = (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError, LookupError, TypeError, AttributeError)
# The provider knows us no longer: that is no matter of whoever wants to sign in.
NOT_KNOWN = ("invalid_client", "unauthorized_client")
DISCOVERY = "/.well-known/openid-configuration"
ANSWER_SECONDS = 10
WHERE = "write its https address as web.oidc.issuer in environments/prod/platform.yaml"


class Unanswered(Exception):
    """The provider does not answer, or not as a provider does."""


class Unproved(Exception):
    """Nobody proved who they are: they were refused, changed their mind, or brought something made up."""


@dataclass(frozen=True)
class Provider:
    """An OpenID provider. `claim` is what it calls the login that class lists and specs use."""

    issuer: str
    client_id: str
    claim: str
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """What people are told that they sign in with."""
        return urlsplit(self.issuer).netloc

    async def begin(self, request: Request, back: str) -> Response:
        """Send a browser to the provider, which sends it to `back`. Raises Unanswered."""
        try:
            answer: Response = await self._client.authorize_redirect(request, back)
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error
        return answer

    async def login(self, request: Request) -> str:
        """Return the login of whom the provider sent back. Raises Unanswered, Unproved."""
        expected = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        try:
            token = await self._client.authorize_access_token(request, claims_options=expected)
            said: dict[str, Any] = dict(token.get("userinfo") or {})
            # Some providers put into the token that proves somebody only that they are somebody.
            if said and self.claim not in said:
                more = await self._client.userinfo(token=token)
                said = dict(more) if more.get("sub") == said["sub"] else {}
        except (OAuthError, JoseError) as error:
            kind = Unanswered if getattr(error, "error", "") in NOT_KNOWN else Unproved
            raise kind(repr(error)) from error
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error
        login = said.get(self.claim)
        # Without a name it would be whoever started the web page; with a space more it may be somebody else's.
        if not isinstance(login, str) or not login or login != login.strip():
            raise Unproved(f"{self.claim} is {login!r}")
        return login

    @cached_property
    def _client(self) -> Any:
        """The client; it keeps what it read of the provider."""
        options = {"scope": "openid profile", "code_challenge_method": "S256", "timeout": ANSWER_SECONDS}
        return OAuth().register(
            "oidc",
            client_id=self.client_id,
            client_secret=self.secret,
            server_metadata_url=self.issuer.rstrip("/") + DISCOVERY,
            client_kwargs=options,
        )


def provider_of(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Provider | None:
    """Return the provider that prod's platform file names under `web`; None when people sign in by links alone.

    Raises PermissionsError without its secret, UsageError when it has no address or secrets would cross the network in
    the clear.
    """
    named = settings.get("oidc")
    if named is None:
        return None
    try:
        issuer = urlsplit(named["issuer"])
        _ = issuer.port  # looked at only when it is asked for
    except ValueError as error:
        raise UsageError(
            f"web.oidc.issuer is no address: {named['issuer']}", details=str(error), resolution=WHERE
        ) from error
    if issuer.scheme != "https" and issuer.hostname not in LOOPBACK:
        raise UsageError(
            f"sign-in at {named['issuer']} would cross the network in the clear; nothing was started",
            resolution=WHERE,
        )
    secret = environment.get(SECRET, "").strip()
    if not secret:
        raise PermissionsError(
            f"there is no secret for the sign-in at {named['issuer']}; nothing was started",
            resolution=f"set {SECRET} to the secret of the application {named['client_id']}, as its provider shows it",
        )
    return Provider(named["issuer"], named["client_id"], named.get("claim", "preferred_username"), secret)
