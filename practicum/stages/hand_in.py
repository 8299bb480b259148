"""What is due of whom: the work of each student is collected once, when the own due time is over.

That it was is recorded on the lab's LXD project, and in the folder that it was collected in.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from generator.seats.names import is_student
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.lock import lease
from practicum.lxd.projects import change_config
from practicum.stages.class_list import class_list
from practicum.stages.collect import collect, default_folder
from practicum.stages.collection import opened
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

# The due times that were collected, by seat, as JSON on the LXD project.
COLLECTED = "user.practicum.collected"


def due_seats(
    workspace: Workspace, deployment: Deployment, config: Mapping[str, str], due: datetime | None, now: datetime
) -> dict[str, str]:
    """Return the students whose due time is over and whose work was not collected for it, with that time.

    `config` is that of the lab's LXD project. Raises InputError when the spec on main has errors.
    """
    if due is None or now < due:
        return {}
    done = collected(config)
    people = class_list(workspace, deployment.lab)
    times = {seat: (person.extended or due) for seat, person in people.items()}
    wanted = {seat: times.get(seat, due) for seat in sorted(deployment.seats) if is_student(seat)}
    return {
        seat: time.isoformat() for seat, time in wanted.items() if now >= time and done.get(seat) != time.isoformat()
    }


def collect_due(workspace: Workspace, lxd: Lxd, deployment: Deployment, due: Mapping[str, str], now: datetime) -> str:
    """Collect the work of seats that is due, record it, and say what was done. Raises PracticumError for failures."""
    folder = default_folder(workspace, deployment.lab)
    with opened(folder, deployment.lab) as collection:
        missing = {seat: time for seat, time in due.items() if collection.due_of(seat) != time}
    failed: Mapping[str, PracticumError] = {}
    if missing:
        failed = collect(workspace, deployment.lab, folder, now, due=missing).failed
    _record(lxd, deployment.scope.project, {seat: time for seat, time in due.items() if seat not in failed})
    if failed:
        raise PracticumError(
            f"the work of {len(failed)} of {len(due)} students could not be collected",
            details="\n".join(f"{seat}: {error.message} {error.details}".strip() for seat, error in failed.items()),
            resolution="the next run of the schedule tries again",
        )
    return f"collected the work of {len(due)} students in {folder}"


def collected(config: Mapping[str, str]) -> dict[str, Any]:
    """Return for which due time each seat's work was collected, from the config of the lab's LXD project."""
    return dict(json.loads(config.get(COLLECTED) or "{}"))


def _record(lxd: Lxd, project: str, times: Mapping[str, str]) -> None:
    with lease(lxd, project):
        found, etag = lxd.get_with_etag("projects", project)
        text = json.dumps({**collected(found["config"]), **times}, sort_keys=True)
        change_config(lxd, project, found["config"], {COLLECTED: text}, etag)
