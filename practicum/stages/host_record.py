"""What setup changed on this host, written before each change, so that it can be undone and a kill converges."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from generator.spec.platform import DEFAULT_POOL, DEFAULT_SOCKET
from practicum.errors import InputError
from practicum.files import write_atomically


@dataclass(frozen=True)
class Places:
    """Where setup reads and writes, and below which folder the rest of the host is looked at."""

    root: Path = Path("/")
    record: Path = Path("/var/lib/practicum/host.json")
    sysctl_file: Path = Path("/etc/sysctl.d/60-practicum.conf")
    kernel: Path = Path("/proc/sys")
    subuid: Path = Path("/etc/subuid")
    subgid: Path = Path("/etc/subgid")

    def read(self, path: str) -> str | None:
        """Return the text of a file of this host; None where there is none that may be read."""
        try:
            return (self.root / path).read_text(errors="replace")
        except OSError:
            return None

    def has(self, path: str) -> bool:
        """Say whether this host has a file or folder."""
        return os.access(self.root / path, os.F_OK)


@dataclass(frozen=True)
class SetupOptions:
    """What may differ between hosts. `adopt` shares an LXD that holds instances of others."""

    adopt: bool = False
    socket: str = DEFAULT_SOCKET
    pool: str = DEFAULT_POOL
    places: Places = field(default_factory=Places)


@dataclass
class HostRecord:
    """Setup's changes. `id` marks the pool as ours; `sysctls` are earlier values; `ranges` map a file to our line."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    packages: list[str] = field(default_factory=list)
    sysctls: dict[str, int] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    daemon: bool = False
    pools: list[str] = field(default_factory=list)


def load_record(places: Places) -> HostRecord:
    """Return what was recorded; a new record when setup never ran here. InputError when the file is damaged."""
    try:
        return HostRecord(**json.loads(places.record.read_text("utf-8")))
    except FileNotFoundError:
        return HostRecord()
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{places.record} is damaged",
            details=str(error),
            resolution="repair it, or remove it: then setup cannot undo what it did before",
        ) from error


def save_record(record: HostRecord, places: Places) -> None:
    """Write the record to disk, whole or not at all."""
    write_atomically(places.record, json.dumps(asdict(record), indent=2) + "\n")
