"""Who may do what: one table, asked by every page, button and console."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from generator.generate import find_labs, read_seat_book
from generator.render.tree import spec_path
from generator.seats.books import BrokenBook
from generator.spec.reader import read_document
from generator.spec.sources import Sources
from practicum.errors import InputError
from practicum.stages.workspace import Workspace
from practicum.web.users import User

__all__ = ["ACTS", "MAY", "NOBODY", "Act", "Role", "Standing", "labs_of", "may", "staff_of", "standing_in"]

Role = Literal["operator", "professor", "assistant", "student", "nobody"]
Act = Literal[
    "see lab",  # its page: the professor's copy, checkpoints, the class
    "make",  # machines of the lab, checks and checkpoints in the professor's copy
    "own copy",  # terminals in the professor's copy
    "deploy",  # to all students
    "operate",  # stop and start the class, begin and end an exam
    "see seat",  # the machines of a copy in the class, with its snapshots
    "console",  # a terminal in a copy in the class
    "look",  # on at a student's terminal
    "repair",  # restart it, or give it its system anew
    "start over",  # clear its files
    "progress",  # run its checks of progress
    "snapshot",  # take and put back snapshots of its files
    "update",  # give it the new system before its time
    "files",  # look at them, take them away, put some in
]
ACTS: tuple[Act, ...] = get_args(Act)
_ASSISTANT = frozenset({"see lab", "see seat", "console", "look", "repair", "progress"})
_STUDENT = frozenset({"see seat", "console", "repair", "start over", "progress", "snapshot", "update", "files"})
# In a terminal of theirs who teaches is seen; here nobody would see them.
_STAFF = frozenset(ACTS) - {"files"}
# What a role may do in a lab; students in their own copy only. Files of students are theirs: who teaches may put a
# system right, but clears, takes and puts back nothing of theirs.
MAY: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        "operator": _STAFF,
        "professor": _STAFF,
        "assistant": _ASSISTANT,
        "student": _STUDENT,
        "nobody": frozenset(),
    }
)


@dataclass(frozen=True)
class Standing:
    """What somebody is in a lab; `seat` is a student's own copy."""

    role: Role
    seat: str = ""

    @property
    def is_staff(self) -> bool:
        """Say whether this is somebody who teaches, or the operator."""
        return self.role in ("operator", "professor", "assistant")


NOBODY = Standing("nobody")


def may(standing: Standing, act: Act, seat: str = "") -> bool:
    """Say whether somebody may do something in a lab, or to one copy of it in the class."""
    if standing.role == "student" and seat != standing.seat:
        return False
    return act in MAY[standing.role]


def standing_in(workspace: Workspace, user: User, lab: str) -> Standing:
    """Return what somebody is in a lab, by the spec and the list of students on main. Raises InputError."""
    if user.is_operator:
        return Standing("operator")
    sources = workspace.repository.sources("HEAD")
    professor, assistants = staff_of(sources, lab)
    login = user.login.casefold()
    if login and login == professor.casefold():
        return Standing("professor")
    if login and login in (name.casefold() for name in assistants):
        return Standing("assistant")
    return next((Standing("student", seat) for seat in _seats(sources, user, lab)), NOBODY)


def staff_of(sources: Sources, lab: str) -> tuple[str, tuple[str, ...]]:
    """Return the logins of a lab's professor and assistants, as far as the spec can be read."""
    path = spec_path(lab)
    found = read_document(sources.read(path), path).document if sources.status(path) == "file" else None
    data: Any = found.data if found and isinstance(found.data, dict) else {}
    professor, assistants = data.get("professor"), data.get("assistants")
    names = assistants if isinstance(assistants, list) else []
    return professor if isinstance(professor, str) else "", tuple(one for one in names if isinstance(one, str))


def labs_of(workspace: Workspace, user: User) -> dict[str, Standing]:
    """Return the labs in which somebody is anybody, with what."""
    labs = find_labs(workspace.repository.sources("HEAD" if not user.is_operator else None))
    found = {lab: standing_in(workspace, user, lab) for lab in labs}
    return {lab: standing for lab, standing in found.items() if standing.role != "nobody"}


def _seats(sources: Sources, user: User, lab: str) -> list[str]:
    """Return the copy of a student who has not left; at most one."""
    try:
        book = read_seat_book(sources, lab)
    except BrokenBook as error:
        message = f"{error.path}:{error.line}: {error.message}"
        raise InputError(message, resolution="take the version of main") from error
    active = {seat: one.login or "" for seat, one in book.items() if one.state == "active"}
    if user.login:
        return [seat for seat, login in active.items() if login.casefold() == user.login.casefold()]
    return [seat for seat, login in active.items() if (lab, seat) == (user.lab, user.seat) and not login]
