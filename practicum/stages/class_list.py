"""Who sits where: the people of a class with their names and groups, read from the roster when they are needed.

Generated files carry ids only. What stands here is never written into the repository.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from generator.generate import read_seat_book
from generator.render.tree import spec_path
from generator.spec.load import load_lab, load_platforms
from generator.spec.model import Lab, Student
from generator.spec.words import did_you_mean, nearest
from practicum.errors import InputError
from practicum.stages.workspace import InvalidInput, Workspace, require_lab


@dataclass(frozen=True)
class Person:
    """A student of a class; only the seat is known of one that no roster names. `extended`: an own due time."""

    seat: str
    login: str = ""
    name: str = ""
    group: str = ""
    extended: datetime | None = None


def class_list(workspace: Workspace, lab: str) -> dict[str, Person]:
    """Return the people of a lab by seat, as the roster on main has them. Raises InputError for a spec with errors."""
    found = committed_lab(workspace, lab)
    book = read_seat_book(workspace.repository.sources("HEAD"), lab)
    students = {one.login.casefold(): one for one in found.students if one.login}
    people = {}
    for seat, entry in book.items():
        login = entry.login or ""
        student = students.get(login.casefold(), Student(login))
        extended = found.extensions.get((login or seat).casefold())
        people[seat] = Person(seat, login, student.name, student.group, extended)
    return people


def committed_lab(workspace: Workspace, lab: str) -> Lab:
    """Return a lab as its spec on main has it. Raises InputError for one with errors or without a spec."""
    sources = workspace.repository.sources("HEAD")
    require_lab(sources, lab)
    loaded = load_lab(sources, spec_path(lab), workspace.catalogue, load_platforms(sources).platforms)
    if loaded.lab is None:
        raise InvalidInput(loaded.diagnostics, workspace.repository.root)
    return loaded.lab


def seats_of_group(workspace: Workspace, lab: str, group: str) -> list[str]:
    """Return the seats of a group of the roster. Raises InputError that names the groups for one without students."""
    people = class_list(workspace, lab)
    # Without a group, or with an empty one, a person is in no group: an empty name must not mean everybody.
    found = [person.seat for person in people.values() if group and person.group == group]
    if not found:
        groups = sorted(_groups(people))
        raise InputError(
            f"the roster of {lab} has no group '{group}'{did_you_mean(nearest(group, groups))}",
            resolution=f"groups are: {', '.join(groups)}" if groups else "the roster's column 'group' names groups",
            exit_code=2,
        )
    return found


def _groups(people: Mapping[str, Person]) -> set[str]:
    return {person.group for person in people.values() if person.group}
