"""A lab in one environment as it is committed: the only thing that provisioning reads."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import yaml

from generator.render.definitions import FORMAT
from generator.render.tree import lab_folder, tree_digest
from generator.render.yaml_text import dump
from generator.seats.names import CLUSTER, Scope
from generator.spec.model import EXISTING
from generator.spec.platform import ENVIRONMENTS, Platform
from generator.spec.release import release_problems
from practicum.errors import InputError, UnavailableError
from practicum.stages.workspace import Workspace, platform_of, require_lab

Document = dict[str, Any]


class _Definition(dict[str, Any]):
    """A mapping of a definition: a key that it lacks was unknown to the version that generated it."""

    def __missing__(self, key: str) -> Any:
        raise _other_version(f"they have no '{key}'")


class _Loader(yaml.CSafeLoader):
    """Loads definitions."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[_Definition]:
    found = _Definition()
    yield found
    found.update({str(key): value for key, value in loader.construct_mapping(node).items()})


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)

# environments/ENV/COURSE/LAB/lxd/SEAT.yaml
SEAT_DEPTH = 6
OPERATION = {"life": ("active", "destroyed"), "power": ("running", "stopped"), "internet": ("spec", "none")}


@dataclass(frozen=True)
class Operation:
    """What the operators of a lab decided: it is intent too, and no later run undoes it."""

    life: Literal["active", "destroyed"] = "active"
    power: Literal["running", "stopped"] = "running"
    internet: Literal["spec", "none"] = "spec"


@dataclass(frozen=True)
class Deployment:
    """The committed definitions of a lab in one environment. `commit` is where they were read."""

    lab: str
    platform: Platform
    commit: str
    tree: Mapping[str, bytes]
    shared: Document
    seats: Mapping[str, Document]
    operation: Operation
    release: Document | None
    # The nodes of the lab's own Kubernetes cluster: a seat that is nobody's copy of the lab.
    cluster: Document | None = None

    @property
    def environment(self) -> str:
        """`dev` or `prod`."""
        return self.platform.environment

    @property
    def scope(self) -> Scope:
        """What names and markers are made from; from the definitions, so that a changed platform file moves nothing."""
        installation, environment, course, lab, _ = self.shared["marker"].split("/")
        return Scope(installation, environment, course, lab)

    @property
    def desktops(self) -> list[str]:
        """The machines that have a desktop."""
        return list(self.shared.get("desktops", ()))

    @property
    def digest(self) -> str:
        """The digest of the committed folder."""
        return tree_digest(self.tree)

    @property
    def cluster_name(self) -> str | None:
        """The name of the cluster that the lab uses: as in the platform file, or its own; None for a lab without."""
        cluster = str((self.shared.get("kubernetes") or {}).get("cluster", ""))
        if cluster.startswith(EXISTING):
            return cluster.removeprefix(EXISTING)
        return self.scope.project if cluster else None

    @property
    def documents(self) -> Iterable[Document]:
        """All seats' definitions, with that of the lab's own cluster."""
        return [*self.seats.values(), *([self.cluster] if self.cluster else ())]

    def document(self, seat: str) -> Document:
        """Return the definitions of a seat, the lab's own cluster among them. Raises KeyError."""
        return self.cluster if self.cluster and seat == CLUSTER else self.seats[seat]

    @cached_property
    def kubernetes(self) -> dict[str, bytes]:
        """The committed files for Kustomize, by path below `kubernetes`."""
        folder = f"{lab_folder(self.environment, self.lab)}/kubernetes/"
        return {path.removeprefix(folder): data for path, data in self.tree.items() if path.startswith(folder)}

    def file(self, sha256: str) -> bytes:
        """Return a static file's bytes."""
        return self.tree[f"{lab_folder(self.environment, self.lab)}/lxd/files/{sha256}"]


def load_deployment(
    workspace: Workspace, lab: str, environment: str, commit: str = "HEAD", *, with_seats: bool = True
) -> Deployment:
    """Read a lab's committed definitions. Raises UnavailableError when there are none.

    Without seats, `seats` is empty and their files are only counted into the digest: enough to compare many labs.
    """
    repository = workspace.repository
    sources = repository.sources(commit)
    folder = lab_folder(environment, lab)
    tree = repository.committed(folder, commit)
    if f"{folder}/lxd/shared.yaml" not in tree:
        raise _nothing_committed(workspace, lab, environment)
    documents = read_documents(tree if with_seats else {path: tree[path] for path in (f"{folder}/lxd/shared.yaml",)})
    release = tree.get(f"{folder}/release.json")
    return Deployment(
        lab=lab,
        platform=platform_of(sources, environment),
        commit=commit if commit != "HEAD" else repository.head(),
        tree=tree,
        shared=documents.pop("shared"),
        cluster=documents.pop(CLUSTER, None),
        seats=documents,
        operation=read_operation(tree.get(f"{folder}/operation.yaml")),
        release=_read_release(release) if release else None,
    )


def read_documents(tree: Mapping[str, bytes]) -> dict[str, Document]:
    """Return the definitions of a lab's folder: `shared`, and one a seat. Raises InputError for what is none."""
    return {_seat_name(path): _read_definition(path, tree[path]) for path in tree if _is_seat(path)}


def _read_definition(path: str, data: bytes) -> Document:
    try:
        # The loader is a safe one: it makes mappings, lists and plain values.
        content = yaml.load(data, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise InputError(f"{path} is no YAML", details=str(error), resolution="take the version of main") from error
    if not isinstance(content, _Definition):
        raise InputError(f"{path} is no definition", resolution="take the version of main")
    if content.get("format") != FORMAT:
        raise _other_version(f"{path} has format {content.get('format')}, this version reads {FORMAT}")
    return content


def _other_version(why: str) -> InputError:
    return InputError(
        "the definitions were generated by another version of Practicum; nothing was done",
        details=why,
        resolution="practicum generate LAB, then git commit; or practicum pipeline LAB, which does both and promotes",
    )


def require_seats(deployment: Deployment, seats: Iterable[str]) -> None:
    """Raise InputError, naming those that there are, for seats that the lab has not."""
    unknown = sorted(set(seats) - set(deployment.seats))
    if unknown:
        known = ", ".join(sorted(deployment.seats))
        raise InputError(f"no such seat: {', '.join(unknown)}", resolution=f"seats are: {known}", exit_code=2)


def read_operation(data: bytes | None) -> Operation:
    """Read operation.yaml; the defaults when there is none. Raises InputError for what it cannot mean."""
    try:
        content = (yaml.safe_load(data) if data else None) or {}
    except yaml.YAMLError as error:
        raise InputError("operation.yaml is no YAML", details=str(error)) from error
    if not isinstance(content, dict):
        raise InputError("operation.yaml has no keys", resolution="take the version of main")
    for key, value in content.items():
        if value not in OPERATION.get(key, ()):
            raise InputError(
                f"operation.yaml says '{key}: {value}', which means nothing",
                resolution="; ".join(f"{name}: {' or '.join(words)}" for name, words in OPERATION.items()),
            )
    return Operation(**content)


def operation_file(environment: str, lab: str, operation: Operation) -> dict[str, bytes]:
    """Return operation.yaml by its path."""
    text = "# Written by practicum start, stop, exam and destroy. No later run undoes it.\n" + dump(asdict(operation))
    return {f"{lab_folder(environment, lab)}/operation.yaml": text.encode()}


def committed_release(workspace: Workspace, lab: str, environment: str) -> Document | None:
    """Return the release.json that is committed for a lab in an environment, None when there is none."""
    folder = lab_folder(environment, lab)
    data = workspace.repository.committed(folder).get(f"{folder}/release.json")
    return _read_release(data) if data else None


def release_file(environment: str, lab: str, release: Mapping[str, Any]) -> dict[str, bytes]:
    """Return release.json by its path. Raises InputError for what no release may be."""
    _require_release(release)
    text = json.dumps({"_generated": "written by practicum; do not edit", **release}, indent=2, ensure_ascii=False)
    return {f"{lab_folder(environment, lab)}/release.json": (text + "\n").encode()}


def _read_release(data: bytes) -> Document:
    try:
        content = json.loads(data)
    except ValueError as error:
        raise InputError(
            "release.json is no JSON", details=str(error), resolution="take the version of main"
        ) from error
    return _require_release(content)


def _require_release(content: Any) -> Document:
    if problems := release_problems(content):
        details = "\n".join(problems)
        raise InputError("release.json is none of Practicum's", details=details, resolution="take the version of main")
    return dict(content)


def _is_seat(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == SEAT_DEPTH and parts[4] == "lxd" and path.endswith(".yaml")


def _seat_name(path: str) -> str:
    return path.rsplit("/", 1)[1].removesuffix(".yaml")


def _nothing_committed(workspace: Workspace, lab: str, environment: str) -> UnavailableError | InputError:
    sources = workspace.repository.sources(None)
    # A lab whose spec is gone may still have machines.
    if not any(sources.files(lab_folder(other, lab)) for other in ENVIRONMENTS):
        require_lab(sources, lab)
    if environment == "prod":
        return UnavailableError(
            f"{lab} was never promoted to prod",
            resolution=f"practicum pipeline {lab}; or practicum checkpoint {lab}, then practicum promote {lab}",
        )
    return UnavailableError(
        f"there are no committed definitions of {lab}",
        resolution=f"practicum generate {lab}, then git commit; or practicum pipeline {lab}, which does both",
    )
