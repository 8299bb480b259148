"""Creating: a form, what it changes in the spec, and the job that makes it so in the professor's copy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from generator.edit.changes import AddEntry, EditRefused, Remove, SetValue
from generator.edit.editor import edits, read
from generator.edit.lab import set_value
from generator.new_lab import example_names, lab_name_near
from generator.render.needs import needs
from generator.render.tree import spec_path
from generator.spec.load import load_lab
from generator.spec.rules.names import name_problems
from generator.spec.sources import MappingSources
from practicum.errors import TryAgainError, UnavailableError, UsageError
from practicum.stages.create import HEAD, Wish, deploy, with_machine
from practicum.stages.deployment import load_deployment
from practicum.stages.edits import difference, problems_of
from practicum.stages.new import from_example, not_there_yet
from practicum.stages.pipeline import seats_failed
from practicum.stages.workspace import Workspace, platforms_of
from practicum.web.access import courses_taught, require, user_of
from practicum.web.forms import Choice, Form, lab_fields, machine_fields, mark_problems, template_fields
from practicum.web.jobs import Job
from practicum.web.labs import lab_of
from practicum.web.messages import say
from practicum.web.pages import page
from practicum.web.site import Site, site_of
from practicum.web.vm import why_no_virtual_machines

__all__ = ["ROUTES"]

KINDS = ("container", "vm", "template")


@dataclass
class Creation:
    """What somebody wants to create: the form, and once it is filled well the files that change.

    `professor` is whose a new lab will be; empty for the operator, who decides that in the lab's file.
    """

    kind: str
    form: Form
    lab: str = ""
    machine: str = ""
    professor: str = ""
    changes: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What was shown to the person: something else must not be made."""
        parts = [path.encode() + b"\0" + data for path, data in sorted(self.changes.items())]
        return sha256(b"\0".join(parts)).hexdigest()


def show_form(request: Request) -> Response:
    """Show an empty form."""
    workspace = site_of(request).workspace()
    lab = _into(request)
    kind = _kind(request, workspace)
    return _page(request, Creation(kind, _form(workspace, kind, lab), lab))


async def take_form(request: Request) -> Response:
    """Show what is wrong with a form, or what it changes; once that was agreed to, begin."""
    async with request.form() as form:
        values = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_take, request, values)


def _take(request: Request, values: Mapping[str, str]) -> Response:
    site = site_of(request)
    workspace = site.workspace()
    head = workspace.repository.head()
    lab = _into(request)
    kind = _kind(request, workspace)
    creation = Creation(kind, _form(workspace, kind, lab), lab, professor=user_of(request).login)
    creation.form.fill(values)
    if creation.form.is_good:
        _work_out(workspace, creation, None if lab else _may_begin(request))
    if not creation.form.is_good:
        return _page(request, creation, 422)
    if values.get("agreed") != creation.digest:
        shown = difference(workspace, creation.changes)
        return page(request, "review.html", creation=creation, into=lab, lines=shown, values=_entered(creation))
    job = site.jobs.start("create", creation.lab, lambda job: _create(site, creation, head, job))
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _create(site: Site, creation: Creation, head: str, job: Job) -> None:
    workspace = site.workspace(job.emit)
    workspace.repository.synchronise()
    if workspace.repository.head() != head:
        raise TryAgainError(say("create.moved"), resolution=say("create.moved_way"))
    done = deploy(workspace, creation.lab, creation.changes, creation.professor)
    if done.failed:
        raise seats_failed(done)
    job.machine = creation.machine
    job.has_desktop = creation.machine in load_deployment(workspace, creation.lab, "dev").desktops


def _page(request: Request, creation: Creation, status: int = 200) -> Response:
    return page(request, "create.html", status, creation=creation, into=_into(request))


def _kind(request: Request, workspace: Workspace) -> str:
    kind = str(request.path_params["kind"])
    if kind not in KINDS or (kind == "template" and "lab" in request.path_params):
        raise HTTPException(404)
    if kind == "vm" and (why := why_no_virtual_machines(workspace)):
        raise UnavailableError(why)
    return kind


def _into(request: Request) -> str:
    """Return the lab that a machine is added to; empty for a new lab, which only who teaches may begin."""
    if "lab" in request.path_params:
        require(request, "make")
        return lab_of(request)
    if not user_of(request).is_operator and not courses_taught(request):
        raise HTTPException(403)
    return ""


def _may_begin(request: Request) -> Callable[[str], bool]:
    """Return what says of a course whether the user may begin labs in it; the operator may begin courses too."""
    return (lambda _course: True) if user_of(request).is_operator else courses_taught(request).__contains__


def _form(workspace: Workspace, kind: str, lab: str) -> Form:
    if kind == "template":
        return Form(template_fields(_examples(workspace)))
    machine = machine_fields(workspace.catalogue, kind)
    return Form(machine if lab else lab_fields() + machine)


def _entered(creation: Creation) -> dict[str, str]:
    return {one.name: one.value for one in creation.form.fields}


def _examples(workspace: Workspace) -> Iterator[Choice]:
    """Yield the examples; those that ask for what is not built cannot be chosen."""
    platforms = platforms_of(workspace.repository.sources(None))
    for name in example_names():
        files = from_example("course/lab", name)
        found = load_lab(MappingSources(files), spec_path("course/lab"), workspace.catalogue, platforms)
        title = found.lab.title if found.lab else name
        lacking = needs(found.lab, platforms["dev"]) if found.lab else ()
        yield Choice(name, title, lacking[0].missing if lacking else "" if found.lab else say("form.not_built"))


def _work_out(workspace: Workspace, creation: Creation, may_begin: Callable[[str], bool] | None) -> None:
    """Find out what changes, and put what speaks against it into the form; `may_begin` is for a new lab."""
    form = creation.form
    if may_begin is not None and not _name_lab(workspace, creation, may_begin):
        return
    try:
        changes = _from_template(workspace, creation) if creation.kind == "template" else _machine(workspace, creation)
    except UsageError as error:
        _beside(form, "name" if creation.kind != "template" else "template", error.message)
        return
    except EditRefused as refused:
        form.errors.append(refused.message)
        return
    if form.is_good:
        mark_problems(form, problems_of(workspace, creation.lab, changes), creation.machine)
        creation.changes = changes


def _name_lab(workspace: Workspace, creation: Creation, may_begin: Callable[[str], bool]) -> bool:
    """Give a new lab its name; False, and told beside the field, when it cannot have it."""
    lab = creation.form.text("lab")
    course, _, name = lab.partition("/")
    problems = list(name_problems(course, name)) if name else [say("form.lab_form")]
    if problems and (near := lab_name_near(lab)):
        problems.append(say("form.lab_near", near=near))
    if not problems and not may_begin(course):
        problems = [say("form.course_of_others", course=course)]
    if not problems and workspace.repository.sources(None).status(spec_path(lab)) != "missing":
        problems = [say("form.lab_taken", lab=lab)]
    for problem in problems:
        _beside(creation.form, "lab", problem)
    creation.lab = lab
    return not problems


def _from_template(workspace: Workspace, creation: Creation) -> dict[str, bytes]:
    files = from_example(creation.lab, creation.form.text("template"))
    spec = spec_path(creation.lab)
    files[spec] = set_value(files[spec], ("students",), creation.form.number("students"))
    files[spec] = _owned(files[spec], creation.professor)
    creation.machine = next(iter(read(files[spec]).data["machines"]), "")
    return not_there_yet(workspace.repository.root, files)


def _machine(workspace: Workspace, creation: Creation) -> dict[str, bytes]:
    form = creation.form
    entered = {key: form.text(key) or None for key in ("name", "memory", "disk")}
    kind = "vm" if creation.kind == "vm" else None
    wish = Wish(form.text("type"), cpu=form.number("cpu"), kind=kind, **entered)
    begin = HEAD if not form.text("lab") else _head(form, creation.professor)
    creation.machine, changes = with_machine(workspace, wish, creation.lab, begin)
    return changes


def _head(form: Form, professor: str) -> bytes:
    """Return the beginning of a new lab's spec."""
    title, students = SetValue(("title",), form.text("title")), SetValue(("students",), form.number("students"))
    return _owned(edits(HEAD, [title, students, Remove(("description",))]), professor)


def _owned(spec: bytes, professor: str) -> bytes:
    """Return a spec that says whose lab it is; as it is for the operator."""
    if not professor:
        return spec
    is_there = "professor" in read(spec).data
    return edits(spec, [SetValue(("professor",), professor) if is_there else AddEntry((), "professor", professor)])


def _beside(form: Form, name: str, words: str) -> None:
    next(one for one in form.fields if one.name == name).errors.append(words)


ROUTES = [
    Route(path, endpoint, methods=[method])
    for path in ("/create/{kind}", "/labs/{course}/{lab}/create/{kind}")
    for method, endpoint in (("GET", show_form), ("POST", take_form))
]
