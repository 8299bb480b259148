"""Verbs of people who write labs: init, new, types, explain, validate, generate."""

import sys
from pathlib import Path

import click

from generator.catalogue.load import load_catalogue
from generator.diagnostics.report import FORMATS
from generator.generate import find_labs
from generator.render.tree import spec_path
from generator.spec.sources import Sources
from practicum.cli.context import Context, pass_context, yes_option
from practicum.cli.diagnostics import diagnostics_text
from practicum.cli.explain import explain
from practicum.cli.new import new
from practicum.errors import InputError, UsageError
from practicum.stages.generate import abandoned, removed
from practicum.stages.generate import generate as compute
from practicum.stages.generate import preview as write_preview
from practicum.stages.validate import validate as check
from practicum.stages.workspace import Workspace, require_lab

STALE = 1


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--remote", type=click.Path(path_type=Path), help="The bare repository to make as origin [FOLDER.git].")
@click.option("--gitlab", "project", metavar="GROUP/PROJECT|URL", help="Make this GitLab project ready; a plan first.")
@click.option(
    "--server", metavar="URL", envvar="CI_SERVER_URL", help="The GitLab of GROUP/PROJECT [https://gitlab.com]."
)
@yes_option
@pass_context
def init(context: Context, folder: Path | None, remote: Path | None, project: str | None, server: str | None) -> None:
    """Make a fresh GitOps repository for your labs; with --gitlab, make its project on GitLab ready."""
    if folder is None and project is None:
        raise UsageError("name the folder for the repository", resolution="practicum init FOLDER")
    if folder is not None:
        from practicum.stages.init import init as make_repository  # and with it LXD's client

        repository = make_repository(folder, remote)
        click.echo(f"{repository.root}: ready. Write your first lab: practicum new COURSE/LAB")
        context.folder = repository.root
    if project is not None:
        _prepare_project(context, project, server)


def _prepare_project(context: Context, project: str, server: str | None) -> None:
    from practicum.cli.tables import project_table, show
    from practicum.stages.gitlab_project import DEFAULT_SERVER, apply_project, plan_project, project_url

    url = project_url(project, server or DEFAULT_SERVER)
    plan = plan_project(context.workspace(), url)
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
    if not (plan.changes or plan.files):
        click.echo(f"nothing to do: {url} is ready", err=True)
        return
    show(project_table(plan))
    context.confirm(f"Change {url} like this, and commit these files here?")
    with context.display() as display:
        apply_project(context.workspace(display), plan)
    click.echo(
        f"{url} is ready. Send main there: git remote set-url origin {url}.git && git push -u origin main", err=True
    )


@click.command()
def types() -> None:
    """Show the machine types that a lab can use."""
    from practicum.cli.tables import show, types_table  # and with them rich

    show(types_table(load_catalogue()))


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|LAB]…")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@pass_context
def validate(context: Context, paths: tuple[str, ...], form: str) -> None:
    """Check specs; no effects. Without PATH all labs are checked."""
    workspace = context.workspace()
    sources = workspace.repository.sources(None)
    labs = list(dict.fromkeys(lab for path in paths for lab in _labs_of(workspace, sources, path)))
    for lab in labs:
        if sources.status(spec_path(lab)) != "file":  # a path may also be an example in a folder that is no course
            require_lab(sources, lab)
    problems = check(workspace, sources, labs)
    checked = [spec_path(lab) for lab in labs or find_labs(sources)]
    if text := diagnostics_text(workspace.repository.root, problems, form, checked, colour=sys.stdout.isatty()):
        click.echo(text)
    errors = sum(problem.severity == "error" for problem in problems)
    if form == "text":
        click.echo(
            f"{len(checked)} lab{'s' * (len(checked) != 1)} checked, {errors} error{'s' * (errors != 1)}", err=True
        )
    if errors:
        click.get_current_context().exit(InputError.exit_code)


@click.command()
@click.argument("labs", nargs=-1, metavar="[LAB]…")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say what is stale and exit with 1.")
@click.option("--preview", type=click.Path(path_type=Path), help="Render what prod would be into this folder.")
@click.option("--publish", is_flag=True, help="For pipelines on main: commit what changed, and push it.")
@pass_context
def generate(context: Context, labs: tuple[str, ...], only_check: bool, preview: Path | None, publish: bool) -> None:
    """Write the generated files of your copy; commit them to deploy."""
    if publish:
        _publish(context, alone=not (labs or only_check or preview))
        return
    workspace = context.workspace()
    sources = workspace.repository.sources(None)
    names = [_lab_of(workspace, lab) for lab in labs]
    for lab in names:
        require_lab(sources, lab)
    if preview is not None:
        written = write_preview(workspace, sources, names, preview)
        click.echo(f"{len(written)} files in {preview}")
        return
    left = [] if names else abandoned(sources)
    changes = compute(workspace, sources, names) | removed(left)
    for path, data in sorted(changes.items()):
        click.echo(f"{'stale' if only_check else 'removed' if data is None else 'written'}: {path}")
    for one in [one for one in left if only_check or not one.destroyed]:
        where = f"environments/{one.environment}/{one.lab}"
        click.echo(f"stale: {where}: labs/{one.lab}.lab.yaml is gone; {one.advice}", err=not only_check)
    if only_check:
        click.get_current_context().exit(STALE if changes or left else 0)
    workspace.repository.write(changes)
    if not changes:
        click.echo("nothing to do: the generated files are up to date", err=True)


def _publish(context: Context, *, alone: bool) -> None:
    from practicum.stages.publish import publish_generated

    if not alone:
        raise UsageError("--publish is about all labs as main has them, so it takes no lab and no other option")
    with context.display() as display:
        made = publish_generated(context.workspace(display))
    click.echo(f"pushed {made[:7]}" if made else "nothing to do: main's generated files are up to date", err=True)


def _lab_of(workspace: Workspace, text: str) -> str:
    """Return COURSE/LAB of a lab name or of a path to a spec."""
    if text.endswith(".lab.yaml"):
        path = Path(text).resolve()
        root = workspace.repository.root
        text = path.relative_to(root).as_posix() if path.is_relative_to(root) else text
    return text.removeprefix("labs/").removesuffix(".lab.yaml")


def _labs_of(workspace: Workspace, sources: Sources, text: str) -> list[str]:
    """Return the lab that a name or a file means, or all labs of a folder. Raises UsageError for any other file."""
    lab, root = _lab_of(workspace, text), workspace.repository.root
    if text.endswith(".lab.yaml") or sources.status(spec_path(lab)) == "file":
        return [lab]
    place = next((place for place in (Path(text), root / text) if text and _exists(place)), None)
    if place is None:
        return [lab]
    found = [one for one in find_labs(sources) if (root / spec_path(one)).is_relative_to(place.resolve())]
    if not found:
        what = "holds no lab" if place.is_dir() else "is no spec: their names end in .lab.yaml"
        every = "without a name, `practicum validate` checks all labs and the platform files"
        raise UsageError(f"'{text}' {what}", resolution=every)
    return found


def _exists(place: Path) -> bool:
    """Say whether there is such a file or folder; a name that is too long for one is none."""
    try:
        return place.exists()
    except OSError:
        return False


COMMANDS = (init, new, types, explain, validate, generate)
