"""What all pages of one running web page share."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection
from starlette.types import Scope

from practicum.events import Emit, silent
from practicum.stages.workspace import Workspace
from practicum.web.audit import Audit
from practicum.web.invitations import Invitation, Invitations
from practicum.web.jobs import Jobs
from practicum.web.one_time import OneTime
from practicum.web.screens import Screens
from practicum.web.users import User

if TYPE_CHECKING:
    from practicum.web.openid import Provider

__all__ = ["LOOPBACK", "SIGNED_IN", "Address", "Session", "Site", "site_of"]

LOOPBACK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(("127.0.0.1", "localhost", "::1"), ("127.0.0.1", "localhost", "[::1]"))
)
# The key of the session under which a browser carries its id.
SIGNED_IN = "id"
LINK_SECONDS = 30 * 60
TICKET_SECONDS = 30


@dataclass(frozen=True)
class Address:
    """Where the web page answers. `tls` says that browsers speak HTTPS with it."""

    host: str
    port: int
    tls: bool = False

    @property
    def names(self) -> frozenset[str]:
        """What a browser may call this server in `Host`: anything else is somebody else's name for it."""
        default = 443 if self.tls else 80
        hosts = LOOPBACK.get(self.host, (self._host.lower(),))
        return frozenset([f"{host}:{self.port}" for host in hosts] + (list(hosts) if self.port == default else []))

    @property
    def origins(self) -> frozenset[str]:
        """The origins of this server's own pages."""
        return frozenset(f"{'https' if self.tls else 'http'}://{name}" for name in self.names)

    @property
    def url(self) -> str:
        """The address that people are told."""
        return f"{'https' if self.tls else 'http'}://{self._host}:{self.port}"

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True)
class Session:
    """A browser of somebody who signed in, with the personal link by which they did."""

    user: User
    invitation: Invitation | None = None


@dataclass
class Site:
    """One running web page: the repository that it works in, and what it remembers while it runs."""

    folder: Path
    address: Address
    provider: "Provider | None" = None
    jobs: Jobs = field(default_factory=Jobs)
    links: OneTime = field(default_factory=lambda: OneTime(LINK_SECONDS))
    tickets: OneTime = field(default_factory=lambda: OneTime(TICKET_SECONDS))
    screens: Screens = field(default_factory=Screens)
    sessions: dict[str, Session] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def workspace(self, emit: Emit = silent) -> Workspace:
        """Return a workspace for one request or one job."""
        return Workspace.open(self.folder, emit)

    @property
    def invitations(self) -> Invitations:
        """The personal links of the repository."""
        return Invitations(self.folder)

    @property
    def audit(self) -> Audit:
        """Who opened a terminal in a student's machine."""
        return Audit(self.folder)

    def begin(self, session: Session) -> str:
        """Begin a session; return the id that its browser gets."""
        key = secrets.token_urlsafe(16)
        self.sessions[key] = session
        return key

    def user_of(self, scope: Scope) -> User | None:
        """Return who is signed in where a request comes from; None when nobody is, or not any more."""
        found = self.sessions.get(scope["session"].get(SIGNED_IN, ""))
        if found is None or (found.invitation and not self.invitations.is_good(found.invitation, time.time())):
            return None
        return found.user

    def login_link(self) -> str:
        """Return a new link that signs its first user in."""
        return f"{self.address.url}/login?token={self.links.give('login')}"


def site_of(connection: HTTPConnection) -> Site:
    """Return the site that a request or a WebSocket belongs to."""
    site: Site = connection.app.state.site
    return site
