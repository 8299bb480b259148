"""Work that takes longer than a page: it runs in a thread, and what is known of it stays here for whoever looks."""

import secrets
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from practicum.errors import PracticumError, TryAgainError
from practicum.events import Event
from practicum.probes.model import ProbeResult
from practicum.web.messages import say
from practicum.web.steps import STEPS, CellState, JobKind, cell_state, step_of

__all__ = ["Cell", "CheckView", "Job", "Jobs"]

MOST_LINES = 400
MOST_JOBS = 200
ID_BYTES = 9


@dataclass
class Cell:
    """One machine of one student while the class gets a lab. `detail` says why it failed, or what was done last."""

    state: CellState = "waiting"
    detail: str = ""


@dataclass(frozen=True)
class CheckView:
    """A check of progress as a student sees it; `hint` is empty for one that passed, `points` is 0 for one without."""

    name: str
    state: Literal["passed", "open", "unknown"]
    points: int = 0
    hint: str = ""


@dataclass
class Job:
    """One piece of work. `machine` is what was created, which may have a desktop, `results` what checks found.

    `seat` is the student's copy that it is about, empty for work on a whole lab. `progress` is how far the student is.

    `changed` is what somebody chose for changes by hand; trying again is done with the same.

    `version` grows with every change, so that a browser that comes back knows what it missed.
    """

    kind: JobKind
    lab: str
    seat: str = ""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))
    state: Literal["running", "done", "failed"] = "running"
    reached: int = 0
    detail: str = ""
    lines: list[str] = field(default_factory=list)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    machine: str = ""
    has_desktop: bool = False
    changed: str = ""
    results: tuple[ProbeResult, ...] = ()
    progress: tuple[CheckView, ...] = ()
    error: PracticumError | None = None
    version: int = 1
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Every step with its state: done, running, waiting or failed."""
        here = "done" if self.state == "done" else self.state
        states = ["done" if place < self.reached or self.state == "done" else "waiting" for place in self._places]
        states[self.reached] = here
        return list(zip(STEPS[self.kind], states, strict=True))

    @property
    def _places(self) -> range:
        return range(len(STEPS[self.kind]))

    def counts(self) -> dict[str, int]:
        """Return how many students are ready, failed and neither, each once, by the worst of their machines."""
        seats: dict[str, list[str]] = {}
        for (seat, _machine), cell in self.cells.items():
            seats.setdefault(seat, []).append(cell.state)
        failed = sum("failed" in states for states in seats.values())
        ready = sum(set(states) == {"ready"} for states in seats.values())
        return {"all": len(seats), "ready": ready, "failed": failed, "running": len(seats) - ready - failed}

    def failed_seats(self) -> list[str]:
        """Return the students' copies of which a machine failed."""
        return list(dict.fromkeys(seat for (seat, _), cell in self.cells.items() if cell.state == "failed"))

    def emit(self, event: Event) -> None:
        """Take in an event of a stage; called from any thread."""
        with self.lock:
            step = step_of(self.kind, event)
            if step is not None:
                self.reached = max(self.reached, STEPS[self.kind].index(step))
            # Building an image takes minutes; what else is done is told by the steps.
            self.detail = event.detail if event.stage == "images" and event.state == "started" else ""
            parts = (f"{event.stage}:", event.seat.removeprefix("-"), event.machine, event.detail)
            self.lines = [*self.lines, " ".join(filter(None, parts))][-MOST_LINES:]
            self._see(event)
            self.version += 1

    def tell(self, detail: str) -> None:
        """Say what is being done now."""
        with self.lock:
            self.detail = detail
            self.version += 1

    def expect(self, machines: Sequence[tuple[str, str]]) -> None:
        """Say which machines of which students the work is about."""
        with self.lock:
            self.cells = {key: Cell() for key in machines}
            self.version += 1

    def judge(self, seat: str, state: CellState, detail: str = "") -> None:
        """Say how a student's machines ended."""
        with self.lock:
            for (name, _), cell in self.cells.items():
                if name == seat and cell.state != "failed":
                    cell.state, cell.detail = state, detail
            self.version += 1

    def end(self, error: PracticumError | None = None) -> None:
        """Say that the work has ended."""
        with self.lock:
            self.state, self.error = ("failed" if error else "done"), error
            self.version += 1

    def _see(self, event: Event) -> None:
        state = cell_state(event)
        if state is None:
            return
        for (seat, machine), cell in self.cells.items():
            # Who waits is checked as they were before; only what was checked afterwards may be called ready.
            early = cell.state == "waiting" and event.stage == "smoke"
            if seat == event.seat and event.machine in ("", machine) and not early:
                cell.state, cell.detail = state, event.detail


@dataclass
class Jobs:
    """The jobs of a site. One runs at a time, since all work in one checkout; those of students wait their turn."""

    _jobs: dict[str, Job] = field(default_factory=dict)
    _turn: threading.Condition = field(default_factory=threading.Condition)

    @property
    def running(self) -> Job | None:
        """The job that runs now; those that wait for it come behind."""
        return next((job for job in self._jobs.values() if job.state == "running"), None)

    def find(self, key: str) -> Job | None:
        """Return a job by its id."""
        return self._jobs.get(key)

    def last(self, lab: str, kind: JobKind) -> Job | None:
        """Return the newest job of a kind that is about a whole lab, or its class."""
        found = [job for job in self._jobs.values() if (job.lab, job.kind, job.seat) == (lab, kind, "")]
        return found[-1] if found else None

    def start(self, kind: JobKind, lab: str, work: Callable[[Job], None], seat: str = "") -> Job:
        """Begin a job in a thread of its own, or when those before it have ended.

        Raises TryAgainError while another one runs for the same copy, or for whole labs while one of those runs: who
        teaches decides by what is there, which that one changes.
        """
        with self._turn:
            open_ones = [one for one in self._jobs.values() if one.state == "running"]
            if other := next((one for one in open_ones if one.seat == seat and (not seat or one.lab == lab)), None):
                raise TryAgainError(say("jobs.busy", lab=other.lab), resolution=say("jobs.busy_way"))
            job = Job(kind, lab, seat, detail=say("jobs.waits") if open_ones else "")
            newest = [*self._jobs][-MOST_JOBS:]
            kept = {key: one for key, one in self._jobs.items() if key in newest or one in open_ones}
            self._jobs = {**kept, job.id: job}
        threading.Thread(target=self._work, args=(job, work), name=f"job {kind} {lab}", daemon=True).start()
        return job

    def _work(self, job: Job, work: Callable[[Job], None]) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self.running is job)
        job.tell("")
        _run(job, work)
        with self._turn:
            self._turn.notify_all()


def _run(job: Job, work: Callable[[Job], None]) -> None:
    try:
        work(job)
    except PracticumError as error:
        job.end(error)
    except Exception as error:  # a bug in one job must not end the server, and must be told
        job.lines += traceback.format_exc().splitlines()
        job.end(PracticumError(say("jobs.bug", what=repr(error)), resolution=say("jobs.bug_way")))
    else:
        job.end()
