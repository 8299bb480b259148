"""How far the students are: the progress checks of a lab, each tried once at every seat of the class."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from generator.seats.names import is_student
from practicum.probes.model import ProbeResult, SeatView
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.smoke import SEATS_AT_ONCE, checker, require_running, running_seats, seat_views
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Progress:
    """The progress checks of a lab with their points, and what each student's seat showed."""

    points: Mapping[str, int]
    results: Mapping[str, tuple[ProbeResult, ...]]

    def score(self, seat: str) -> int:
        """Return the points that a seat has earned."""
        return sum(self.points[result.name] for result in self.results[seat] if result.ok)


def progress(workspace: Workspace, lab: str, seats: Sequence[str] = ()) -> Progress:
    """Run the progress checks at the named seats of the class, or at every running student's."""
    deployment = load_deployment(workspace, lab, "prod")
    require_running(deployment)
    students = [seat for seat in running_seats(deployment) if is_student(seat)]
    return progress_of(workspace, deployment, seats or students)


def progress_of(workspace: Workspace, deployment: Deployment, seats: Sequence[str]) -> Progress:
    """Run the progress checks of a deployment at some seats."""
    checks = [{**check, "wait": 0.0} for check in deployment.shared["checks"] if check["when"] != "smoke"]
    views, run = seat_views(deployment, seats), checker(workspace, deployment)

    def of_seat(view: SeatView) -> tuple[ProbeResult, ...]:
        return tuple(run(check, view) for check in checks)

    with ThreadPoolExecutor(SEATS_AT_ONCE) as pool:
        results = dict(zip((view.seat for view in views), pool.map(of_seat, views), strict=True))
    return Progress({check["name"]: _points(check) for check in checks}, results)


def _points(check: Mapping[str, Any]) -> int:
    return int(check["points"])
