"""The page of a student: one address for a course, with their own machines of every lab of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from generator.generate import find_labs
from practicum.errors import PracticumError
from practicum.lxd.snapshots import Snapshot
from practicum.stages.deployment import Deployment, committed_release, load_deployment
from practicum.stages.snapshots import list_snapshots
from practicum.stages.status import MachineStatus, status
from practicum.stages.wishes import Wish, pending
from practicum.stages.workspace import Workspace
from practicum.web.access import guarded, lab_named, user_of
from practicum.web.audit import Visit
from practicum.web.labs import lab_title
from practicum.web.messages import say
from practicum.web.pages import error_lines, fragment
from practicum.web.roles import labs_of, staff_of
from practicum.web.site import Site, site_of
from practicum.web.terminal import terminal_page

__all__ = ["ROUTES"]


@dataclass(frozen=True)
class MineView:
    """A student's copy of one lab. `fix` says when a new system comes; `problem` why the copy cannot be shown."""

    lab: str
    seat: str
    title: str
    machines: Sequence[MachineStatus] = ()
    snapshots: Sequence[Snapshot] = ()
    visits: Sequence[Visit] = ()
    checks: int = 0
    fix: str = ""
    problem: PracticumError | None = None

    @property
    def place(self) -> str:
        """Where the copy's own addresses begin."""
        return f"/labs/{self.lab}/seats/{self.seat}"

    @property
    def problem_lines(self) -> list[str]:
        """What belongs to the problem beside its message."""
        return error_lines(self.problem) if self.problem else []


def show_course(request: Request) -> Response:
    """Show a student's machines of a course; whoever is on no list of it learns whom to ask."""
    site, course = site_of(request), request.path_params["course"]
    workspace, user = site.workspace(), user_of(request)
    labs = {lab: one for lab, one in labs_of(workspace, user).items() if lab.split("/")[0] == course}
    mine = [_view(site, workspace, lab, one.seat) for lab, one in labs.items() if one.role == "student"]
    teachers = () if labs else _teachers(workspace, course)
    teaches = [lab for lab, one in labs.items() if one.is_staff]
    return terminal_page(request, "course.html", course=course, mine=mine, teaches=teaches, teachers=teachers)


def show_machines(request: Request) -> Response:
    """Show the part of the page that changes by itself: the machines of one copy."""
    lab, seat = lab_named(request), request.path_params["seat"]
    rows = status(site_of(request).workspace(), lab, "prod", [seat])
    return HTMLResponse(fragment("machines.html", place=f"/labs/{lab}/seats/{seat}", machines=rows))


def _view(site: Site, workspace: Workspace, lab: str, seat: str) -> MineView:
    title = lab_title(workspace, lab)
    try:
        if committed_release(workspace, lab, "prod") is None:
            return MineView(lab, seat, title)
        deployment = load_deployment(workspace, lab, "prod")
        if seat not in deployment.seats:
            return MineView(lab, seat, title)
        machines = status(workspace, lab, "prod", [seat])
        if all(row.state == "absent" for row in machines):
            return MineView(lab, seat, title)
        found = list_snapshots(workspace, lab, "prod", seat)[::-1]
        wish = pending(workspace.lxd(deployment.platform), deployment).get(seat)
        checks, fix = len(shown_checks(deployment)), _when(wish)
        return MineView(lab, seat, title, machines, found, site.audit.of(lab, seat), checks, fix)
    except PracticumError as error:
        return MineView(lab, seat, title, problem=error)


def shown_checks(deployment: Deployment) -> list[Mapping[str, Any]]:
    """Return the checks of progress that students see."""
    return [one for one in deployment.shared["checks"] if one["when"] != "smoke" and not one["hidden"]]


def _when(wish: Wish | None) -> str:
    """Return in words when a new system comes; empty when none does."""
    if wish is None:
        return ""
    latest = f"{wish.when.by.astimezone():%Y-%m-%d %H:%M}" if wish.when.by else ""
    if wish.when.idle:
        return say("mine.fix_idle_by", by=latest) if latest else say("mine.fix_idle")
    return say("mine.fix_by", by=latest) if latest else say("mine.fix_soon")


def _teachers(workspace: Workspace, course: str) -> Sequence[str]:
    sources = workspace.repository.sources("HEAD")
    labs = [lab for lab in find_labs(sources) if lab.split("/")[0] == course]
    return sorted({name for lab in labs if (name := staff_of(sources, lab)[0])})


ROUTES = [
    # Everybody who is signed in may ask: it shows what is their own.
    Route("/courses/{course}", show_course),
    guarded("/labs/{course}/{lab}/seats/{seat}/machines", show_machines, "see seat"),
]
