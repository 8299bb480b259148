"""What every stage works with: the repository, the catalogue, the platforms, LXD, and where events go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import find_labs
from generator.spec.load import load_platforms
from generator.spec.platform import Platform
from generator.spec.sources import Sources
from practicum.errors import InputError
from practicum.events import Emit, silent
from practicum.git.repository import Repository
from practicum.lxd.client import Lxd


class InvalidInput(InputError):
    """Input files with errors; `diagnostics` say which, with paths relative to `root`."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], root: Path | None = None) -> None:
        count = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
        super().__init__(f"{count} error{'s' * (count != 1)} in the input; nothing was done")
        self.diagnostics = diagnostics
        self.root = root


@dataclass
class Workspace:
    """One run of Practicum in one repository. `today` is an argument so that the generator needs no clock."""

    repository: Repository
    emit: Emit = silent
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @classmethod
    def open(cls, path: Path, emit: Emit = silent) -> "Workspace":
        """Return the workspace of the repository that contains `path`."""
        return cls(Repository.open(path), emit)

    @cached_property
    def catalogue(self) -> Mapping[str, MachineType]:
        """The machine types."""
        return load_catalogue()

    def lxd(self, platform: Platform) -> Lxd:
        """Return the LXD server of an environment."""
        if platform.url:
            raise InputError(
                "LXD over the network is not built yet", resolution="use 'lxd: {socket: …}' for now", exit_code=69
            )
        return Lxd(platform.socket)


def platforms_of(sources: Sources) -> Mapping[str, Platform]:
    """Return each environment's platform, the default one where there is no file. Raises InvalidInput."""
    loaded = load_platforms(sources)
    if any(problem.severity == "error" for problem in loaded.diagnostics):
        raise InvalidInput(loaded.diagnostics)
    return loaded.platforms


def platform_of(sources: Sources, environment: str) -> Platform:
    """Return an environment's platform. Raises InvalidInput."""
    return platforms_of(sources)[environment]


def require_lab(sources: Sources, lab: str) -> None:
    """Raise InputError when a lab has no spec, naming the labs that there are."""
    labs = find_labs(sources)
    if lab not in labs:
        known = f"labs here: {', '.join(labs)}" if labs else "there is no labs/COURSE/LAB.lab.yaml in this repository"
        raise InputError(f"there is no lab '{lab}'", resolution=known, exit_code=2)
