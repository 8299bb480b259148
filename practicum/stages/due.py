"""Which labs differ from what was last delivered: what a pipeline starts from, however many triggers it missed.

The last stage of an environment notes on the LXD project what it finished. What is committed and what was finished are
compared, never what changed between two commits: so nothing is lost by a run that was killed, skipped or merged with
another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from generator.generate import find_labs
from generator.render.tree import lab_folder
from generator.spec.platform import ENVIRONMENTS
from practicum.errors import PracticumError
from practicum.lxd.projects import note
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.wishes import read_wishes
from practicum.stages.workspace import Workspace

FINISHED = "user.practicum.finished"
Why = Literal["never finished", "the definitions changed", "another checkpoint", "unknown"]


@dataclass(frozen=True)
class Due:
    """A lab whose committed state in an environment is not the one that was finished last; `error`: nobody knows."""

    lab: str
    environment: str
    why: Why
    commit: str = ""
    error: PracticumError | None = None


def due(workspace: Workspace, labs: Sequence[str] = (), environments: Sequence[str] = tuple(ENVIRONMENTS)) -> list[Due]:
    """Return what is due on origin's main: dev before prod, the named labs or all.

    Stopped and destroyed labs are not, and neither is a class whose seats wait for a time that somebody chose.
    """
    workspace.repository.synchronise()
    chosen = labs or find_labs(workspace.repository.sources("HEAD"))
    return [one for environment in environments for lab in chosen for one in _of(workspace, lab, environment)]


def note_finished(workspace: Workspace, deployment: Deployment) -> None:
    """Note that the last stage of an environment ended well with these definitions."""
    note(workspace.lxd(deployment.platform), deployment.scope.project, {FINISHED: _state(deployment)})


def _of(workspace: Workspace, lab: str, environment: str) -> Iterator[Due]:
    shared = f"{lab_folder(environment, lab)}/lxd/shared.yaml"
    if workspace.repository.sources("HEAD").status(shared) != "file":
        return  # never generated, or never promoted: there is nothing to be delivered
    try:
        deployment = load_deployment(workspace, lab, environment, with_seats=False)
        found = workspace.lxd(deployment.platform).find("projects", deployment.scope.project)
    except PracticumError as error:
        yield Due(lab, environment, "unknown", error=error)
        return
    if (why := _why(deployment, found["config"] if found else {})) is not None:
        yield Due(lab, environment, why, deployment.commit)


def _why(deployment: Deployment, config: Mapping[str, str]) -> Why | None:
    operation, finished = deployment.operation, config.get(FINISHED, "")
    if operation.life == "destroyed" or operation.power == "stopped" or finished == _state(deployment):
        return None
    if any(wish.release == (deployment.release or {}).get("release") for wish in read_wishes(config)):
        return None
    if not finished:
        return "never finished"
    return "another checkpoint" if finished.split()[0] == deployment.digest else "the definitions changed"


def _state(deployment: Deployment) -> str:
    """Return what is committed, in words: the digest of the definitions, and what release.json pins."""
    release = deployment.release or {}
    kind = "release" if "release" in release else "checkpoint"
    return f"{deployment.digest} {kind} {release.get(kind, 0)}"
