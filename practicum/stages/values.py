"""Values of references in definitions: secrets, logins, addresses that only the host knows."""

import hashlib
import hmac
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generator.generate import read_seat_book
from generator.seats.seat_book import SeatBook
from practicum.errors import PermissionsError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import OUR_NAME
from practicum.lxd.observe import tail
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

DEFAULT_MIRROR = "http://deb.debian.org/debian"
SECRET_LENGTH = 20
SHORTEST_KEY = 32


@dataclass
class Values:
    """Resolves references of one deployment; each kind is looked up when it is first needed."""

    workspace: Workspace
    deployment: Deployment
    lxd: Lxd

    def __call__(self, kind: str, argument: str, seat: str) -> str:
        """Return the value of `((practicum:KIND ARGUMENT))` in a seat's definition."""
        if kind == "secret":
            return self.secret(argument, seat)
        if kind == "login":
            return self.login(seat)
        if kind == "host-addresses":
            return ",".join(self.host_addresses)
        if kind == "mirror-addresses":
            return ",".join(self._mirror_addresses)
        raise UnavailableError(f"a definition refers to '{kind}', which this version of Practicum does not know")

    def secret(self, name: str, seat: str) -> str:
        """Return a seat's secret: the same at every run, another for every seat, never in git."""
        scope = self.deployment.scope
        text = "/".join((scope.installation, scope.course, scope.lab, seat, name))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:SECRET_LENGTH]

    def login(self, seat: str) -> str:
        """Return who has a seat; the seat's own name when nobody has it."""
        return (self._seats[seat].login if seat in self._seats else None) or seat

    @cached_property
    def _seats(self) -> SeatBook:
        return read_seat_book(self.workspace.repository.sources(self.deployment.commit), self.deployment.lab)

    @cached_property
    def host_addresses(self) -> list[str]:
        """The host's own IPv4 addresses on interfaces that LXD does not manage."""
        names = [name for name in map(tail, self.lxd.get("networks")) if not OUR_NAME.match(name)]
        # Networks of others may go at any moment.
        found = [(name, self.lxd.find("networks", name)) for name in names]
        interfaces = [name for name, network in found if network and not network["managed"]]
        states = [state for name in interfaces if (state := self.lxd.find("networks", name, "state"))]
        return sorted({address["address"] for state in states for address in _ipv4(state)})

    @cached_property
    def _mirror_addresses(self) -> list[str]:
        host = urlsplit(self.deployment.platform.mirror or DEFAULT_MIRROR).hostname or ""
        try:
            found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return []
        return sorted({str(entry[4][0]) for entry in found})

    @cached_property
    def _key(self) -> bytes:
        path = self.workspace.repository.root / Path(self.deployment.platform.secret_key)
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise _bad_key(path, "cannot be read", str(error)) from error
        if len(key) < SHORTEST_KEY:
            raise _bad_key(path, "is too short", "anybody could compute the secrets of every student")
        return key


def _bad_key(path: Path, what: str, details: str) -> PermissionsError:
    return PermissionsError(
        f"the key that student secrets are made from {what}",
        details=details,
        resolution=f"restore {path} from your backup; a new key gives every student other secrets",
    )


def _ipv4(state: dict[str, Any]) -> list[dict[str, Any]]:
    addresses = state.get("addresses") or []
    return [entry for entry in addresses if entry["family"] == "inet" and entry["scope"] == "global"]
