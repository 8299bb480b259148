"""The lab's file as text: problems while it is written, what changes in it, and the job that makes it so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from generator.diagnostics.diagnostic import Diagnostic
from generator.render.tree import spec_path
from generator.spec.reader import MAX_BYTES, read_document
from practicum.errors import InputError, TryAgainError
from practicum.stages.create import deploy
from practicum.stages.edits import difference, problems_of
from practicum.stages.pipeline import seats_failed
from practicum.stages.workspace import Workspace
from practicum.web.access import guarded, user_of
from practicum.web.forms import sentences
from practicum.web.jobs import Job
from practicum.web.labs import lab_of
from practicum.web.messages import say
from practicum.web.pages import fragment, page
from practicum.web.site import Site, site_of

__all__ = ["ROUTES"]

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """A problem as the page lists it. One in another file, which `place` names, has line and column 0."""

    severity: str
    line: int
    column: int
    place: str
    words: str


@dataclass(frozen=True)
class Draft:
    """A lab's file as somebody has it in their browser. `base` is the digest of the file that they began with."""

    lab: str
    before: bytes
    text: str
    base: str
    problems: tuple[Problem, ...] = ()

    @property
    def data(self) -> bytes:
        """The file as it would be: browsers send Windows line ends, whatever the file has."""
        text = self.text.replace("\r\n", "\n")
        plain = (text.replace("\n", "\r\n") if b"\r\n" in self.before else text).encode()
        return BOM + plain if self.before.startswith(BOM) else plain

    @property
    def changes(self) -> dict[str, bytes]:
        """The file by its path."""
        return {spec_path(self.lab): self.data}

    @property
    def is_outdated(self) -> bool:
        """Say whether somebody else changed the file meanwhile."""
        return self.base != digest(self.before)

    @property
    def is_wrong(self) -> bool:
        """Say whether there are errors in it."""
        return any(one.severity == "error" for one in self.problems)


def digest(data: bytes) -> str:
    """Return what tells versions of a file apart."""
    return sha256(data).hexdigest()


def show(request: Request) -> Response:
    """Show the lab's file as it is now."""
    lab, workspace = lab_of(request), site_of(request).workspace()
    before = _file(workspace, lab)
    text = before.removeprefix(BOM).decode()
    return _page(request, _judged(workspace, Draft(lab, before, text, digest(before))))


async def check(request: Request) -> Response:
    """Show what is wrong with a text; nothing is written."""
    values = await _entered(request)
    return await run_in_threadpool(_check, request, values)


async def take(request: Request) -> Response:
    """Show what a text changes, or why it cannot be; once that was agreed to, begin."""
    values = await _entered(request)
    return await run_in_threadpool(_take, request, values)


def _check(request: Request, values: Mapping[str, str]) -> Response:
    lab, workspace = lab_of(request), site_of(request).workspace()
    return HTMLResponse(fragment("problems.html", draft=_judged(workspace, _draft(workspace, lab, values))))


def _take(request: Request, values: Mapping[str, str]) -> Response:
    site, lab = site_of(request), lab_of(request)
    workspace = site.workspace()
    draft = _judged(workspace, _draft(workspace, lab, values))
    lines = difference(workspace, draft.changes)
    if draft.is_outdated:
        return _page(request, replace(draft, base=digest(draft.before)), 409, lines, moved=True)
    if draft.is_wrong:
        return _page(request, draft, 422)
    if not lines or "again" in values:
        return _page(request, draft)
    gone = _machines(draft.before) - _machines(draft.data)
    if values.get("agreed") != digest(draft.data):
        return page(request, "edited.html", draft=draft, lines=lines, agreed=digest(draft.data), gone=sorted(gone))
    by = user_of(request).login
    job = site.jobs.start("edit", lab, lambda job: _save(site, draft, by, job, agreed=bool(gone)))
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _save(site: Site, draft: Draft, by: str, job: Job, *, agreed: bool) -> None:
    workspace = site.workspace(job.emit)
    workspace.repository.synchronise()
    if _file(workspace, draft.lab) != draft.before:
        # Nothing that was written is lost: what it would have changed is told.
        lines = "\n".join(difference(workspace, draft.changes))
        raise TryAgainError(say("editor.moved_late"), details=lines, resolution=say("editor.moved_late_way"))
    done = deploy(workspace, draft.lab, draft.changes, by, agreed=agreed)
    if done.failed:
        raise seats_failed(done)


def _page(
    request: Request, draft: Draft, status: int = 200, lines: list[str] | None = None, *, moved: bool = False
) -> Response:
    nothing = request.method == "POST" and not (moved or draft.is_wrong) and draft.data == draft.before
    shown = {"draft": draft, "lines": lines or [], "moved": moved, "nothing": nothing, "most": MAX_BYTES}
    return page(request, "edit.html", status, **shown)


def _draft(workspace: Workspace, lab: str, values: Mapping[str, str]) -> Draft:
    return Draft(lab, _file(workspace, lab), values.get("text", ""), values.get("base", ""))


def _judged(workspace: Workspace, draft: Draft) -> Draft:
    found = problems_of(workspace, draft.lab, draft.changes)
    return replace(draft, problems=tuple(_problems(found, spec_path(draft.lab))))


def _problems(found: list[Diagnostic], path: str) -> Iterator[Problem]:
    for one in found:
        here, at = one.file == path, one.position
        place = say("editor.line", line=at.line) if here else f"{one.file}:{at.line}"
        yield Problem(one.severity, at.line * here, at.column * here, place, sentences(one))


def _file(workspace: Workspace, lab: str) -> bytes:
    """Return the lab's file. Raises InputError for one that cannot be shown as text."""
    data = workspace.repository.sources(None).read(spec_path(lab))
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise InputError(say("editor.no_text", path=spec_path(lab)), resolution=say("editor.no_text_way")) from error
    if len(data) > MAX_BYTES:
        raise InputError(say("editor.large", path=spec_path(lab)), resolution=say("editor.no_text_way"))
    return data


def _machines(spec: bytes) -> set[str]:
    found = read_document(spec, "").document
    machines = found.data.get("machines") if found and isinstance(found.data, dict) else None
    return set(machines) if isinstance(machines, dict) else set()


async def _entered(request: Request) -> dict[str, str]:
    async with request.form(max_part_size=MAX_BYTES) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


FILE = "/labs/{course}/{lab}/file"
ROUTES = [
    guarded(FILE, show, "make"),
    guarded(FILE, take, "make", "POST"),
    guarded(f"{FILE}/check", check, "make", "POST"),
]
