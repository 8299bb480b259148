"""The steps that people see of a job, and which of them an event belongs to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from practicum.events import Event

__all__ = ["STEPS", "JobKind", "cell_state", "step_of"]

JobKind = Literal[
    "create",
    "edit",
    "checks",
    "checkpoint",
    "deploy",
    "restart",
    "reset",
    "start_over",
    "progress",
    "snapshot",
    "restore",
    "update",
    "stop",
    "start",
    "exam_on",
    "exam_off",
]
CellState = Literal["waiting", "making", "starting", "checking", "ready", "failed"]

STEPS: Mapping[JobKind, tuple[str, ...]] = MappingProxyType(
    {
        "create": ("spec", "image", "network", "machine", "start", "ready"),
        "edit": ("spec", "copy_follows"),
        "checks": ("checks",),
        "checkpoint": ("copy", "trial", "checks", "release"),
        "deploy": ("release", "machines", "checks"),
        "restart": ("restart",),
        "reset": ("keep", "system"),
        "start_over": ("keep", "system"),
        "progress": ("progress",),
        "snapshot": ("snapshot",),
        "restore": ("restore", "start"),
        "update": ("system", "checks"),
        **{kind: (kind,) for kind in ("stop", "start", "exam_on", "exam_off")},
    }
)
_PROVISION = {
    **dict.fromkeys(("create project", "create acl", "create profile", "create network"), "network"),
    **dict.fromkeys(("create volume", "create instance", "seed volume"), "machine"),
    "start instance": "start",
    "complete instance": "ready",
}
_BY_STAGE: Mapping[JobKind, Mapping[str, str]] = {
    "create": {"validate": "spec", "generate": "spec", "images": "image"},
    "edit": {"validate": "spec", "generate": "spec", "images": "copy_follows", "provision": "copy_follows"},
    "checks": {"smoke": "checks"},
    "checkpoint": {"checkpoint": "copy", "provision": "trial", "images": "trial", "smoke": "checks"},
    "deploy": {"promote": "release", "deliver": "machines", "provision": "machines", "smoke": "checks"},
    "restart": {},
    "reset": {"provision": "system"},
    "start_over": {"provision": "system"},
    "progress": {},
    "snapshot": {},
    "restore": {"provision": "start"},
    "update": {"provision": "system", "smoke": "checks"},
    **{kind: {} for kind in ("stop", "start", "exam_on", "exam_off")},
}
_CELLS: Mapping[tuple[str, str], CellState] = {
    ("provision", "started"): "making",
    ("provision", "done"): "checking",
    ("provision", "failed"): "failed",
    ("smoke", "started"): "checking",
    ("smoke", "done"): "ready",
    ("smoke", "failed"): "failed",
}


def step_of(kind: JobKind, event: Event) -> str | None:
    """Return the step of a job that an event belongs to, None for one that belongs to no step."""
    if kind == "create" and event.stage == "provision":
        return _PROVISION.get(event.step)
    if kind == "checkpoint" and event.stage == "checkpoint" and event.detail.startswith("release "):
        return "release"
    return _BY_STAGE[kind].get(event.stage)


def cell_state(event: Event) -> CellState | None:
    """Return what an event says of the machines of a student, None when it says nothing of them."""
    if event.step == "start instance":
        return "starting"
    return _CELLS.get((event.stage, event.state))
