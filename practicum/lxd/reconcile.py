"""Carry out a plan: shared objects first, then the seats side by side; a seat that fails stops no other."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from generator.seats.names import PROBE, PROFESSOR
from practicum.errors import PracticumError, TryAgainError
from practicum.events import Emit, Event
from practicum.lxd import instances, objects, power, projects, replacement
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.plan import NETWORKS, Action, Plan
from practicum.lxd.steps import StepRunner
from practicum.parallel import wait_for_all, worker_count

STAGE = "provision"


@dataclass(frozen=True)
class SeatOutcome:
    """How a seat ended. `error` is None when all its actions were done; `doing` is what failed, with the machine."""

    seat: str
    actions: int
    error: PracticumError | None = None
    doing: str = ""

    @property
    def words(self) -> str:
        """What failed, in one line: seat, machine, what LXD said."""
        error = self.error or PracticumError("")
        return f"{self.seat}: {self.doing}: {error.message} {' '.join(error.details.split())}".strip()


@dataclass(frozen=True)
class Workshop:
    """What actions are carried out with. When `halt` is set no new action begins: the lease was lost, or Ctrl-C."""

    lxd: Lxd
    desired: Desired
    golden: GoldenMachines
    steps: StepRunner
    emit: Emit
    halt: threading.Event


def apply(workshop: Workshop, plan: Plan) -> list[SeatOutcome]:
    """Carry out a plan and return one outcome a seat; PracticumError when a shared object fails.

    LXD makes one bridge after the other, half a second each and mostly waiting, so networks have a lane of their own
    that runs ahead while machines of earlier seats are cloned. On Ctrl-C no new action begins, running ones end, and
    KeyboardInterrupt is raised: the next run goes on.
    """
    workshop.emit(Event(STAGE, "started", f"{len(plan.seats)} seats to change", total=len(plan.seats)))
    for action in plan.shared:
        _carry_out(workshop, action)
    with ThreadPoolExecutor(1, "networks") as lane, ThreadPoolExecutor(worker_count(), "seat") as pool:
        futures = []
        for seat, actions in plan.seats.items():
            ahead, behind = _split(actions)
            networks = lane.submit(_do, workshop, seat, ahead)
            futures.append(pool.submit(_seat, workshop, seat, networks, behind))
        wait_for_all(pool, futures, workshop.halt)
    return [future.result() for future in futures]


def _split(actions: tuple[Action, ...]) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return a seat's ACLs and networks, which come first, and what needs them."""
    count = next((number for number, action in enumerate(actions) if action.kind not in NETWORKS), len(actions))
    return actions[:count], actions[count:]


def _seat(workshop: Workshop, seat: str, networks: Future[SeatOutcome], actions: tuple[Action, ...]) -> SeatOutcome:
    before = networks.result()
    if before.error is not None:
        return before
    total = before.actions + len(actions)
    workshop.emit(Event(STAGE, "started", f"{total} steps", seat, total=total))
    outcome = _do(workshop, seat, actions)
    if outcome.error is None:
        workshop.emit(Event(STAGE, "done", f"{total} steps", seat))
    return replace(outcome, actions=before.actions + outcome.actions)


def _do(workshop: Workshop, seat: str, actions: tuple[Action, ...]) -> SeatOutcome:
    for done, action in enumerate(actions):
        if workshop.halt.is_set():
            return SeatOutcome(seat, done, TryAgainError("stopped: this run was interrupted or lost its lease"))
        try:
            _carry_out(workshop, action)
        except PracticumError as error:
            workshop.emit(Event(STAGE, "failed", _words(action, error), seat, action.machine))
            return SeatOutcome(seat, done, error, _doing(action))
        except Exception as error:  # a bug in one seat must not take the others with it
            workshop.emit(Event(STAGE, "failed", f"a bug in Practicum: {error!r}", seat, action.machine))
            return SeatOutcome(seat, done, PracticumError(f"a bug in Practicum: {error!r}"), _doing(action))
    return SeatOutcome(seat, len(actions))


def _words(action: Action, error: PracticumError) -> str:
    return f"{_doing(action)}: {error.message} {error.details}".strip()


def _doing(action: Action) -> str:
    return f"{action.verb} {action.kind} {action.name}"


def _carry_out(workshop: Workshop, action: Action) -> None:
    _DOERS[action.kind, action.verb](workshop, action)
    detail = _doing(action) + (f": {action.why}" if action.why else "")
    step = f"{action.verb} {action.kind}"
    workshop.emit(Event(STAGE, "started", detail, _bar(action), action.machine, step=step))


def _bar(action: Action) -> str:
    """Return the seat whose bar moves; the probe is made with the professor's seat."""
    return PROFESSOR if action.machine == PROBE else action.seat


_Doer = Callable[[Workshop, Action], None]
_DOERS: Mapping[tuple[str, str], _Doer] = {
    ("project", "create"): lambda shop, act: projects.create_project(shop.lxd, act.subject),
    ("project", "update"): lambda shop, act: projects.update_project(shop.lxd, act.subject),
    ("acl", "create"): lambda shop, act: objects.create_acl(shop.lxd, act.subject),
    ("acl", "update"): lambda shop, act: objects.update_acl(shop.lxd, act.subject),
    ("profile", "create"): lambda shop, act: objects.create_profile(shop.lxd, shop.desired, act.subject),
    ("profile", "update"): lambda shop, act: objects.update_profile(shop.lxd, shop.desired, act.subject),
    ("network", "create"): lambda shop, act: objects.create_network(shop.lxd, act.subject),
    ("network", "update"): lambda shop, act: objects.update_network(shop.lxd, act.subject),
    ("volume", "create"): lambda shop, act: objects.create_volume(shop.lxd, shop.desired, act.subject),
    ("volume", "update"): lambda shop, act: objects.update_volume(shop.lxd, shop.desired, act.subject),
    ("volume", "seed"): lambda shop, act: instances.seed(shop.lxd, shop.desired, *act.subject),
    ("instance", "create"): lambda shop, act: instances.create(shop.lxd, shop.desired, shop.golden, act.subject),
    ("instance", "update"): lambda shop, act: instances.update(shop.lxd, shop.desired, act.subject),
    ("instance", "attach"): lambda shop, act: instances.update(shop.lxd, shop.desired, act.subject),
    ("instance", "start"): lambda shop, act: power.start(shop.lxd, shop.desired.project_name, act.name),
    ("instance", "stop"): lambda shop, act: power.stop(shop.lxd, shop.desired.project_name, act.name),
    ("instance", "delete"): lambda shop, act: power.delete(shop.lxd, shop.desired.project_name, act.name),
    ("instance", "prepare"): lambda shop, act: replacement.prepare(shop.lxd, shop.desired, shop.golden, act.subject),
    ("instance", "switch"): lambda shop, act: replacement.switch(shop.lxd, shop.desired, act.subject),
    ("instance", "halt"): lambda shop, act: replacement.halt(shop.lxd, shop.desired, act.subject),
    ("instance", "return"): lambda shop, act: replacement.return_previous(shop.lxd, shop.desired, act.subject),
    ("instance", "keep"): lambda shop, act: replacement.keep_as_previous(shop.lxd, shop.desired, act.subject),
    ("volume", "adopt"): lambda shop, act: objects.adopt_volume(shop.lxd, shop.desired, act.subject),
    ("volume", "clear"): lambda shop, act: objects.clear_volume(shop.lxd, shop.desired, act.subject),
    ("instance", "complete"): lambda shop, act: instances.complete(shop.lxd, shop.desired, shop.steps, act.subject),
}
