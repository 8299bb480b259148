"""Values of references in definitions: secrets, logins, addresses that only the host knows."""

import hashlib
import hmac
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generator.generate import read_seat_book
from generator.render.networks import is_internet
from generator.seats.seat_book import SeatBook
from generator.spec.platform import ENVIRONMENTS
from generator.spec.rules.internet import closed_ranges
from practicum.errors import PermissionsError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import interface_states, listeners
from practicum.lxd.inventory import OUR_NAME
from practicum.lxd.observe import tail
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace, platform_of

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
        if kind == "addresses-of":
            return ",".join(self._addresses_of(argument))
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
        """The host's own IPv4 addresses, but private ones on bridges of LXD, which no seat's internet reaches."""
        names = [name for name in map(tail, self.lxd.get("networks")) if not OUR_NAME.match(name)]
        # Networks of others may go at any moment.
        found = [network for name in names if (network := self.lxd.find("networks", name))]
        own = {address for network in found for address in self._addresses_on(network)}
        return sorted(own | {address for address, _ in listeners(self.lxd)} if self.lxd.is_clustered else own)

    def _addresses_on(self, network: dict[str, Any]) -> Iterator[str]:
        """Yield the addresses that matter of an interface of the host; bridges of others come and go all the time."""
        for state in interface_states(self.lxd, network["name"]):
            for entry in _ipv4(state):
                if not network["managed"] or is_internet(IPv4Address(entry["address"])):
                    yield entry["address"]

    @cached_property
    def _mirror_addresses(self) -> list[str]:
        return _look_up(urlsplit(self.deployment.platform.mirror or DEFAULT_MIRROR).hostname or "")

    def _addresses_of(self, host: str) -> list[str]:
        """Return a host's IPv4 addresses as they are now, without those that no spec may open.

        Raises UnavailableError when none is left: the walls then stay as the last run made them.
        """
        found = [address for address in _look_up(host) if not self._is_closed(IPv4Address(address))]
        if not found:
            raise UnavailableError(
                f"'{host}' under 'network: internet:' has no address that students may be let to; nothing was done",
                details="it has none at all, or only such of labs, of this host, or link-local ones",
                resolution=f"look at what 'getent ahostsv4 {host}' says on this host, or give a cidr",
            )
        return found

    def _is_closed(self, address: IPv4Address) -> bool:
        return any(address in block for block in self._closed) or str(address) in self.host_addresses

    @cached_property
    def _closed(self) -> list[IPv4Network]:
        sources = self.workspace.repository.sources(self.deployment.commit)
        platforms = {name: platform_of(sources, name) for name in ENVIRONMENTS}
        return closed_ranges(platforms)

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


def _look_up(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def _bad_key(path: Path, what: str, details: str) -> PermissionsError:
    return PermissionsError(
        f"the key that student secrets are made from {what}",
        details=details,
        resolution=f"restore {path} from your backup; a new key gives every student other secrets",
    )


def _ipv4(state: dict[str, Any]) -> list[dict[str, Any]]:
    addresses = state.get("addresses") or []
    return [entry for entry in addresses if entry["family"] == "inet" and entry["scope"] == "global"]
