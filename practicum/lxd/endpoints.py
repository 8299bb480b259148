"""Where an LXD answers: a socket of this machine, or a URL with a client certificate and the server's pinned one."""

import re
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from practicum.errors import InputError, PermissionsError, PracticumError, UnavailableError
from practicum.lxd.errors import LxdUnavailable

SOCKETS = ("/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket")
OTHERS_MAY_READ = stat.S_IRGRP | stat.S_IROTH
SHOWN = re.compile(r'Expected "(?P<pinned>\w+)", got "(?P<shown>\w+)"')
FILE_NAMES = {"certificate": "lxd: certificate", "key": "lxd: key", "server_certificate": "lxd: server_certificate"}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Endpoint:
    """An LXD's address: the path of its socket, or an https URL with files.

    Without `server_certificate` the server must show a certificate for its name that this machine's authorities signed.
    """

    address: str
    certificate: Path | None = None
    key: Path | None = None
    server_certificate: Path | None = None

    @classmethod
    def at_socket(cls, path: str | None = None) -> "Endpoint":
        """Return the endpoint of a socket, the usual one when none is named."""
        # The snap has its socket elsewhere; the platform file need not say so.
        wanted = path or SOCKETS[0]
        others = [place for place in SOCKETS if Path(place).exists()] if wanted in SOCKETS else []
        return cls(wanted if Path(wanted).exists() or not others else others[0])

    @property
    def is_remote(self) -> bool:
        """Say whether this LXD is spoken to over the network."""
        return self.address.startswith("https://")

    @property
    def url(self) -> str:
        """The URL for an HTTP client."""
        return self.address.rstrip("/") if self.is_remote else "http+unix://" + self.address.replace("/", "%2F")

    def session(self) -> requests.Session | None:
        """Return an HTTP session that knows the client and the server by their certificates; None for a socket.

        Raises InputError, PermissionsError or UnavailableError for files that cannot be used.
        """
        if not self.is_remote:
            return None
        self._require_files()
        session = requests.Session()
        # A CA bundle or a proxy of the environment would take the place of what the platform file says.
        session.trust_env = False
        session.cert = (str(self.certificate), str(self.key))
        if self.server_certificate:
            # Names and authorities say nothing about a certificate that is known itself.
            session.verify = False
            session.mount("https://", _Pinned(self.fingerprint))
        return session

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the pinned server certificate, as `lxc info` shows it."""
        text = _read(self.server_certificate, FILE_NAMES["server_certificate"])
        try:
            # A cluster's file may hold more than one; the first is the server's own.
            end = "-----END CERTIFICATE-----"
            return sha256(ssl.PEM_cert_to_DER_cert(text.partition(end)[0].strip() + f"\n{end}\n")).hexdigest()
        except ValueError as error:
            raise _unusable(self.server_certificate, "is no certificate in PEM form", str(error)) from error

    def warnings(self) -> list[str]:
        """Return what is unwise about the files."""
        try:
            mode = self.key.stat().st_mode if self.key else 0
        except OSError:
            return []
        shared = f"{self.key} can be read by others than its owner: chmod 600 {self.key}"
        return [shared] if mode & OTHERS_MAY_READ else []

    def unavailable(self, error: BaseException, *, was_sent: bool) -> PracticumError:
        """Return what an error of the HTTP client means to people."""
        if self.is_remote and (told := self._tls_problem(str(error))):
            return told
        resolution = "run 'practicum doctor' to see what is missing, or 'practicum setup' to make this host ready"
        if self.is_remote:
            resolution = "see whether that host is up, its LXD has 'core.https_address', and no firewall is between"
        message = f"no answer from LXD at {self.address}"
        return LxdUnavailable(message, details=str(error), resolution=resolution, was_sent=was_sent)

    def untrusted(self) -> PermissionsError:
        """Return the error for a server that does not know our client certificate."""
        return PermissionsError(
            f"LXD at {self.address} does not trust the client certificate {self.certificate}",
            resolution=f"on that host: lxc config trust add {self.certificate} --name practicum",
        )

    def _tls_problem(self, words: str) -> PracticumError | None:
        if shown := SHOWN.search(words):
            return PermissionsError(
                f"LXD at {self.address} shows another certificate than the pinned one; nothing was sent to it",
                details=f"pinned: {shown['pinned']} ({self.server_certificate})\nshown:  {shown['shown']}",
                resolution="ask on that host, 'lxc info | grep fingerprint', which is right; when LXD was installed "
                "anew there, copy its certificate again",
            )
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return PermissionsError(
                f"the certificate of LXD at {self.address} is signed by nobody whom this machine knows",
                details=words,
                resolution="copy the server's certificate here and name it under 'lxd: {server_certificate: …}'",
            )
        return None

    def _require_files(self) -> None:
        for key, name in FILE_NAMES.items():
            path: Path | None = getattr(self, key)
            if path is not None:
                _read(path, name)
        try:
            ssl.create_default_context().load_cert_chain(str(self.certificate), str(self.key))
        except (ssl.SSLError, OSError) as error:
            message = f"is not the key of {self.certificate}, or one of them is no PEM file"
            raise _unusable(self.key, message, str(error)) from error


class _Pinned(HTTPAdapter):
    """Knows a server by the fingerprint of its certificate alone: LXD signs its own, for names that nobody uses."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make connections that compare the fingerprint in the handshake, before any request is sent."""
        super().init_poolmanager(*arguments, **options, assert_fingerprint=self._fingerprint)


def _read(path: Path | None, name: str) -> str:
    try:
        return (path or Path()).read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise UnavailableError(
            f"there is no file {path}", resolution=f"put it there, or correct '{name}' in platform.yaml"
        ) from error
    except PermissionError as error:
        raise PermissionsError(
            f"this user may not read {path}", resolution=f"run as its owner, {_owner(path)}; never make a key readable"
        ) from error
    except (OSError, ValueError) as error:
        raise _unusable(path, "cannot be read", str(error)) from error


def _owner(path: Path | None) -> str:
    try:
        return (path or Path()).owner()
    except (OSError, KeyError):
        return "root"


def _unusable(path: Path | None, what: str, details: str) -> InputError:
    return InputError(f"{path} {what}", details=details, resolution="copy the file again from where it was made")
