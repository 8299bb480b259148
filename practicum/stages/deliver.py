"""Delivery: put prod's release onto the seats of the class, one seat first, and stop when it breaks what worked."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from generator.seats.names import PROFESSOR, is_student
from practicum.errors import PracticumError, TryAgainError
from practicum.events import Event, State
from practicum.lxd.activity import in_use
from practicum.lxd.desired import Desired, Instance, Replacement
from practicum.lxd.lock import lease
from practicum.lxd.observe import Observed, observe
from practicum.lxd.plan import Plan, needs_system, plan
from practicum.lxd.reconcile import SeatOutcome
from practicum.lxd.replacement import remove_expired
from practicum.lxd.snapshots import remove_ended
from practicum.probes.model import ProbeResult, failures
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.drift import Drift, find_drift, find_touched
from practicum.stages.due import note_finished
from practicum.stages.guards import refuse_unfit
from practicum.stages.outcomes import Changed, Course, Outcome, changed_by_hand
from practicum.stages.pace import REPLACED, read_pace
from practicum.stages.provision import Provisioned, desired_state, provision
from practicum.stages.releases import release_number
from practicum.stages.rollout import prepare
from practicum.stages.smoke import running_seats, smoke
from practicum.stages.wishes import NOW, WISHES, When, Wish, change_wishes
from practicum.stages.workspace import Workspace

STAGE = "deliver"
WAVE = 8
MANUAL = "the spec says 'update: manual'"
# Seats that passed before and fail after, of those that were replaced so far.
STOP_RATE = 0.2


@dataclass(frozen=True)
class Delivery:
    """What a delivery did. `drifts` are the changes of students that were found; `skipped` seats were left alone.

    `provisioned` has the outcome of every seat that was worked on, also of those whose system could not be replaced;
    `outcomes` has all seats. `pending` ones get the release later, for the reason given.
    """

    release: int
    provisioned: Provisioned
    results: tuple[ProbeResult, ...]
    replaced: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    drifts: tuple[Drift, ...] = ()
    pending: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()


@dataclass
class _Replaced:
    """How the replacement of systems goes: seats that have the new one, those that failed, and what probes found."""

    seats: list[str] = field(default_factory=list)
    failed: dict[str, SeatOutcome] = field(default_factory=dict)
    results: list[ProbeResult] = field(default_factory=list)


@dataclass(frozen=True)
class _Due:
    """What a delivery has to replace: instances by seat, with the paths to carry over for each.

    `systems` are the seats of which a machine is replaced; the others only get new files, which stops nothing.
    """

    seats: Mapping[str, tuple[Instance, ...]]
    systems: frozenset[str] = frozenset()
    drifts: tuple[Drift, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clear: str = ""
    overwrite: bool = False

    def replacement(self, seats: Sequence[str]) -> Replacement:
        chosen = [instance.name for seat in seats for instance in self.seats[seat]]
        carried = {name: self.carried.get(name, ()) for name in chosen}
        return Replacement(carried, clear=self.clear, overwrite=self.overwrite)


def deliver(
    workspace: Workspace, lab: str, seats: Sequence[str] = (), changed: Changed = "ask", when: When = NOW
) -> Delivery:
    """Deliver prod's release to the named seats, or to all; then every seat is probed.

    New seats are made from the checkpoint. Seats that run an older release get its system, a seat at first, then in
    waves; volumes and kept paths stay. What students changed elsewhere on their systems is found before anything
    happens: with `ask` a change raises PracticumError, which lists them. What only gets new files gets them at once,
    and a file that somebody changed is left then. Seats for which `when` has not come are pending: `schedule` goes on.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "prod")
    refuse_unfit(workspace, deployment)
    release = release_number(deployment)
    rollout = prepare(workspace, deployment, seats)
    if rollout and rollout.by_hand and changed == "ask":
        raise _copies_changed(deployment.lab, rollout.by_hand)
    workspace.emit(Event(STAGE, "started", f"release {release}"))
    due = _due(workspace, deployment, seats, changed, release)
    due = _with_pending(workspace, deployment, due, Wish((), release, when, changed))
    done = _replace(workspace, deployment, due)
    overwrite = changed == "overwrite"
    provisioned = _with_failures(_provision(workspace, deployment, seats, due.pending, overwrite), done.failed)
    failed = {outcome.seat: outcome for outcome in provisioned.failed}
    again = {seat for seat, outcome in failed.items() if isinstance(outcome.error, TryAgainError)}
    _settle(workspace, deployment, set(seats or deployment.seats) - again - set(due.pending))
    probed = [seat for seat in seats or running_seats(deployment) if seat not in {*failed, *done.seats, *due.pending}]
    # The probe container is made with the professor's seat: without it nothing can be seen.
    runs = deployment.operation.power == "running" and PROFESSOR not in failed
    results = (*done.results, *(smoke(workspace, lab, "prod", probed) if runs and probed else ()))
    course = Course(
        actions=provisioned.plan.seats,
        failed=failed,
        replaced=done.seats,
        systems=due.systems,
        pending=due.pending,
        skipped=due.skipped,
        notes=changed_by_hand(due.drifts, changed),
        left=_left(deployment),
        copies={copy.seat: copy for copy in provisioned.copies},
    )
    outcomes = tuple(course.outcomes(seats or _in_order(deployment)))
    _tell(workspace, outcomes)
    if runs and not (seats or failed or due.pending or failures(results)):
        note_finished(workspace, deployment)
    told = (tuple(done.seats), tuple(due.skipped), due.drifts, due.pending, outcomes)
    return Delivery(release, provisioned, results, *told)


def _provision(
    workspace: Workspace, deployment: Deployment, seats: Sequence[str], pending: Container[str], overwrite: bool
) -> Provisioned:
    """Provision the chosen seats but those that wait; an empty choice is not all of them."""
    chosen = [seat for seat in seats or _in_order(deployment) if seat not in pending]
    if not chosen:
        return Provisioned(deployment, Plan((), {}), ())
    return provision(workspace, deployment.lab, "prod", chosen if pending else seats, overwrite=overwrite)


def _in_order(deployment: Deployment) -> list[str]:
    return sorted(deployment.seats, key=lambda name: (is_student(name), len(name), name))


def _left(deployment: Deployment) -> list[str]:
    """Return the seats of those who left the class: the lab runs, and they do not."""
    runs = deployment.operation.power == "running"
    return [name for name, seat in deployment.seats.items() if runs and seat["power"] == "stopped"]


def _tell(workspace: Workspace, outcomes: Sequence[Outcome]) -> None:
    """Put outcomes into the stream of events; failures are in it already."""
    for outcome in outcomes:
        if outcome.what != "failed":
            state: State = "skipped" if outcome.what in ("pending", "left alone") else "done"
            workspace.emit(Event(STAGE, state, outcome.words, outcome.seat))


def _with_pending(workspace: Workspace, deployment: Deployment, due: _Due, wish: Wish) -> _Due:
    """Take the seats out whose time has not come, and record what was chosen for them, before anything else is done."""
    if wish.when.has_come(datetime.now(UTC)) or not due.systems:
        return due
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    machines = {entry["name"]: seat for seat in due.systems for entry in deployment.seats[seat]["instances"]}
    used = in_use(lxd, project, machines) if wish.when.idle else dict.fromkeys(machines, "")
    pending = {machines[name]: f"{name}: {why}; it comes" if why else "it comes" for name, why in used.items()}
    if not pending:
        return due
    with lease(lxd, project):
        change_wishes(lxd, project, (), [replace(wish, seats=tuple(sorted(pending)))])
    told = {seat: f"{why} {wish.when.words}" for seat, why in pending.items()}
    return replace(due, seats={seat: due.seats[seat] for seat in due.seats if seat not in told}, pending=told)


def _settle(workspace: Workspace, deployment: Deployment, seats: Collection[str]) -> None:
    """Take earlier wishes from seats that need none any more."""
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    found = lxd.find("projects", project)
    if found is not None and WISHES in found["config"]:
        with lease(lxd, project):
            change_wishes(lxd, project, seats)


def _with_failures(provisioned: Provisioned, failed: Mapping[str, SeatOutcome]) -> Provisioned:
    """Return what was provisioned, with the failures of the replacement in place of what was done for these seats."""
    others = [outcome for outcome in provisioned.outcomes if outcome.seat not in failed]
    return replace(provisioned, outcomes=(*others, *failed.values()))


def _due(workspace: Workspace, deployment: Deployment, seats: Sequence[str], changed: Changed, release: int) -> _Due:
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats, build_images=False)
    if lxd.find("projects", desired.project_name) is None:
        return _Due({})
    with lease(lxd, desired.project_name):
        remove_expired(lxd, desired.project_name)
        remove_ended(lxd, desired.project_name)
        observed = observe(lxd, desired)
        outdated = _outdated(desired, observed)
        if deployment.shared["update"] == "manual" and not seats:
            return _Due({}, skipped=dict.fromkeys(outdated, f"{MANUAL}: practicum deliver {deployment.lab} --seat …"))
        systems = _needing_system(observed, outdated)
        drifts = find_drift(lxd, desired, observed, systems)
        rest = [one for listed in outdated.values() for one in listed if one not in systems]
        drifts += find_touched(lxd, desired, observed, rest)
    lost = [drift for drift in drifts if drift.system]
    if lost and changed == "ask":
        raise _changed_by_hand(deployment.lab, lost)
    spared = changed_by_hand(drifts, changed) if changed == "skip" else {}
    chosen = {seat: instances for seat, instances in outdated.items() if seat not in spared}
    return _Due(
        chosen,
        systems=frozenset(one.seat for one in systems if one.seat in chosen),
        drifts=tuple(drifts),
        skipped=dict(sorted(spared.items())),
        carried={drift.instance: drift.paths for drift in drifts} if changed == "carry" else {},
        clear=f"release {release}" if deployment.shared["update"] == "rebuild" else "",
        overwrite=changed == "overwrite",
    )


def _outdated(desired: Desired, observed: Observed) -> dict[str, tuple[Instance, ...]]:
    names = set(plan(desired, observed).outdated)
    found = {
        seat.name: tuple(instance for instance in seat.instances if instance.name in names) for seat in desired.seats
    }
    return {seat: instances for seat, instances in found.items() if instances}


def _needing_system(observed: Observed, outdated: Mapping[str, tuple[Instance, ...]]) -> list[Instance]:
    instances = [instance for listed in outdated.values() for instance in listed]
    return [one for one in instances if needs_system(one, observed.instances[one.name])]


def _changed_by_hand(lab: str, drifts: Sequence[Drift]) -> PracticumError:
    return PracticumError(
        f"{len({drift.seat for drift in drifts})} seats were changed by hand where this delivery replaces the system; "
        "nothing was done",
        details="\n".join(drift.words for drift in drifts),
        resolution=(
            f"practicum deliver {lab} with --changed carry: their files come along; overwrite: the previous system can "
            f"be had back for 14 days (practicum undo {lab} --seat SEAT); skip: these seats stay as they are"
        ),
    )


def _copies_changed(lab: str, by_hand: Mapping[str, Sequence[str]]) -> PracticumError:
    return PracticumError(
        f"{len(by_hand)} seats have objects on the cluster that were changed by hand; nothing was done",
        details="\n".join(f"{seat}: {words}" for seat, listed in sorted(by_hand.items()) for words in listed),
        resolution=(
            f"practicum deliver {lab} with --changed overwrite: they become as the release has them; "
            "carry or skip: they stay as they are, and everything else is delivered"
        ),
    )


def _replace(workspace: Workspace, deployment: Deployment, due: _Due) -> _Replaced:
    """Replace the systems of the seats that are due, wave after wave; raises PracticumError when too many get worse."""
    done = _Replaced()
    if not due.seats:
        return done
    _tell_expected(workspace, deployment, len(due.systems))
    runs = deployment.operation.power == "running"
    before = _passing(workspace, deployment, list(due.seats)) if runs else set()
    tried = 0
    for wave in _waves(list(due.seats)):
        outcomes = provision(workspace, deployment.lab, "prod", wave, replacement=due.replacement(wave)).failed
        done.failed |= {outcome.seat: outcome for outcome in outcomes}
        switched = [seat for seat in wave if seat not in done.failed]
        done.seats += switched
        done.results += smoke(workspace, deployment.lab, "prod", switched) if runs and switched else []
        tried += len(wave)
        broken = [one for one in done.results if not one.ok and (one.seat, one.name) in before]
        if len({one.seat for one in broken} | set(done.failed)) > STOP_RATE * tried:
            # What made seats worse comes to nobody by itself, at whatever time.
            _settle(workspace, deployment, deployment.seats)
            raise _stopped(deployment.lab, done, broken, tried, len(due.seats))
    return done


def _tell_expected(workspace: Workspace, deployment: Deployment, systems: int) -> None:
    """Put into the stream of events how long the replacement of so many systems takes, where that was measured."""
    found = workspace.lxd(deployment.platform).find("projects", deployment.scope.project)
    if found and (words := read_pace(found["config"], REPLACED).expected(systems)):
        workspace.emit(Event(STAGE, "started", f"{systems} systems to replace, {words}"))


def _waves(seats: list[str]) -> Iterator[list[str]]:
    """Yield the first seat alone, then the others some at a time."""
    yield seats[:1]
    for start in range(1, len(seats), WAVE):
        yield seats[start : start + WAVE]


def _passing(workspace: Workspace, deployment: Deployment, seats: list[str]) -> set[tuple[str, str]]:
    """Return what passes now: students break their own machines, which is not the release's fault."""
    results = smoke(workspace, deployment.lab, "prod", seats)
    return {(result.seat, result.name) for result in results if result.ok}


def _stopped(lab: str, done: _Replaced, broken: Sequence[ProbeResult], tried: int, whole: int) -> PracticumError:
    hurt = {one.seat for one in broken} | set(done.failed)
    lines = [f"{one.seat}: {one.name}: {one.detail}" for one in broken]
    lines += [outcome.words for outcome in done.failed.values()]
    switched = " ".join(f"--seat {seat}" for seat in done.seats)
    back = f"practicum undo {lab} {switched} brings their systems back" if switched else "no seat has the new system"
    return PracticumError(
        f"the delivery stopped: {len(hurt)} of the first {tried} seats fail what they passed before, or could not be "
        f"replaced; {whole - tried} seats were not touched",
        details="\n".join(lines),
        resolution=back,
    )
