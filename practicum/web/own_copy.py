"""What may be done to one copy in the class: by its student in words of their own, and by who teaches."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from practicum.errors import PracticumError
from practicum.probes.model import ProbeResult
from practicum.stages.deliver import deliver
from practicum.stages.deployment import load_deployment
from practicum.stages.pipeline import seats_failed
from practicum.stages.progress import progress_of
from practicum.stages.reset import reset
from practicum.stages.restart import restart
from practicum.stages.smoke import require_running
from practicum.stages.snapshots import delete_snapshots, restore_snapshot, take_snapshot
from practicum.stages.wishes import pending
from practicum.stages.workspace import Workspace
from practicum.web.access import guarded, lab_named
from practicum.web.courses import shown_checks
from practicum.web.jobs import CheckView, Job
from practicum.web.messages import say
from practicum.web.pages import page
from practicum.web.site import site_of
from practicum.web.steps import JobKind

__all__ = ["ROUTES"]

LONGEST_MESSAGE = 100
Work = Callable[[Workspace, str, str, Job], None]


def _begin(kind: JobKind, work: Work) -> Callable[[Request], Response]:
    """Return the endpoint that begins some work on the copy that its address names."""

    def begin(request: Request) -> Response:
        site, lab, seat = site_of(request), lab_named(request), request.path_params["seat"]
        job = site.jobs.start(kind, lab, lambda job: work(site.workspace(job.emit), lab, seat, job), seat)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    return begin


def _restart(workspace: Workspace, lab: str, seat: str, _job: Job) -> None:
    restart(workspace, lab, "prod", seat)


def _reset(workspace: Workspace, lab: str, seat: str, job: Job) -> None:
    done = reset(workspace, lab, [seat], start_over=job.kind == "start_over")
    if done.failed:
        raise seats_failed(done)


def _progress(workspace: Workspace, lab: str, seat: str, job: Job) -> None:
    deployment = load_deployment(workspace, lab, "prod")
    require_running(deployment)
    found = {one.name: one for one in progress_of(workspace, deployment, [seat]).results[seat]}
    job.progress = tuple(_shown(check, found[check["name"]]) for check in shown_checks(deployment))


def _shown(check: Mapping[str, Any], result: ProbeResult) -> CheckView:
    """Return a check as students see it; what it found in the machine may tell the solution, and stays away."""
    state: Literal["passed", "open", "unknown"] = "passed" if result.ok else "open" if result.known else "unknown"
    return CheckView(result.name, state, int(check["points"]), "" if result.ok else str(check["hint"]))


def _update(workspace: Workspace, lab: str, seat: str, _job: Job) -> None:
    """Give the copy the new system now. What was chosen for changes by hand holds; where nothing was, they are kept."""
    deployment = load_deployment(workspace, lab, "prod")
    wish = pending(workspace.lxd(deployment.platform), deployment).get(seat)
    if wish is None:
        return
    done = deliver(workspace, lab, [seat], "carry" if wish.changed == "ask" else wish.changed)
    bad = [one for one in done.outcomes if one.what == "failed"]
    if bad:
        raise PracticumError(say("update.failed"), details=bad[0].detail, resolution=say("update.failed_way"))


async def take(request: Request) -> Response:
    """Begin to take a snapshot of the files."""
    message = (await _entered(request, "message"))[:LONGEST_MESSAGE]

    def work(workspace: Workspace, lab: str, seat: str, _job: Job) -> None:
        take_snapshot(workspace, lab, "prod", seat, message, datetime.now(UTC))

    return await run_in_threadpool(_begin("snapshot", work), request)


async def put_back(request: Request) -> Response:
    """Begin to put a snapshot back."""
    name = await _entered(request, "name")

    def work(workspace: Workspace, lab: str, seat: str, _job: Job) -> None:
        restore_snapshot(workspace, lab, "prod", seat, name, datetime.now(UTC))

    return await run_in_threadpool(_begin("restore", work), request)


async def forget(request: Request) -> Response:
    """Delete a snapshot."""
    name = await _entered(request, "name")
    lab, seat = lab_named(request), request.path_params["seat"]
    await run_in_threadpool(delete_snapshots, site_of(request).workspace(), lab, "prod", seat, [name])
    return RedirectResponse(f"/courses/{request.path_params['course']}", 303)


def ask(request: Request) -> Response:
    """Ask once more before files are replaced."""
    lab, seat, kind = lab_named(request), request.path_params["seat"], request.url.path.rsplit("/", 1)[1]
    snapshot = request.query_params.get("name", "")
    return page(request, "sure.html", kind=kind, place=f"/labs/{lab}/seats/{seat}", lab=lab, snapshot=snapshot)


async def _entered(request: Request, name: str) -> str:
    async with request.form() as form:
        return str(form.get(name, "")).strip()


COPY = "/labs/{course}/{lab}/seats/{seat}"
ROUTES = [
    guarded(f"{COPY}/restart", _begin("restart", _restart), "repair", "POST"),
    guarded(f"{COPY}/reset", _begin("reset", _reset), "repair", "POST"),
    guarded(f"{COPY}/start_over", ask, "start over"),
    guarded(f"{COPY}/start_over", _begin("start_over", _reset), "start over", "POST"),
    guarded(f"{COPY}/progress", _begin("progress", _progress), "progress", "POST"),
    guarded(f"{COPY}/update", _begin("update", _update), "update", "POST"),
    guarded(f"{COPY}/snapshot", take, "snapshot", "POST"),
    guarded(f"{COPY}/restore", ask, "snapshot"),
    guarded(f"{COPY}/restore", put_back, "snapshot", "POST"),
    guarded(f"{COPY}/forget", forget, "snapshot", "POST"),
]
