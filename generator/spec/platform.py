"""What an operator says about an environment: the platform file as a frozen model with defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Any, Literal

ENVIRONMENTS = ("dev", "prod")
DEFAULT_ADDRESSES = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
DEFAULT_SOCKET = "/var/lib/lxd/unix.socket"
DEFAULT_POOL = "practicum"
UNSET_INSTALLATION = "unset"


@dataclass(frozen=True)
class Capacity:
    """What may be promised to labs. `memory`, `pool` and `reserve` are bytes; None means no bound was given."""

    cpu: int | None = None
    memory: int | None = None
    pool: int | None = None
    overcommit: float = 4.0
    reserve: int = 5 * 2**30


@dataclass(frozen=True)
class Platform:
    """One environment's platform file. `settings` keeps the document for parts that are not built yet."""

    environment: str
    addresses: IPv4Network
    installation: str = UNSET_INSTALLATION
    socket: str | None = DEFAULT_SOCKET
    url: str | None = None
    storage: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"local": DEFAULT_POOL}))
    capacity: Capacity = Capacity()
    professor_internet: Literal["full", "mirror", "none"] = "full"
    mirror: str | None = None
    data_folder: str | None = None
    vms: Literal["lxd", "kubevirt"] | None = None
    secret_key: str = ".practicum/secret.key"  # noqa: S105 - the name of a file
    settings: Mapping[str, Any] = field(default_factory=dict)


def default_platform(environment: str) -> Platform:
    """Return the platform of an environment that has no platform file."""
    return Platform(environment, IPv4Network(DEFAULT_ADDRESSES[environment]))
