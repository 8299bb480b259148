"""What all pages of one running web page share."""

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import HTTPConnection
from starlette.types import Scope

from practicum.events import Emit, silent
from practicum.stages.workspace import Workspace
from practicum.web.address import Address
from practicum.web.audit import Audit
from practicum.web.invitations import Invitation, Invitations
from practicum.web.jobs import Jobs
from practicum.web.one_time import OneTime
from practicum.web.openid import Provider
from practicum.web.screens import Screens
from practicum.web.users import User

__all__ = ["SESSION_SECONDS", "SIGNED_IN", "Session", "Site", "site_of"]

# The key of the session under which a browser carries its id.
SIGNED_IN = "id"
SESSION_SECONDS = 12 * 60 * 60
LINK_SECONDS = 30 * 60
TICKET_SECONDS = 30


@dataclass(frozen=True)
class Session:
    """A browser of somebody who signed in, with what invited them; nothing did the operator. `begun`: Unix seconds."""

    user: User
    invitation: Invitation | None = None
    begun: float = field(default_factory=time.time)


@dataclass
class Site:
    """One running web page: the repository that it works in, and what it remembers while it runs."""

    folder: Path
    address: Address
    provider: Provider | None = None
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
        """Begin a session; return the id that its browser gets. Those whose cookies are over are forgotten."""
        self.sessions = {key: one for key, one in self.sessions.items() if session.begun < one.begun + SESSION_SECONDS}
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
