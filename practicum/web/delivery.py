"""From the professor's copy to the class: checks, a checkpoint, the plan, and the deployment to all students."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from generator.render.tree import lab_folder
from generator.seats.names import PROFESSOR, is_student
from practicum.errors import PracticumError, TryAgainError, UnavailableError
from practicum.probes.model import ProbeResult, failures
from practicum.stages.checkpoint import prove, take_checkpoint
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.deployment import committed_release, load_deployment
from practicum.stages.forge import has_token
from practicum.stages.generate import render_prod
from practicum.stages.outcomes import Changed
from practicum.stages.promote import promote
from practicum.stages.releases import is_proved
from practicum.stages.smoke import smoke
from practicum.stages.status import MachineStatus, status
from practicum.stages.workspace import Workspace
from practicum.web.access import guarded
from practicum.web.jobs import Job
from practicum.web.labs import lab_of, lab_title
from practicum.web.messages import say
from practicum.web.pages import page
from practicum.web.site import Site, site_of

__all__ = ["ROUTES"]

LONGEST_MESSAGE = 500
# What a delivery says of seats that it left as they were.
UNTOUCHED = ("left alone", "pending", "stopped")


@dataclass(frozen=True)
class DeployPlan:
    """What "Deploy to all students" would do. `new` students get their first machines, `present` have some already."""

    checkpoint: int
    message: str
    new: int
    present: int
    machines: int

    @property
    def students(self) -> int:
        """How many students get it."""
        return self.new + self.present


def run_checks(request: Request) -> Response:
    """Begin to run the checks in the professor's copy."""
    site, lab = site_of(request), lab_of(request)
    return _watch(site.jobs.start("checks", lab, lambda job: _check(site, lab, job)))


async def take(request: Request) -> Response:
    """Begin to take a checkpoint."""
    async with request.form() as form:
        message = str(form.get("message", "")).strip()[:LONGEST_MESSAGE]
    site, lab = site_of(request), await run_in_threadpool(lab_of, request)
    return _watch(site.jobs.start("checkpoint", lab, lambda job: _checkpoint(site, lab, message, job)))


def show_plan(request: Request) -> Response:
    """Show what would change for whom, and ask."""
    lab = lab_of(request)
    workspace = site_of(request).workspace()
    plan = plan_of(workspace, lab)
    return page(request, "deploy.html", lab=lab, title=lab_title(workspace, lab), plan=plan, changed=get_args(Changed))


async def deploy(request: Request) -> Response:
    """Begin to deploy to all students, or to those for whom it failed."""
    async with request.form() as form:
        chosen = [str(seat) for seat in form.getlist("seat")]
        changed = str(form.get("changed", "ask"))
        agreed = str(form.get("checkpoint", ""))
    site, lab = site_of(request), await run_in_threadpool(lab_of, request)
    how = cast("Changed", changed if changed in get_args(Changed) else "ask")
    return _watch(site.jobs.start("deploy", lab, lambda job: _deploy(site, lab, chosen, how, agreed, job)))


def plan_of(workspace: Workspace, lab: str) -> DeployPlan:
    """Return the plan of what a promotion would take. Raises UnavailableError unless that passed its trial."""
    pins = load_deployment(workspace, lab, "dev").release
    if pins is None:
        raise UnavailableError(say("lab.no_checkpoint"), resolution=say("deploy.way"))
    if not is_proved(workspace, lab, pins):
        raise UnavailableError(say("deploy.unproved", number=pins["checkpoint"]), resolution=say("deploy.way"))
    tree = render_prod(workspace, lab, pins["spec_commit"], workspace.repository.sources("HEAD"))
    folder = f"{lab_folder('prod', lab)}/lxd/"
    seats = {path.removeprefix(folder).removesuffix(".yaml") for path in tree if path.startswith(folder)}
    students = {seat for seat in seats if is_student(seat)}
    present = {row.seat for row in _class(workspace, lab) if row.state != "absent"} & students
    message, machines = str(pins.get("message", "")), len(pins["images"])
    return DeployPlan(pins["checkpoint"], message, len(students - present), len(present), machines)


def _class(workspace: Workspace, lab: str) -> list[MachineStatus]:
    if committed_release(workspace, lab, "prod") is None:
        return []
    return [row for row in status(workspace, lab, "prod") if is_student(row.seat)]


def _check(site: Site, lab: str, job: Job) -> None:
    results = smoke(site.workspace(job.emit), lab, "dev")
    job.results = tuple(results)
    _require_passed(results)


def _checkpoint(site: Site, lab: str, message: str, job: Job) -> None:
    workspace = site.workspace(job.emit)
    take_checkpoint(workspace, lab, message)
    proof = prove(workspace, lab)
    job.results = proof.results
    _require_passed(proof.results)


def _deploy(site: Site, lab: str, chosen: Sequence[str], changed: Changed, agreed: str, job: Job) -> None:
    workspace, job.changed = site.workspace(job.emit), changed
    if not chosen:
        _require_agreed(workspace, lab, agreed)
        promotion = promote(workspace, lab, at_once=has_token())
        if promotion.request:
            raise UnavailableError(
                say("deploy.request", url=promotion.request.url), resolution=say("deploy.request_way")
            )
    rows = [row for row in _class(workspace, lab) if not chosen or row.seat in chosen]
    job.expect([(row.seat, row.machine) for row in rows])
    done = deliver(workspace, lab, chosen, changed)
    failed = _judge(job, done)
    if job.failed_seats():
        raise PracticumError(say("deploy.failed", **job.counts()), resolution=say("deploy.retry_way"))
    if failed:
        details = "\n".join(f"{seat}: {why}" for seat, why in failed)
        raise PracticumError(say("deploy.failed_yours"), details=details, resolution=say("deploy.failed_yours_way"))


def _require_agreed(workspace: Workspace, lab: str, agreed: str) -> None:
    """Raise TryAgainError when students would get another checkpoint than the one that was shown."""
    workspace.repository.synchronise()
    now = plan_of(workspace, lab).checkpoint
    if str(now) != agreed:
        raise TryAgainError(say("deploy.moved", number=now), resolution=say("deploy.moved_way"))


def _judge(job: Job, done: Delivery) -> list[tuple[str, str]]:
    """Say how each student's machines ended; return what failed and why, the professor's copy too.

    Whoever was not checked since the professor's copy failed is not judged.
    """
    failed = [(one.seat, one.detail) for one in done.outcomes if one.what == "failed"]
    failed += [(one.seat, f"{one.name}: {one.detail}") for one in failures(done.results)]
    for seat, why in failed:
        job.judge(seat, "failed", why)
    checked = {result.seat for result in done.results}
    unseen = any(one.what == "failed" and one.seat == PROFESSOR for one in done.outcomes)
    for outcome in done.outcomes:
        if outcome.what in UNTOUCHED:
            job.judge(outcome.seat, "ready", say("deploy.untouched"))
        elif outcome.seat in checked:
            job.judge(outcome.seat, "ready")
        elif not unseen:
            job.judge(outcome.seat, "ready", say("deploy.unchecked"))
    return failed


def _require_passed(results: Sequence[ProbeResult]) -> None:
    failed = failures(results)
    if failed:
        lines = "\n".join(f"{one.name}: {one.detail}" for one in failed)
        message = say("checks.failed", failed=len(failed), all=len(results))
        raise PracticumError(message, details=lines, resolution=say("checks.way"))


def _watch(job: Job) -> Response:
    return RedirectResponse(f"/jobs/{job.id}", 303)


ROUTES = [
    guarded("/labs/{course}/{lab}/checks", run_checks, "make", "POST"),
    guarded("/labs/{course}/{lab}/checkpoint", take, "make", "POST"),
    guarded("/labs/{course}/{lab}/deploy", show_plan, "deploy"),
    guarded("/labs/{course}/{lab}/deploy", deploy, "deploy", "POST"),
]
