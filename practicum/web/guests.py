"""Whom a lab has links for: the students of its class, and who teaches."""

from collections.abc import Collection
from dataclasses import dataclass

from generator.generate import read_seat_book
from practicum.errors import InputError
from practicum.stages.class_list import class_list
from practicum.stages.workspace import Workspace
from practicum.web.roles import staff_of
from practicum.web.users import User

__all__ = ["Guest", "guests"]


@dataclass(frozen=True)
class Guest:
    """Somebody who gets a link: `what` is the copy of a student, or the role; `name` is the roster's."""

    what: str
    user: User
    name: str = ""


def guests(workspace: Workspace, lab: str, seats: Collection[str] = (), *, staff: bool = False) -> list[Guest]:
    """Return the students of a lab, or those of the named seats; or with `staff` who teaches. Who left is no guest.

    Raises InputError for a lab or seat that there is not, and for a lab that names nobody who teaches.
    """
    people = class_list(workspace, lab)
    sources = workspace.repository.sources("HEAD")
    if staff:
        return _staff(lab, *staff_of(sources, lab))
    active = [seat for seat, entry in read_seat_book(sources, lab).items() if entry.state == "active"]
    unknown = sorted(set(seats) - set(active))
    if unknown or not active:
        raise InputError(
            f"no such seat: {', '.join(unknown)}" if unknown else f"nobody is in the class of {lab} yet",
            resolution=f"seats are: {', '.join(active)}" if active else f"practicum generate {lab}, then git commit",
            exit_code=2,
        )
    return [_student(lab, seat, people[seat].login, people[seat].name) for seat in active if not seats or seat in seats]


def _student(lab: str, seat: str, login: str, name: str) -> Guest:
    return Guest(seat, User(login) if login else User(lab=lab, seat=seat), name)


def _staff(lab: str, professor: str, assistants: Collection[str]) -> list[Guest]:
    found = [Guest("professor", User(professor))] if professor else []
    found += [Guest("assistant", User(login)) for login in assistants]
    if not found:
        raise InputError(
            f"{lab} says of nobody that they teach it",
            resolution="write 'professor: LOGIN' or 'assistants: [LOGIN]' into the spec, and commit it",
            exit_code=2,
        )
    return found
