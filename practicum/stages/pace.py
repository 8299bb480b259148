"""How long a lab takes to be ready: measured whenever its seats are made, kept on its LXD project.

Where LXD is not asked, or no class was made yet, a release tells how long its pilot took.
"""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict
from practicum.lxd.plan import Plan, Verb
from practicum.lxd.projects import change_config
from practicum.parallel import worker_count
from practicum.stages.deployment import Deployment
from practicum.stages.releases import pilot_of, releases
from practicum.stages.workspace import Workspace

KEY = "user.practicum.pace"
# The same of systems that a delivery replaces.
REPLACED = "user.practicum.pace.replaced"
# Where nothing was measured: ten times what a seat of one Debian machine took on two cores.
DEFAULT_SECONDS = 10.0
# Golden machines, the first network, the smoke test: what is there once, however small the class.
ONCE = timedelta(minutes=5)
# A host is not always as idle as when it was measured.
CAUTION = 2.0


@dataclass(frozen=True)
class Pace:
    """Seconds that a seat takes, measured of so many seats; of none for the default."""

    seconds: float = DEFAULT_SECONDS
    seats: int = 0

    @property
    def measured(self) -> bool:
        """Whether it was ever measured."""
        return self.seats > 0

    def estimate(self, seats: int) -> timedelta:
        """Return how long a class takes to be ready, whole seconds, on the safe side."""
        factor = CAUTION if self.measured else 1
        return ONCE + timedelta(seconds=math.ceil(self.seconds * factor * seats))

    def expected(self, seats: int) -> str:
        """Return in words how long so many seats take, `expected 2 min 10 s`; empty when that was never measured."""
        whole = math.ceil(self.seconds * seats)
        minutes = f"{whole // 60} min " if whole >= 60 else ""
        return f"expected {minutes}{whole % 60} s" if self.measured and seats else ""


def read_pace(config: Mapping[str, str], key: str = KEY) -> Pace:
    """Return the pace that a project's config records, else the default."""
    try:
        found = json.loads(config[key])
        return Pace(float(found["seconds_per_seat"]), int(found["seats"]))
    except (KeyError, ValueError, TypeError):
        return Pace()


def pilot_pace(workspace: Workspace, lab: str) -> Pace:
    """Return the pace that git knows: that of the newest pilot whose time was taken, else the default.

    As many seats are made at once as where the pilot was made, each as long as it.
    """
    pilot = pilot_of(releases(workspace, lab))
    return Pace(pilot["seconds"] / pilot["at_once"], seats=1) if pilot else Pace()


def expected(workspace: Workspace, deployment: Deployment, lxd: Lxd, todo: Plan) -> str:
    """Return in words how long the seats of a plan take that are made, as their kind did before; empty if unknown.

    Where no class was made yet, the pilot tells. What the professor's copy takes tells its own record only.
    """
    seats = len(_seats(todo, "create"))
    found = lxd.find("projects", deployment.scope.project)
    pace = read_pace(found["config"]) if found else Pace()
    if not pace.measured and deployment.environment == "prod":
        pace = pilot_pace(workspace, deployment.lab)
    return pace.expected(seats)


def record_pace(lxd: Lxd, project: str, todo: Plan, seconds: float) -> None:
    """Record how long the seats took that a run has made, or given a new system. Other runs measure nothing.

    A run of fewer seats than are worked on at once says little of a class: what more seats told stays.
    """
    made, replaced = _seats(todo, "create"), _seats(todo, "switch")
    if bool(made) == bool(replaced):
        return
    key, count = (KEY, len(made)) if made else (REPLACED, len(replaced))
    pace = json.dumps({"seconds_per_seat": round(seconds / count, 2), "seats": count})
    # A beat of the lease at the same moment wins: the next run measures again.
    with suppress(LxdConflict):
        found, etag = lxd.get_with_etag("projects", project)
        if count >= min(worker_count(), read_pace(found["config"], key).seats):
            change_config(lxd, project, found["config"], {key: pace}, etag)


def _seats(todo: Plan, verb: Verb) -> set[str]:
    return {action.seat for action in todo.actions if (action.verb, action.kind) == (verb, "instance")}
