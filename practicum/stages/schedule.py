"""What is due: labs ready before `ready_by`, collected when due, stopped after `ends`; seats that wait for a release,
and seats of those who left. Run by a timer.

It looks at what is, not at when it ran last: a run that was missed or killed is made good by the next one. What people
decide in between stays: a lab is made ready once for each `ready_by`, so `practicum stop` for a night is not undone.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from generator.generate import find_labs
from generator.seats.names import PILOT
from practicum.errors import PracticumError, TryAgainError, UnavailableError
from practicum.events import Event
from practicum.lxd import bulk
from practicum.lxd.client import Lxd
from practicum.lxd.projects import note
from practicum.stages.alerts import Alerts
from practicum.stages.deliver import deliver
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.hand_in import collect_due, due_seats
from practicum.stages.operate import intend_running, stop_deployment
from practicum.stages.pace import Pace, read_pace
from practicum.stages.pools import pools
from practicum.stages.put_off import put_off, require_passed
from practicum.stages.workspace import Workspace, platform_of

STAGE = "schedule"
ENVIRONMENT = "prod"
# The `ready_by` for which a lab was made ready, on its LXD project.
HONOURED = "user.practicum.ready-by"
# Time for people to mend what the first try shows.
MARGIN = timedelta(minutes=30)
Due = Literal["start", "stop", "nothing"]
State = Literal["destroyed", "stopped", "running", "absent"]


@dataclass(frozen=True)
class Times:
    """When a lab must be ready, is due and ends, and when its start begins; None where the spec says nothing."""

    ready_by: datetime | None = None
    due: datetime | None = None
    ends: datetime | None = None
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """One lab's line of a run. `done` says what was done, or would be; `error` why that failed."""

    lab: str
    times: Times
    state: State
    done: str
    pace: Pace = field(default_factory=Pace)
    error: PracticumError | None = None


def due(times: Times, state: State, honoured: str, now: datetime) -> Due:
    """Return what a lab needs now. `honoured` is the `ready_by` that was made good before, as ISO text."""
    if state == "destroyed":
        return "nothing"
    if times.ends is not None and now >= times.ends:
        return "stop" if state == "running" else "nothing"
    if times.starts_at is None or times.ready_by is None or now < times.starts_at:
        return "nothing"
    return "nothing" if honoured == times.ready_by.isoformat() else "start"


def schedule(workspace: Workspace, now: datetime, *, dry_run: bool = False) -> list[Turn]:
    """Start and stop the scheduled labs of the class, as the committed definitions say, and do what was put off.

    One line a lab that has a schedule, or something to be done.
    `now` has an offset from UTC. A lab that fails stops no other. With `dry_run` nothing but the checkout changes.
    """
    workspace.repository.synchronise()
    labs = find_labs(workspace.repository.sources("HEAD"))
    turns = [turn for lab in labs if (turn := _turn(workspace, lab, now, dry_run)) is not None]
    if not dry_run:
        _alert(workspace, turns, now)
    return turns


def _turn(workspace: Workspace, lab: str, now: datetime, dry_run: bool) -> Turn | None:
    """Do what a lab needs; None for one that was never promoted, or has neither a schedule nor anything put off."""
    turn = Turn(lab, Times(), "absent", "")
    try:
        deployment = _load(workspace, lab)
        if deployment is None:
            return None
        texts = deployment.shared.get("schedule") or {}
        times = Times(**{key: datetime.fromisoformat(text) for key, text in texts.items()})
        turn = replace(turn, times=times, state=_state(workspace.lxd(deployment.platform), deployment))
        if texts:
            turn = _take(workspace, deployment, turn, now, dry_run)
        done = put_off(workspace, lab, now, dry_run=dry_run)
        if not texts and not done:
            return None
        state = _state(workspace.lxd(deployment.platform), load_deployment(workspace, lab, ENVIRONMENT))
        return replace(turn, state=state, done="; ".join(filter(None, (turn.done, *done))))
    except PracticumError as error:
        workspace.emit(Event(STAGE, "failed", f"{lab}: {error.message}"))
        done_words = "another run works on it" if isinstance(error, TryAgainError) else "failed"
        return replace(turn, done=done_words, error=error)


def _load(workspace: Workspace, lab: str) -> Deployment | None:
    try:
        return load_deployment(workspace, lab, ENVIRONMENT)
    except UnavailableError:
        return None


def _take(workspace: Workspace, deployment: Deployment, turn: Turn, now: datetime, dry_run: bool) -> Turn:
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    found = lxd.find("projects", project)
    config = found["config"] if found else {}
    pace = read_pace(config)
    turn = replace(turn, pace=pace, times=_with_start(turn.times, pace, deployment))
    what = due(turn.times, turn.state, config.get(HONOURED, ""), now)
    there = turn.state in ("running", "stopped")
    handed_in = due_seats(workspace, deployment, config, turn.times.due, now) if there else {}
    if dry_run or (what == "nothing" and not handed_in):
        would = [f"collect {len(handed_in)} seats"] * bool(handed_in) + [what] * (what != "nothing")
        return replace(turn, done=f"would {' and '.join(would)}" if would else _why_nothing(turn, now))
    done = []
    if what == "start":
        done.append(_start(workspace, deployment))
        _honour(lxd, project, turn.times)
    # What is due is collected before the lab is stopped: checks need machines that run.
    if handed_in:
        done.append(collect_due(workspace, lxd, deployment, handed_in, now))
    if what == "stop":
        done.append(_stop(workspace, deployment))
    return replace(turn, done="; ".join(done))


def _with_start(times: Times, pace: Pace, deployment: Deployment) -> Times:
    seats = sum(name != PILOT for name in deployment.seats)
    return replace(times, starts_at=times.ready_by - pace.estimate(seats) - MARGIN if times.ready_by else None)


def _state(lxd: Lxd, deployment: Deployment) -> State:
    """Say what a lab is: running when it was decided or when any machine runs."""
    if deployment.operation.life == "destroyed":
        return "destroyed"
    machines = bulk.machines(lxd, deployment.scope.project)
    if any(status != "Stopped" for status in machines.values()):
        return "running"
    if deployment.operation.power == "stopped":
        return "stopped"
    return "running" if machines else "absent"


def _why_nothing(turn: Turn, now: datetime) -> str:
    if turn.state == "destroyed":
        return "nothing: it was destroyed"
    if turn.times.ends is not None and now >= turn.times.ends:
        return "nothing: it has ended"
    if turn.times.starts_at is not None and now < turn.times.starts_at:
        return "nothing: it is too early"
    if turn.times.ready_by is not None:
        return "nothing: it was made ready"
    return "nothing: it is not due" if turn.times.due and now < turn.times.due else "nothing: it has not ended"


def _start(workspace: Workspace, deployment: Deployment) -> str:
    intend_running(workspace, deployment)
    delivery = deliver(workspace, deployment.lab)
    require_passed(deployment.lab, delivery)
    return f"started: {len(delivery.provisioned.plan.actions)} changes, {len(delivery.results)} checks passed"


def _stop(workspace: Workspace, deployment: Deployment) -> str:
    return f"stopped {stop_deployment(workspace, deployment).changed} machines"


def _honour(lxd: Lxd, project: str, times: Times) -> None:
    if times.ready_by is not None:
        note(lxd, project, {HONOURED: times.ready_by.isoformat()})


def _alert(workspace: Workspace, turns: list[Turn], now: datetime) -> None:
    """Tell the operators of labs that failed and pools that are nearly full, by the command of the platform file."""
    platform = platform_of(workspace.repository.sources("HEAD"), ENVIRONMENT)
    alerts = Alerts(workspace, platform, now)
    for turn in turns:
        if turn.error is not None and not isinstance(turn.error, TryAgainError):
            alerts.tell(f"lab {turn.lab}", f"{turn.error.message}\n{turn.error.details}".strip())
    try:
        found = pools(workspace.lxd(platform), platform)
    except PracticumError as error:
        alerts.tell("lxd", f"{error.message}\n{error.details}".strip())
        return
    for pool in found:
        if pool.warning:
            workspace.emit(Event(STAGE, "warning", pool.warning))
            alerts.tell(f"pool {pool.name}", pool.warning)
