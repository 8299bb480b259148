"""What who teaches does to one copy in the class, to some, or to all; each has an outcome, and none stops another."""

from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from generator.seats.names import is_student
from practicum.errors import PracticumError, UsageError
from practicum.stages.operate import exam, start, stop
from practicum.stages.pipeline import seats_failed
from practicum.stages.progress import progress
from practicum.stages.reset import reset
from practicum.stages.restart import restart
from practicum.stages.status import status
from practicum.stages.workspace import Workspace
from practicum.web.access import guarded, lab_named
from practicum.web.jobs import Job
from practicum.web.messages import say
from practicum.web.pages import page
from practicum.web.roles import Act
from practicum.web.site import site_of
from practicum.web.steps import JobKind

__all__ = ["ROUTES"]

# What asks once more: somebody may be at work there.
ASKS = ("restart", "reset")
SeatWork = Callable[[Workspace, str, str], str]
LabWork = Callable[[Workspace, str], object]


def _for_seats(kind: JobKind, work: SeatWork) -> Callable[[Request], object]:
    """Return the endpoint that begins work on the copies that a form names."""

    async def begin(request: Request) -> Response:
        async with request.form() as form:
            chosen, agreed = [str(seat) for seat in form.getlist("seat")], "agreed" in form
        if kind in ASKS and chosen and not agreed:
            return page(request, "sure_class.html", lab=lab_named(request), kind=kind, chosen=chosen)
        return await run_in_threadpool(_begin, request, kind, chosen, work)

    return begin


def _begin(request: Request, kind: JobKind, chosen: Sequence[str], work: SeatWork) -> Response:
    site, lab = site_of(request), lab_named(request)
    there = [row for row in status(site.workspace(), lab, "prod") if is_student(row.seat) and row.seat in chosen]
    if not there:
        raise UsageError(say("bulk.nobody"), resolution=say("bulk.nobody_way"))

    def each(job: Job) -> None:
        job.expect([(row.seat, row.machine) for row in there])
        for seat in dict.fromkeys(row.seat for row in there):
            try:
                job.judge(seat, "ready", work(site.workspace(job.emit), lab, seat))
            except PracticumError as error:
                job.judge(seat, "failed", ": ".join(filter(None, (error.message, error.details))))
        if job.failed_seats():
            raise PracticumError(say("bulk.failed", **job.counts()), resolution=say("bulk.failed_way"))

    return RedirectResponse(f"/jobs/{site.jobs.start(kind, lab, each).id}", 303)


def _restart(workspace: Workspace, lab: str, seat: str) -> str:
    restart(workspace, lab, "prod", seat)
    return ""


def _reset(workspace: Workspace, lab: str, seat: str) -> str:
    done = reset(workspace, lab, [seat])
    if done.failed:
        raise seats_failed(done)
    return ""


def _progress(workspace: Workspace, lab: str, seat: str) -> str:
    found = progress(workspace, lab, [seat])
    passed, checks = sum(one.ok for one in found.results[seat]), len(found.points)
    return say("bulk.points", points=found.score(seat), all=sum(found.points.values()), passed=passed, checks=checks)


def _for_lab(kind: JobKind, work: LabWork) -> Callable[[Request], Response]:
    """Return the endpoint that begins work on a whole class."""

    def begin(request: Request) -> Response:
        site, lab = site_of(request), lab_named(request)

        def all_of_it(job: Job) -> None:
            work(site.workspace(job.emit), lab)

        return RedirectResponse(f"/jobs/{site.jobs.start(kind, lab, all_of_it).id}", 303)

    return begin


def _start(workspace: Workspace, lab: str) -> None:
    done = start(workspace, lab, "prod")
    if done.failed:
        raise seats_failed(done)


def _exam(*, on: bool) -> LabWork:
    return lambda workspace, lab: exam(workspace, lab, on=on)


def _stop(workspace: Workspace, lab: str) -> None:
    stop(workspace, lab, "prod")


CLASS = "/labs/{course}/{lab}/class"
FOR_SEATS: tuple[tuple[JobKind, SeatWork, Act], ...] = (
    ("restart", _restart, "repair"),
    ("reset", _reset, "repair"),
    ("progress", _progress, "progress"),
)
FOR_LAB: tuple[tuple[JobKind, LabWork], ...] = (
    ("stop", _stop),
    ("start", _start),
    ("exam_on", _exam(on=True)),
    ("exam_off", _exam(on=False)),
)
ROUTES = [
    *(guarded(f"{CLASS}/{kind}", _for_seats(kind, work), act, "POST") for kind, work, act in FOR_SEATS),
    *(guarded(f"{CLASS}/{kind}", _for_lab(kind, work), "operate", "POST") for kind, work in FOR_LAB),
]
