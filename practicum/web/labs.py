"""The pages that show: all labs, and one lab with its machines, checks, checkpoints and class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from generator.generate import find_labs
from generator.render.tree import spec_path
from generator.seats.names import PROFESSOR
from generator.spec.reader import read_document
from practicum.errors import PracticumError
from practicum.stages.checkpoint_view import checkpoints
from practicum.stages.deployment import load_deployment
from practicum.stages.overview import overview
from practicum.stages.status import MachineStatus, status
from practicum.stages.workspace import Workspace
from practicum.web.access import courses_taught, guarded, lab_named, standing_of, user_of
from practicum.web.classroom import ClassView, class_view
from practicum.web.jobs import Job
from practicum.web.messages import say
from practicum.web.pages import error_lines, fragment, page
from practicum.web.roles import MAY, labs_of
from practicum.web.site import site_of
from practicum.web.terminal import terminal_page
from practicum.web.vm import why_no_virtual_machines

__all__ = ["ROUTES", "lab_of", "lab_title"]


@dataclass(frozen=True)
class LabView:
    """What a lab's page shows. `problem` is why nothing of it can be shown; `no_deploy` why the class cannot get it."""

    lab: str
    title: str
    machines: Sequence[MachineStatus] = ()
    checks: Sequence[str] = ()
    checkpoints: Sequence[Mapping[str, Any]] = ()
    students: ClassView = field(default_factory=ClassView)
    problem: PracticumError | None = None

    @property
    def problem_lines(self) -> list[str]:
        """What belongs to the problem beside its message."""
        return error_lines(self.problem) if self.problem else []

    @property
    def no_deploy(self) -> str:
        """Why the class cannot get this lab now; empty when it can."""
        return "" if self.checkpoints else say("lab.no_checkpoint")

    @property
    def no_checkpoint(self) -> str:
        """Why no checkpoint can be taken now; empty when it can."""
        running = self.machines and all(row.state == "running" for row in self.machines)
        return "" if running else say("lab.not_running")


def lab_of(request: Request, *, must_exist: bool = True) -> str:
    """Return the lab that a request's address names; 404 for one that there is not."""
    lab = lab_named(request)
    if must_exist and lab not in find_labs(site_of(request).workspace().repository.sources(None)):
        raise HTTPException(404)
    return lab


def lab_title(workspace: Workspace, lab: str) -> str:
    """Return what students see as the lab's name; COURSE/LAB while its spec cannot be read."""
    sources, path = workspace.repository.sources(None), spec_path(lab)
    found = read_document(sources.read(path), path).document if sources.status(path) == "file" else None
    data = found.data if found else None
    return str(data.get("title", lab)) if isinstance(data, dict) else lab


def show_start(request: Request) -> Response:
    """Show the labs of who teaches, or on a blank slate how to begin; students are led to their course."""
    workspace, user = site_of(request).workspace(), user_of(request)
    standings = labs_of(workspace, user)
    labs = [lab for lab, standing in standings.items() if standing.is_staff]
    if not labs and not user.is_operator:
        return _lead(request, sorted({lab.split("/")[0] for lab in standings}))
    rows = [row for row in overview(workspace) if row.lab in labs]
    titles = {lab: lab_title(workspace, lab) for lab in labs}
    begins = user.is_operator or bool(courses_taught(request))
    no_vm = why_no_virtual_machines(workspace) if begins else ""
    return page(request, "start.html", rows=rows, titles=titles, begins=begins, no_vm=no_vm)


def _lead(request: Request, courses: Sequence[str]) -> Response:
    if len(courses) == 1:
        return RedirectResponse(f"/courses/{courses[0]}", 303)
    return page(request, "which.html", courses=courses)


def show_lab(request: Request) -> Response:
    """Show one lab."""
    site, lab = site_of(request), lab_of(request)
    workspace = site.workspace()
    jobs = {kind: site.jobs.last(lab, kind) for kind in ("checks", "checkpoint", "deploy")}
    can = MAY[standing_of(request, lab).role]
    no_vm = why_no_virtual_machines(workspace) if "make" in can else ""
    view = _view(workspace, lab, request.query_params.get("group", ""), site.jobs.last(lab, "progress"))
    return terminal_page(request, "lab.html", view=view, jobs=jobs, lab=lab, can=can, no_vm=no_vm)


def show_machines(request: Request) -> Response:
    """Show the part of a lab's page that changes by itself: the professor's machines."""
    lab = lab_of(request)
    rows = _machines(site_of(request).workspace(), lab)
    return HTMLResponse(fragment("machines.html", place=f"/labs/{lab}", machines=rows))


def _view(workspace: Workspace, lab: str, group: str, looked: Job | None) -> LabView:
    title = lab_title(workspace, lab)
    try:
        machines = _machines(workspace, lab)
        deployment = load_deployment(workspace, lab, "dev")
        known = list(checkpoints(workspace, lab).values())[::-1]
        checks = [str(check["name"]) for check in deployment.shared["checks"]]
        return LabView(lab, title, machines, checks, known, class_view(workspace, lab, group, looked))
    except PracticumError as error:
        return LabView(lab, title, problem=error)


def _machines(workspace: Workspace, lab: str) -> list[MachineStatus]:
    return [row for row in status(workspace, lab, "dev") if row.seat == PROFESSOR]


ROUTES = [
    Route("/", show_start),
    guarded("/labs/{course}/{lab}", show_lab, "see lab"),
    guarded("/labs/{course}/{lab}/machines", show_machines, "own copy"),
]
