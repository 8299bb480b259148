"""What every stage works with: the repository, the catalogue, the platforms, LXD, and where events go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import find_labs
from generator.spec.load import load_platforms
from generator.spec.platform import Platform
from generator.spec.sources import Sources
from generator.spec.words import did_you_mean, nearest
from practicum.errors import InputError
from practicum.events import Emit, Event, silent
from practicum.git.repository import Repository

if TYPE_CHECKING:
    from practicum.kubernetes.client import Cluster
    from practicum.lxd.client import Lxd
    from practicum.lxd.endpoints import Endpoint

MOST_NAMES = 12


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
    _servers: "dict[Endpoint, Lxd]" = field(default_factory=dict, repr=False)
    _clusters: "dict[tuple[str, Path], Cluster]" = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: Path, emit: Emit = silent) -> "Workspace":
        """Return the workspace of the repository that contains `path`."""
        return cls(Repository.open(path), emit)

    @cached_property
    def catalogue(self) -> Mapping[str, MachineType]:
        """The machine types."""
        return load_catalogue()

    def lxd(self, platform: Platform) -> "Lxd":
        """Return the LXD server of an environment: one object for environments that share it."""
        from practicum.lxd.client import Lxd  # and with it pylxd, which a check of a spec does not wait for

        endpoint = endpoint_of(self.repository.root, platform)
        if endpoint not in self._servers:
            for text in endpoint.warnings():
                self.emit(Event("lxd", "warning", text))
            self._servers[endpoint] = Lxd(endpoint)
        return self._servers[endpoint]

    def cluster(self, name: str, kubeconfig: str) -> "Cluster":
        """Return a Kubernetes cluster by the name and the kubeconfig of a platform file."""
        from practicum.kubernetes.client import Cluster

        path = self.repository.root / Path(kubeconfig).expanduser()
        if (name, path) not in self._clusters:
            self._clusters[name, path] = Cluster(name, path)
        return self._clusters[name, path]


def endpoint_of(root: Path, platform: Platform) -> "Endpoint":
    """Return where the LXD of an environment answers; names of files count from the top of the checkout."""
    from practicum.lxd.endpoints import Endpoint

    if not platform.url:
        return Endpoint.at_socket(platform.socket)
    names = platform.settings["lxd"]
    files = {key: root / names[key] for key in ("certificate", "key", "server_certificate") if key in names}
    return Endpoint(platform.url, **files)


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
    """Raise InputError when a lab has no spec: with the name that was probably meant, and the way to a new lab."""
    labs = find_labs(sources)
    if lab not in labs:
        shown = ", ".join(labs[:MOST_NAMES]) + (" …" if len(labs) > MOST_NAMES else "")
        raise InputError(
            f"there is no lab '{lab}'{did_you_mean(nearest_lab(lab, labs))}",
            details=f"labs here: {shown}" if labs else "there is no labs/COURSE/LAB.lab.yaml in this repository yet",
            resolution=f"'practicum new {lab}' writes a spec to begin with",
            exit_code=2,
        )


def nearest_lab(name: str, labs: Sequence[str]) -> str | None:
    """Return the lab that was probably meant, also by somebody who left out its course; None when none is near."""
    last = name.rsplit("/", 1)[-1]
    alike = [lab for lab in labs if lab.rsplit("/", 1)[-1] == last]
    return alike[0] if alike else nearest(name, labs)
