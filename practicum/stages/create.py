"""The one-line start: a machine of a type, added to a scratch lab, generated and deployed in dev."""

from dataclasses import dataclass
from pathlib import Path

from generator.spec.units import parse_size
from practicum.errors import InputError, UsageError
from practicum.git.repository import Repository
from practicum.stages.init import init
from practicum.stages.pipeline import commit_lab
from practicum.stages.provision import Provisioned, provision
from practicum.stages.status import MachineStatus, status
from practicum.stages.workspace import Workspace

SCRATCH = "scratch/machines"
REPOSITORY = Path("practicum-labs")
HEAD = """\
# yaml-language-server: $schema=../../schemas/lab.schema.json
version: 1
title: Scratch machines
description: Made by 'practicum create'. Edit it like any other lab.
students: 1
machines:
"""


@dataclass(frozen=True)
class Wish:
    """What somebody asked for; None means the type's default. Sizes as specs write them."""

    type: str
    name: str | None = None
    cpu: int | None = None
    memory: str | None = None
    disk: str | None = None


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
    """Add a machine to a lab's spec, commit, generate, and deploy it in dev."""
    _require_type(workspace, wish)
    path = workspace.repository.root / f"labs/{lab}.lab.yaml"
    before = path.read_text(encoding="utf-8") if path.exists() else HEAD
    name, after = _added(before, wish)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(after, encoding="utf-8")
    try:
        commit_lab(workspace, lab)
    except InputError:
        _put_back(path, before)
        raise
    provisioned = provision(workspace, lab, "dev")
    rows = [row for row in status(workspace, lab, "dev") if row.machine == name and row.seat == "prof"]
    return Created(rows[0], provisioned)


def _require_type(workspace: Workspace, wish: Wish) -> None:
    offered = {name: entry for name, entry in workspace.catalogue.items() if not entry.hidden}
    if wish.type not in offered:
        raise InputError(f"unknown type '{wish.type}'", resolution=f"types are: {', '.join(offered)}", exit_code=2)
    for size in (wish.memory, wish.disk):
        try:
            parse_size(size or "1GiB")
        except ValueError as error:
            raise InputError(
                f"'{size}' is not a size", resolution="write it like 512MiB or 2GiB", exit_code=2
            ) from error


def _added(text: str, wish: Wish) -> tuple[str, str]:
    """Return the machine's name and the spec with it as the last entry of `machines:`, which ends the file."""
    lines = text.rstrip().splitlines()
    start = next((number for number, line in enumerate(lines) if line.rstrip() == "machines:"), None)
    if start is None or any(line and not line.startswith((" ", "#")) for line in lines[start + 1 :]):
        raise UsageError(
            "this lab's spec was edited by hand, so a machine cannot be added to its end safely",
            resolution="add it under 'machines:' in the spec, then practicum pipeline LAB",
        )
    taken = {line.strip().split(":")[0] for line in lines[start + 1 :]}
    name = wish.name or _free_name(wish.type, taken)
    if name in taken:
        raise UsageError(f"there is a machine '{name}' already", resolution="choose another with --name")
    keys = {"type": wish.type, "cpu": wish.cpu, "memory": wish.memory, "disk": wish.disk}
    entry = ", ".join(f"{key}: {value}" for key, value in keys.items() if value is not None)
    return name, "\n".join([*lines, f"  {name}: {{{entry}}}", ""])


def _free_name(base: str, taken: set[str]) -> str:
    number = 1
    while (name := base if number == 1 else f"{base}{number}") in taken:
        number += 1
    return name


def _put_back(path: Path, text: str) -> None:
    if text == HEAD:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
