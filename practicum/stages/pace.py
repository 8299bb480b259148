"""How long a lab takes to be ready: measured whenever its seats are made, kept on its LXD project."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict
from practicum.lxd.plan import Plan
from practicum.lxd.projects import change_config

KEY = "user.practicum.pace"
# Where nothing was measured: ten times what a seat of one Debian machine took on two cores.
DEFAULT_SECONDS = 10.0
# Golden machines, the first network, the smoke test: what is there once, however small the class.
ONCE = timedelta(minutes=5)
# A host is not always as idle as when it was measured.
CAUTION = 2.0


@dataclass(frozen=True)
class Pace:
    """Seconds that a seat takes; `measured` is False for the default."""

    seconds: float = DEFAULT_SECONDS
    measured: bool = False

    def estimate(self, seats: int) -> timedelta:
        """Return how long a class takes to be ready, whole seconds, on the safe side."""
        factor = CAUTION if self.measured else 1
        return ONCE + timedelta(seconds=math.ceil(self.seconds * factor * seats))


def read_pace(config: Mapping[str, str]) -> Pace:
    """Return the pace that a project's config records, else the default."""
    try:
        return Pace(float(json.loads(config[KEY])["seconds_per_seat"]), measured=True)
    except (KeyError, ValueError, TypeError):
        return Pace()


def record_pace(lxd: Lxd, project: str, todo: Plan, seconds: float) -> None:
    """Record how long the seats took that a run has made. A run that made no machine measures nothing."""
    made = {action.seat for action in todo.actions if (action.verb, action.kind) == ("create", "instance")}
    if not made:
        return
    pace = json.dumps({"seconds_per_seat": round(seconds / len(made), 2), "seats": len(made)})
    # A beat of the lease at the same moment wins: the next run measures again.
    with suppress(LxdConflict):
        found, etag = lxd.get_with_etag("projects", project)
        change_config(lxd, project, found["config"], {KEY: pace}, etag)
