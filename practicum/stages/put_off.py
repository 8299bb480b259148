"""What was put off and is due now: seats that wait for the release, seats of students who left."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from practicum.errors import PracticumError
from practicum.lxd.activity import in_use
from practicum.lxd.client import Lxd
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.outcomes import Changed
from practicum.stages.pipeline import require_delivered
from practicum.stages.provision import provision
from practicum.stages.removal import overdue, remove_left
from practicum.stages.wishes import Wish, pending
from practicum.stages.workspace import Workspace

ENVIRONMENT = "prod"


def put_off(workspace: Workspace, lab: str, now: datetime, *, dry_run: bool = False) -> list[str]:
    """Give pending seats the release whose time has come or on which nobody works, and remove seats whose end has come.

    Returns in words what was done, or would be. A stopped or destroyed lab waits. Raises PracticumError for seats that
    failed, or were changed by hand since the delivery was asked for.
    """
    deployment = load_deployment(workspace, lab, ENVIRONMENT)
    lxd = workspace.lxd(deployment.platform)
    project = lxd.find("projects", deployment.scope.project)
    if project is None or deployment.operation.life == "destroyed":
        return []
    done = _finish(workspace, deployment, lxd, now, dry_run) if deployment.operation.power == "running" else []
    due = overdue(workspace, deployment, lxd, project["config"], now.date())
    if due and dry_run:
        return [*done, f"would remove {', '.join(due)}, who left"]
    return [*done, *([remove_left(workspace, deployment, lxd, due, now)] if due else [])]


def _finish(workspace: Workspace, deployment: Deployment, lxd: Lxd, now: datetime, dry_run: bool) -> list[str]:
    waiting = pending(lxd, deployment)
    used = _used(lxd, deployment, [seat for seat, wish in waiting.items() if not wish.when.has_come(now)], waiting)
    ready: dict[Changed, list[str]] = {}
    for seat in sorted(set(waiting) - used):
        ready.setdefault(waiting[seat].changed, []).append(seat)
    if dry_run:
        return [f"would deliver to {', '.join(seats)}" for seats in ready.values()]
    done = [_deliver(workspace, deployment, seats, changed) for changed, seats in ready.items()]
    if done and not pending(lxd, deployment):
        # Now it is delivered whole, and recorded so.
        provision(workspace, deployment.lab, ENVIRONMENT)
    return [*done, *([f"{len(used)} seats wait for the release"] if used else [])]


def _used(lxd: Lxd, deployment: Deployment, seats: Sequence[str], waiting: Mapping[str, Wish]) -> set[str]:
    """Return those of the seats whose time has not come: somebody works on them, or a time was chosen for them."""
    patient = {
        entry["name"]: seat for seat in seats if waiting[seat].when.idle for entry in _machines(deployment, seat)
    }
    used = {patient[name] for name in in_use(lxd, deployment.scope.project, patient)}
    return used | {seat for seat in seats if not waiting[seat].when.idle}


def _machines(deployment: Deployment, seat: str) -> Sequence[Mapping[str, str]]:
    entries: Sequence[Mapping[str, str]] = deployment.seats[seat]["instances"]
    return entries


def _deliver(workspace: Workspace, deployment: Deployment, seats: Sequence[str], changed: Changed) -> str:
    """Deliver to seats; one that was changed by hand, which nobody was asked about, is left and told."""
    lab = deployment.lab
    delivery = deliver(workspace, lab, seats, "skip" if changed == "ask" else changed)
    require_passed(lab, delivery)
    if delivery.skipped and changed == "ask":
        chosen = " ".join(f"--seat {seat}" for seat in delivery.skipped)
        raise PracticumError(
            f"{len(delivery.skipped)} seats of {lab} were changed by hand since the delivery; they were left",
            details="\n".join(drift.words for drift in delivery.drifts),
            resolution=f"practicum deliver {lab} {chosen} with --changed carry or overwrite",
        )
    return f"delivered to {', '.join(delivery.replaced) or 'nobody'}"


def require_passed(lab: str, delivery: Delivery) -> None:
    """Raise PracticumError for seats that failed, and for checks that did."""
    require_delivered(lab, delivery)
    failed = [result for result in delivery.results if not result.ok]
    if failed:
        raise PracticumError(
            f"{len(failed)} of {len(delivery.results)} checks of {lab} failed",
            details="\n".join(f"{one.seat}: {one.name}: {one.detail}" for one in failed),
            resolution=f"practicum smoke {lab} --env prod shows them; the next run tries again",
        )
