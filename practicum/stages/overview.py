"""Every lab of a repository at a glance: what was committed, what runs, what was delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.generate import find_labs
from generator.seats.names import PILOT
from generator.spec.platform import ENVIRONMENTS
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.generate import abandoned
from practicum.stages.provision import DELIVERED
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class LabState:
    """A lab in an environment; words are for people. `running` counts whole seats, None when LXD does not answer."""

    lab: str
    environment: str
    seats: int = 0
    running: int | None = None
    release: str = ""
    power: str = ""
    delivered: str = ""
    problem: str = ""


def overview(workspace: Workspace) -> list[LabState]:
    """Return every lab in every environment that it was committed to; one row without environment for a mere spec."""
    sources = workspace.repository.sources(None)
    labs = sorted({*find_labs(sources), *(one.lab for one in abandoned(sources))})
    return [row for lab in labs for row in _of_lab(workspace, lab)]


def next_step(rows: Sequence[LabState]) -> str:
    """Return what to do now, in one line."""
    waiting = next((row.lab for row in rows if not row.seats and not row.problem), None)
    if not rows:
        return "no labs here yet; next: practicum new COURSE/LAB"
    if waiting:
        return f"next: practicum pipeline {waiting}"
    return f"more of one: practicum status {rows[0].lab} --env {rows[0].environment or 'dev'}"


def _of_lab(workspace: Workspace, lab: str) -> list[LabState]:
    rows = [row for name in ENVIRONMENTS if (row := _of_environment(workspace, lab, name))]
    return rows or [LabState(lab, "", power="not generated and committed yet")]


def _of_environment(workspace: Workspace, lab: str, environment: str) -> LabState | None:
    try:
        deployment = load_deployment(workspace, lab, environment)
    except UnavailableError:
        return None
    except PracticumError as error:
        return LabState(lab, environment, power="unreadable", problem=f"{lab}: {error.message}; {error.resolution}")
    row = _as_committed(deployment)
    try:
        return _as_seen(row, deployment, workspace.lxd(deployment.platform))
    except PracticumError as error:
        return replace(row, problem=f"{error.message}; {error.resolution}")


def _as_committed(deployment: Deployment) -> LabState:
    operation, release = deployment.operation, deployment.release or {}
    power = "destroyed" if operation.life == "destroyed" else operation.power
    pins = f"release {release['release']}" if "release" in release else f"checkpoint {release.get('checkpoint')}"
    return LabState(
        deployment.lab,
        deployment.environment,
        sum(name != PILOT for name in deployment.seats),
        release=pins if release else "none yet",
        power=power + (", internet off" if operation.internet == "none" else ""),
        delivered="unknown",
    )


def _as_seen(row: LabState, deployment: Deployment, lxd: Lxd) -> LabState:
    name = deployment.scope.project
    project = lxd.find("projects", name)
    if project is None:
        return replace(row, running=0, delivered="nothing on LXD")
    instances = lxd.get("instances", project=name, recursion=1)
    running = {entry["name"] for entry in instances if entry["status"] == "Running"}
    whole = sum(_runs(seat, running) for name, seat in deployment.seats.items() if name != PILOT)
    return replace(row, running=whole, delivered=_delivered(project["config"], deployment))


def _runs(seat: Mapping[str, Any], running: set[str]) -> bool:
    return all(entry["name"] in running for entry in seat["instances"])


def _delivered(config: Mapping[str, str], deployment: Deployment) -> str:
    digest = config.get(DELIVERED)
    if digest is None:
        return "never whole"
    return "what is committed" if digest == deployment.digest else "an older commit"
