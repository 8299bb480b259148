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
from practicum.errors import PermissionsError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

DEFAULT_MIRROR = "http://deb.debian.org/debian"
SECRET_LENGTH = 20


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
        book = read_seat_book(self.workspace.repository.sources("HEAD"), self.deployment.lab)
        return (book[seat].login if seat in book else None) or seat

    @cached_property
    def host_addresses(self) -> list[str]:
        """The host's own IPv4 addresses on interfaces that LXD does not manage."""
        interfaces = [entry for entry in self.lxd.get("networks", recursion=1) if not entry["managed"]]
        states = [self.lxd.get("networks", entry["name"], "state") for entry in interfaces]
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
            return path.read_bytes().strip()
        except OSError as error:
            raise PermissionsError(
                "the key that student secrets are made from cannot be read",
                details=str(error),
                resolution=f"restore {path} from your backup, or make one: openssl rand -hex 32 > {path}",
            ) from error


def _ipv4(state: dict[str, Any]) -> list[dict[str, Any]]:
    addresses = state.get("addresses") or []
    return [entry for entry in addresses if entry["family"] == "inet" and entry["scope"] == "global"]
