"""A lab in one environment as it is committed: the only thing that provisioning reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import yaml

from generator.render.tree import lab_folder, tree_digest
from generator.render.yaml_text import dump
from generator.seats.names import Scope
from generator.spec.platform import Platform
from practicum.errors import InputError, UnavailableError
from practicum.stages.workspace import Workspace, platform_of, require_lab

Document = dict[str, Any]


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
    def digest(self) -> str:
        """The digest of the committed folder."""
        return tree_digest(self.tree)

    def file(self, sha256: str) -> bytes:
        """Return a static file's bytes."""
        return self.tree[f"{lab_folder(self.environment, self.lab)}/lxd/files/{sha256}"]


def load_deployment(workspace: Workspace, lab: str, environment: str, commit: str = "HEAD") -> Deployment:
    """Read a lab's committed definitions. Raises UnavailableError when there are none."""
    repository = workspace.repository
    sources = repository.sources(commit)
    folder = lab_folder(environment, lab)
    tree = repository.committed(folder, commit)
    if f"{folder}/lxd/shared.yaml" not in tree:
        raise _nothing_committed(workspace, lab, environment)
    documents = {_seat_name(path): yaml.load(tree[path], Loader=yaml.CSafeLoader) for path in tree if _is_seat(path)}
    release = tree.get(f"{folder}/release.json")
    return Deployment(
        lab=lab,
        platform=platform_of(sources, environment),
        commit=commit if commit != "HEAD" else repository.head(),
        tree=tree,
        shared=documents.pop("shared"),
        seats=documents,
        operation=read_operation(tree.get(f"{folder}/operation.yaml")),
        release=_read_release(release) if release else None,
    )


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


def release_file(environment: str, lab: str, release: Mapping[str, Any]) -> dict[str, bytes]:
    """Return release.json by its path."""
    text = json.dumps({"_generated": "written by practicum; do not edit", **release}, indent=2, ensure_ascii=False)
    return {f"{lab_folder(environment, lab)}/release.json": (text + "\n").encode()}


def _read_release(data: bytes) -> Document:
    try:
        content = json.loads(data)
    except ValueError as error:
        raise InputError(
            "release.json is no JSON", details=str(error), resolution="take the version of main"
        ) from error
    if not isinstance(content, dict):
        raise InputError("release.json is no JSON object", resolution="take the version of main")
    return content


def _is_seat(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == SEAT_DEPTH and parts[4] == "lxd" and path.endswith(".yaml")


def _seat_name(path: str) -> str:
    return path.rsplit("/", 1)[1].removesuffix(".yaml")


def _nothing_committed(workspace: Workspace, lab: str, environment: str) -> UnavailableError | InputError:
    require_lab(workspace.repository.sources(None), lab)
    if environment == "prod":
        return UnavailableError(
            f"{lab} was never promoted to prod", resolution=f"practicum checkpoint {lab}, then practicum promote {lab}"
        )
    return UnavailableError(
        f"there are no committed definitions of {lab}",
        resolution=f"practicum generate {lab}, then git commit; or practicum pipeline {lab}, which does both",
    )
