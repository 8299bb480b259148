"""A host as the checks see it, and what a check says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from generator.spec.platform import ENVIRONMENTS, Platform, default_platform
from practicum.stages.host import HostFacts
from practicum.stages.host_record import Places

SETUP = "sudo practicum setup"


@dataclass(frozen=True)
class HostCheck:
    """One property of the host: what was found, why it matters, and the command that mends it (empty when well).

    A `warning` is no obstacle; something `missing` is. `automatic` says that setup, and `doctor --fix`, mend it.
    """

    name: str
    state: Literal["ok", "warning", "missing"]
    found: str
    why: str
    fix: str = ""
    automatic: bool = False
    group: str = ""

    @property
    def ok(self) -> bool:
        """Say whether nothing required is missing."""
        return self.state != "missing"


@dataclass(frozen=True)
class Origin:
    """The repository that doctor was called in. `error` is why its origin cannot be reached, empty when it can."""

    address: str | None
    error: str
    identity: str


@dataclass(frozen=True)
class Host:
    """What the checks judge: facts that took time to ask for, and files that they read themselves."""

    facts: HostFacts
    places: Places = field(default_factory=Places)
    platforms: Mapping[str, Platform] = field(
        default_factory=lambda: {name: default_platform(name) for name in ENVIRONMENTS}
    )
    origin: Origin | None = None


def judge(name: str, ok: bool, found: str, why: str, fix: str, *, automatic: bool = False) -> HostCheck:
    """Return a check of something that labs cannot do without."""
    return HostCheck(name, "ok" if ok else "missing", found, why, "" if ok else fix, automatic and not ok)


def advise(name: str, ok: bool, found: str, why: str, fix: str = "", *, automatic: bool = False) -> HostCheck:
    """Return a check of something that labs can do without, at a price."""
    return HostCheck(name, "ok" if ok else "warning", found, why, "" if ok else fix, automatic and not ok)


def note(name: str, found: str, why: str) -> HostCheck:
    """Return what is good to know and never wrong."""
    return HostCheck(name, "ok", found, why)
