"""Where a web page answers, and what browsers may call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["LOOPBACK", "Address"]

LOOPBACK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(("127.0.0.1", "localhost", "::1"), ("127.0.0.1", "localhost", "[::1]"))
)


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
