"""Personal links: signed, good until a day, and taken back at any time.

What signs them, and what was taken back, stands in the repository's folder `.practicum`, which git ignores.
"""

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer

from practicum.errors import PermissionsError
from practicum.files import refusals_told, write_atomically
from practicum.web.users import User

__all__ = ["Invitation", "Invitations"]

FOLDER = ".practicum"
KEY = "web.key"
REVOKED = "web-revoked.json"
SALT = "practicum invitation"
PRIVATE = 0o600


@dataclass(frozen=True)
class Invitation:
    """For whom a link is. `given` and `until` are Unix seconds."""

    user: User
    given: float
    until: float


@dataclass(frozen=True)
class Invitations:
    """The personal links of a repository, below `root`."""

    root: Path

    def give(self, user: User, now: float, until: float) -> str:
        """Return the secret of a new link. Raises PermissionsError when what signs it cannot be read or written."""
        return str(self._serializer().dumps([user.login, user.lab, user.seat, now, until]))

    def find(self, secret: str) -> Invitation | None:
        """Return the invitation of a link, None for one that was not signed here."""
        try:
            login, lab, seat, given, until = self._serializer().loads(secret)
        except (BadSignature, ValueError):
            return None
        return Invitation(User(login, lab, seat), given, until)

    def is_good(self, invitation: Invitation, now: float) -> bool:
        """Say whether an invitation counts: its time is not over, and it was not taken back."""
        return now < invitation.until and invitation.given > self._revoked().get(invitation.user.key, 0.0)

    def revoke(self, users: Iterable[User], now: float) -> None:
        """Take back every link that these people got until now; sessions that began with one end."""
        found = {**self._revoked(), **{user.key: now for user in users}}
        with self._told():
            write_atomically(self._folder / REVOKED, json.dumps(found, indent=1, sort_keys=True) + "\n", PRIVATE)

    @property
    def _folder(self) -> Path:
        return self.root / FOLDER

    def _told(self) -> AbstractContextManager[None]:
        return refusals_told(
            f"the personal links of {self.root} cannot be used", f"{self._folder} must be yours to read and write"
        )

    def _revoked(self) -> dict[str, float]:
        try:
            found: dict[str, float] = json.loads((self._folder / REVOKED).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # then nobody knows who was taken off: no link may count
            raise PermissionsError(
                f"{self._folder / REVOKED} cannot be read, so no personal link counts",
                details=str(error),
                resolution="give it back its content or its owner; without the file every link counts again",
            ) from error
        return found

    def _serializer(self) -> URLSafeSerializer:
        path = self._folder / KEY
        with self._told():
            self._folder.mkdir(exist_ok=True)
            if not path.exists():
                partial = path.with_name(f"{KEY}.{secrets.token_hex(4)}")
                write_atomically(partial, secrets.token_urlsafe(32), PRIVATE)
                # Of two runs that begin at once one wins, and both use its key.
                with suppress(FileExistsError):
                    os.link(partial, path)
                partial.unlink()
            return URLSafeSerializer(path.read_text(), salt=SALT)
