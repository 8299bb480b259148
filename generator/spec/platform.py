"""What an operator says about an environment: the platform file as a frozen model with defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Any, Literal

from generator.catalogue.model import Artefact

ENVIRONMENTS = ("dev", "prod")
DEFAULT_ADDRESSES = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
DEFAULT_SOCKET = "/var/lib/lxd/unix.socket"
DEFAULT_POOL = "practicum"
UNSET_INSTALLATION = "unset"
# The version whose kinds a base may use: generator/kubernetes_base/kinds.yaml.
DEFAULT_KUBERNETES = "1.33"


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
    vms: Literal["lxd", "kubevirt", "none"] | None = None
    secret_key: str = ".practicum/secret.key"  # noqa: S105 - the name of a file
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the hosts that are offered as storage; a pool's name begins with no slash."""
        return tuple(sorted({place for place in self.storage.values() if place.startswith("/")}))

    @property
    def kubernetes_version(self) -> str:
        """The minor version of Kubernetes that the environment's clusters run, such as `1.33`."""
        return str((self.settings.get("kubernetes") or {}).get("version", DEFAULT_KUBERNETES))

    @property
    def clusters(self) -> Mapping[str, str]:
        """The kubeconfig file of each existing cluster, by the name that specs use."""
        clusters = (self.settings.get("kubernetes") or {}).get("clusters") or {}
        return {name: str(entry["kubeconfig"]) for name, entry in clusters.items()}

    @property
    def k3s(self) -> Artefact | None:
        """The k3s binary that labs' own clusters run, None where the operator provides none."""
        entry = (self.settings.get("kubernetes") or {}).get("k3s")
        return None if entry is None else Artefact(**entry)

    @property
    def airgap_images(self) -> tuple[Artefact, ...]:
        """Archives of container images that every node of a lab's own cluster has from the start."""
        return tuple(Artefact(**one) for one in (self.settings.get("kubernetes") or {}).get("airgap_images") or ())

    @property
    def delivery(self) -> str:
        """How Kubernetes objects get to the clusters: `apply` or `argocd`."""
        return str(self.settings.get("delivery", "apply"))

    @property
    def argocd_namespace(self) -> str:
        """The namespace of Argo CD's Applications."""
        return str((self.settings.get("argocd") or {}).get("namespace", "argocd"))

    @property
    def argocd_cluster(self) -> str | None:
        """The name of the cluster that Argo CD runs on, None when it is on each lab's own."""
        name = (self.settings.get("argocd") or {}).get("cluster")
        return None if name is None else str(name)

    @property
    def repository_url(self) -> str | None:
        """Where others read the repository: the git remote, else the GitLab project; None for neither, or a path."""
        git = self.settings.get("git") or {}
        remote, project = str(git.get("remote") or ""), str(git.get("project") or "").rstrip("/")
        if remote and not remote.startswith("/"):
            return remote
        return f"{project.removesuffix('.git')}.git" if project else None


def default_platform(environment: str) -> Platform:
    """Return the platform of an environment that has no platform file."""
    return Platform(environment, IPv4Network(DEFAULT_ADDRESSES[environment]))
