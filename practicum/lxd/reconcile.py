"""Carry out a plan: shared objects first, then the seats side by side; a seat that fails stops no other."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from generator.seats.names import PROBE, PROFESSOR
from practicum.errors import PracticumError, TryAgainError
from practicum.events import Emit, Event
from practicum.lxd import instances, objects, power, projects
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.plan import Action, Plan
from practicum.lxd.steps import StepRunner
from practicum.parallel import wait_for_all, worker_count

STAGE = "provision"


@dataclass(frozen=True)
class SeatOutcome:
    """How a seat ended. `error` is None when all its actions were done."""

    seat: str
    actions: int
    error: PracticumError | None = None


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

    On Ctrl-C no new action begins, running ones end, and KeyboardInterrupt is raised: the next run goes on.
    """
    workshop.emit(Event(STAGE, "started", f"{len(plan.seats)} seats to change", total=len(plan.seats)))
    for action in plan.shared:
        _carry_out(workshop, action)
    with ThreadPoolExecutor(worker_count(), thread_name_prefix="seat") as pool:
        futures = [pool.submit(_seat, workshop, seat, actions) for seat, actions in plan.seats.items()]
        wait_for_all(pool, futures, workshop.halt)
    return [future.result() for future in futures]


def _seat(workshop: Workshop, seat: str, actions: tuple[Action, ...]) -> SeatOutcome:
    workshop.emit(Event(STAGE, "started", f"{len(actions)} steps", seat, total=len(actions)))
    for done, action in enumerate(actions):
        if workshop.halt.is_set():
            return SeatOutcome(seat, done, TryAgainError("stopped: this run was interrupted or lost its lease"))
        try:
            _carry_out(workshop, action)
        except PracticumError as error:
            workshop.emit(Event(STAGE, "failed", _words(action, error), seat, action.machine))
            return SeatOutcome(seat, done, error)
        except Exception as error:  # a bug in one seat must not take the others with it
            workshop.emit(Event(STAGE, "failed", f"a bug in Practicum: {error!r}", seat, action.machine))
            return SeatOutcome(seat, done, PracticumError(f"a bug in Practicum: {error!r}"))
    workshop.emit(Event(STAGE, "done", f"{len(actions)} steps", seat))
    return SeatOutcome(seat, len(actions))


def _words(action: Action, error: PracticumError) -> str:
    return f"{action.verb} {action.kind} {action.name}: {error.message} {error.details}".strip()


def _carry_out(workshop: Workshop, action: Action) -> None:
    _DOERS[action.kind, action.verb](workshop, action)
    detail = f"{action.verb} {action.kind} {action.name}" + (f": {action.why}" if action.why else "")
    workshop.emit(Event(STAGE, "started", detail, _bar(action), action.machine))


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
    ("instance", "complete"): lambda shop, act: instances.complete(shop.lxd, shop.desired, shop.steps, act.subject),
}
