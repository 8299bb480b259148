"""Verbs of people who write labs: init, types, validate, generate."""

import sys
from pathlib import Path

import click

from generator.catalogue.load import load_catalogue
from generator.diagnostics.report import FORMATS
from generator.generate import find_labs
from generator.new_lab import new_spec
from generator.render.tree import spec_path
from practicum.cli.context import Context, lab_argument, pass_context
from practicum.cli.diagnostics import diagnostics_text
from practicum.cli.tables import show, types_table
from practicum.errors import InputError, UsageError
from practicum.stages.generate import generate as compute
from practicum.stages.generate import preview as write_preview
from practicum.stages.init import init as make_repository
from practicum.stages.validate import validate as check
from practicum.stages.workspace import Workspace, require_lab

STALE = 1


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--remote", type=click.Path(path_type=Path), help="The bare repository to make as origin [FOLDER.git].")
def init(folder: Path, remote: Path | None) -> None:
    """Make a fresh GitOps repository for your labs."""
    repository = make_repository(folder, remote)
    click.echo(f"{repository.root}: ready. Write a lab to labs/COURSE/LAB.lab.yaml, then: practicum validate")


@click.command()
@lab_argument
@click.option("--title", default="", help="What students see [the lab's name].")
@click.option("--type", "type_name", default="webserver", show_default=True, help="The type of its first machine.")
@click.option("--students", default="30", show_default=True, help="How many seats, or a roster's file name.")
@pass_context
def new(context: Context, lab: str, title: str, type_name: str, students: str) -> None:
    """Write a commented spec to begin with: labs/COURSE/LAB.lab.yaml"""
    path = context.workspace().repository.root / spec_path(lab)
    if path.exists():
        raise UsageError(f"{spec_path(lab)} is there already", resolution="choose another name")
    if type_name not in load_catalogue():
        raise UsageError(f"unknown type '{type_name}'", resolution=f"types are: {', '.join(load_catalogue())}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new_spec(title or lab.split("/")[1].replace("-", " ").capitalize(), type_name, students), "utf-8")
    click.echo(f"{path}: edit it, then: practicum pipeline {lab}")


@click.command()
def types() -> None:
    """Show the machine types that a lab can use."""
    show(types_table(load_catalogue()))


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|LAB]…")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@pass_context
def validate(context: Context, paths: tuple[str, ...], form: str) -> None:
    """Check specs; no effects. Without PATH all labs are checked."""
    workspace = context.workspace()
    sources = workspace.repository.sources(None)
    labs = [_lab_of(workspace, path) for path in paths]
    for lab in labs:
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
@pass_context
def generate(context: Context, labs: tuple[str, ...], only_check: bool, preview: Path | None) -> None:
    """Write the generated files of your copy; commit them to deploy."""
    workspace = context.workspace()
    sources = workspace.repository.sources(None)
    names = [_lab_of(workspace, lab) for lab in labs]
    for lab in names:
        require_lab(sources, lab)
    if preview is not None:
        written = write_preview(workspace, sources, names, preview)
        click.echo(f"{len(written)} files in {preview}")
        return
    changes = compute(workspace, sources, names)
    for path, data in sorted(changes.items()):
        click.echo(f"{'stale' if only_check else 'removed' if data is None else 'written'}: {path}")
    if only_check:
        click.get_current_context().exit(STALE if changes else 0)
    workspace.repository.write(changes)
    if not changes:
        click.echo("nothing to do: the generated files are up to date", err=True)


def _lab_of(workspace: Workspace, text: str) -> str:
    """Return COURSE/LAB of a lab name or of a path to a spec."""
    if text.endswith(".lab.yaml"):
        path = Path(text).resolve()
        root = workspace.repository.root
        text = path.relative_to(root).as_posix() if path.is_relative_to(root) else text
    return text.removeprefix("labs/").removesuffix(".lab.yaml")


COMMANDS = (init, new, types, validate, generate)
