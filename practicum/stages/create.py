"""The one-line start: a machine of a type, added to a scratch lab, generated and deployed in dev."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.edit.changes import EditRefused
from generator.edit.editor import read
from generator.edit.lab import add_machine
from generator.render.tree import spec_path
from generator.spec.units import parse_size
from practicum.errors import InputError, UsageError
from practicum.git.repository import Repository
from practicum.stages.init import init
from practicum.stages.pipeline import commit_lab
from practicum.stages.provision import Provisioned, provision
from practicum.stages.status import MachineStatus, status
from practicum.stages.workspace import InvalidInput, Workspace

SCRATCH = "scratch/machines"
REPOSITORY = Path("practicum-labs")
HEAD = b"""\
# yaml-language-server: $schema=../../schemas/lab.schema.json
version: 1
title: Scratch machines
description: Made by 'practicum create'. Edit it like any other lab.
students: 1
"""


@dataclass(frozen=True)
class Wish:
    """What somebody asked for; None means the type's default. Sizes as specs write them."""

    type: str
    name: str | None = None
    cpu: int | None = None
    memory: str | None = None
    disk: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Created:
    """A new machine and how it stands."""

    machine: MachineStatus
    provisioned: Provisioned


def workspace_for_create(folder: Path) -> Workspace:
    """Return the workspace of a folder; on a blank machine a repository is made there first."""
    try:
        return Workspace.open(folder)
    except UsageError:
        target = folder / REPOSITORY
        if not target.exists():
            init(target)
        return Workspace(Repository.open(target))


def create(workspace: Workspace, wish: Wish, lab: str = SCRATCH) -> Created:
    """Add a machine to a lab's spec, commit, generate, and deploy it in dev.

    Raises UsageError for an unknown type or a name that is taken, InputError for a spec that has errors or cannot be
    edited; then the spec is as it was.
    """
    require_types(workspace, wish.type)
    require_sizes(wish.memory, wish.disk)
    name, changes = with_machine(workspace, wish, lab)
    provisioned = deploy(workspace, lab, changes)
    rows = [row for row in status(workspace, lab, "dev") if row.machine == name and row.seat == "prof"]
    return Created(rows[0], provisioned)


def with_machine(workspace: Workspace, wish: Wish, lab: str, begin: bytes = HEAD) -> tuple[str, dict[str, bytes]]:
    """Return a new machine's name, and the lab's spec with it; a lab that is new begins with `begin`. No effects.

    Raises UsageError for a name that is taken, InputError for a spec that cannot be edited.
    """
    spec = spec_path(lab)
    path = workspace.repository.root / spec
    with refusals(workspace, spec):
        name, after = added(path.read_bytes() if path.exists() else begin, wish, spec)
    return name, {spec: after}


def deploy(
    workspace: Workspace, lab: str, changes: Mapping[str, bytes], by: str = "", *, agreed: bool = False
) -> Provisioned:
    """Write files of a lab, commit, generate, and deploy it in dev. For a bad spec all is as it was.

    `by` is the login of who wants it, for the commit; `agreed` answers yes to what `provision` asks first.
    """
    root = workspace.repository.root
    before = {path: (root / path).read_bytes() if (root / path).exists() else None for path in changes}
    workspace.repository.write(dict(changes))
    try:
        commit_lab(workspace, lab, by)
    except InputError:
        workspace.repository.write(before)
        raise
    return provision(workspace, lab, "dev", agreed=agreed)


def require_types(workspace: Workspace, *types: str) -> None:
    """Raise InputError for a type that is not offered."""
    offered = [name for name, entry in workspace.catalogue.items() if not entry.hidden]
    for type in types:
        if type not in offered:
            raise InputError(f"unknown type '{type}'", resolution=f"types are: {', '.join(offered)}", exit_code=2)


def require_sizes(*sizes: str | None) -> None:
    """Raise InputError for what is no size; None is a default."""
    for size in sizes:
        try:
            parse_size(size or "1GiB")
        except ValueError as error:
            raise InputError(
                f"'{size}' is not a size", resolution="write it like 512MiB or 2GiB", exit_code=2
            ) from error


def added(text: bytes, wish: Wish, spec: str) -> tuple[str, bytes]:
    """Return the machine's name and the spec with it, the last one of its machines. Raises EditRefused, UsageError."""
    keys = {"type": wish.type, "kind": wish.kind, "cpu": wish.cpu, "memory": wish.memory, "disk": wish.disk}
    machine = {key: value for key, value in keys.items() if value is not None}
    taken = _machines(read(text, spec).data)
    name = wish.name or _free_name(wish.type, taken)
    if name in taken:
        raise UsageError(f"there is a machine '{name}' already", resolution="choose another with --name")
    return name, add_machine(text, name, machine, spec)


@contextmanager
def refusals(workspace: Workspace, spec: str) -> Iterator[None]:
    """Raise InputError, with the lines of the spec, for an edit that is refused."""
    try:
        yield
    except EditRefused as refused:
        if refused.diagnostics:
            raise InvalidInput(refused.diagnostics, workspace.repository.root) from refused
        raise InputError(
            f"no machine can be added to {spec}: {refused.message}",
            resolution="add it under 'machines:' in the spec, then practicum pipeline LAB",
        ) from refused


def _machines(data: Any) -> set[str]:
    machines = data.get("machines") if isinstance(data, dict) else None
    return set(machines) if isinstance(machines, dict) else set()


def _free_name(base: str, taken: set[str]) -> str:
    number = 1
    while (name := base if number == 1 else f"{base}{number}") in taken:
        number += 1
    return name
