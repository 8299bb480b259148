"""The verb `new`: a lab to begin with, by flags, by an example, or by three questions in a terminal."""

import re
import sys
from dataclasses import dataclass

import click

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from generator.new_lab import ROSTER_HEAD, lab_name_near, new_spec
from generator.render.tree import spec_path
from generator.spec.rules.names import name_problems
from generator.spec.words import did_you_mean, nearest_choice
from practicum.cli.context import Context, pass_context
from practicum.errors import UsageError
from practicum.stages.new import from_example, not_there_yet

_ROSTER = re.compile(r"[^/\\]+\.csv")
_TYPE, _STUDENTS = "webserver", "30"


@dataclass(frozen=True)
class _Wishes:
    title: str
    machine_type: str
    students: str


def lab_to_make(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return COURSE/LAB. Raises BadParameter with the rule and a near name for a bad one."""
    name = value.removeprefix("labs/").removesuffix(".lab.yaml")
    course, slash, lab = name.partition("/")
    problems = list(name_problems(course, lab)) if slash else ["a lab is called COURSE/LAB, such as net101/firewalls"]
    if problems:
        raise click.BadParameter("; ".join(problems) + did_you_mean(lab_name_near(name)))
    return name


@click.command()
@click.argument("lab", metavar="LAB", callback=lab_to_make)
@click.option("--title", default="", help="What students see [the lab's name].")
@click.option("--type", "machine_type", default="", help=f"The type of its first machine [{_TYPE}].")
@click.option("--students", default="", help=f"How many seats, or a roster's file name [{_STUDENTS}].")
@click.option("--from", "example_name", default="", help="Begin with a copy of this example, with its files.")
@pass_context
def new(context: Context, lab: str, title: str, machine_type: str, students: str, example_name: str) -> None:
    """Write a commented spec to begin with: labs/COURSE/LAB.lab.yaml

    In a terminal, and without options, three questions are asked.
    """
    repository = context.workspace().repository
    if (repository.root / spec_path(lab)).exists():
        raise UsageError(f"{spec_path(lab)} is there already", resolution="choose another name")
    if example_name:
        if title or machine_type or students:
            raise UsageError("--from copies an example as it is", resolution="edit the copy, or leave --from out")
        changes = from_example(lab, example_name)
    else:
        asked = sys.stdin.isatty() and not (title or machine_type or students or context.yes)
        changes = _from_wishes(lab, _ask(lab) if asked else _given(lab, title, machine_type, students))
    written = not_there_yet(repository.root, changes)
    repository.write(written)
    for path in written:
        click.echo(f"written: {path}")
    if any(data == ROSTER_HEAD.encode() for data in written.values()):
        click.echo("The roster has a heading only: write a line for each student below it.")
    click.echo(f"Edit {spec_path(lab)}, then: practicum validate {lab}, practicum pipeline {lab}")


def _title(lab: str) -> str:
    return lab.split("/")[1].replace("-", " ").capitalize()


def _given(lab: str, title: str, machine_type: str, students: str) -> _Wishes:
    machine_type, students = machine_type or _TYPE, students or _STUDENTS
    types = _types()
    if machine_type not in types:
        meant = did_you_mean(nearest_choice(machine_type, types))
        raise UsageError(f"unknown type '{machine_type}'{meant}", resolution=f"types are: {', '.join(types)}")
    return _Wishes(title or _title(lab), machine_type, _checked_students(students))


def _ask(lab: str) -> _Wishes:
    """Ask three questions, each with a default. An interrupt leaves nothing, because nothing was written."""
    title = click.prompt("Title, as students see it", default=_title(lab))
    types = _types()
    click.echo("".join(f"\n  {name:12} {_about(entry)}" for name, entry in types.items()) + "\n")
    chosen = click.prompt(
        "What is the first machine", type=click.Choice(list(types)), default=_TYPE, show_choices=False
    )
    question = "How many students, or the file name of their list (.csv)"
    return _Wishes(title, chosen, click.prompt(question, default=_STUDENTS, value_proc=_answered_students))


def _about(entry: MachineType) -> str:
    return f"{entry.title}: {entry.description}" + ("" if entry.image.built else " Not built yet.")


def _types() -> dict[str, MachineType]:
    return {name: entry for name, entry in load_catalogue().items() if not entry.hidden}


def _answered_students(text: str) -> str:
    try:
        return _checked_students(text.strip())
    except UsageError as error:
        raise click.BadParameter(f"{error.message}: {error.resolution}") from error


def _checked_students(text: str) -> str:
    if text.isdecimal() and text.isascii() and int(text) > 0:
        return str(int(text))
    if not _ROSTER.fullmatch(text):
        raise UsageError(f"'{text}' is no number of students and no roster", resolution="write 30, or students.csv")
    return text


def _from_wishes(lab: str, wishes: _Wishes) -> dict[str, bytes]:
    files = {spec_path(lab): new_spec(wishes.title, wishes.machine_type, wishes.students).encode()}
    if _ROSTER.fullmatch(wishes.students):
        files[f"labs/{lab.split('/')[0]}/{wishes.students}"] = ROSTER_HEAD.encode()
    return files
