"""The class at a glance: who sits where, what runs, what is to be said of it, and how far each student is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generator.seats.names import is_student
from practicum.errors import PracticumError
from practicum.stages.class_list import Person, class_list
from practicum.stages.deployment import Operation, committed_release, load_deployment
from practicum.stages.status import MachineStatus, seat_notes, status
from practicum.stages.workspace import Workspace
from practicum.web.jobs import Job

__all__ = ["ClassView", "StudentRow", "class_view"]


@dataclass(frozen=True)
class StudentRow:
    """One student's copy. `points` is what the last look at the progress said, empty when there was none."""

    seat: str
    person: Person
    machines: Sequence[MachineStatus]
    note: str = ""
    points: str = ""


@dataclass(frozen=True)
class ClassView:
    """The class of a lab, or one group of it; without rows nobody has machines yet."""

    rows: Sequence[StudentRow] = ()
    machines: Sequence[str] = ()
    groups: Sequence[str] = ()
    group: str = ""
    operation: Operation = field(default_factory=Operation)

    @property
    def running(self) -> int:
        """How many students' copies run whole."""
        return sum(all(one.state == "running" for one in row.machines) for row in self.rows)


def class_view(workspace: Workspace, lab: str, group: str, looked: Job | None) -> ClassView:
    """Return a class, or those of a group; `looked` is the last job that looked at the progress."""
    if committed_release(workspace, lab, "prod") is None:
        return ClassView()
    found: dict[str, list[MachineStatus]] = {}
    for row in status(workspace, lab, "prod"):
        if is_student(row.seat):
            found.setdefault(row.seat, []).append(row)
    people, notes, points = _people(workspace, lab), seat_notes(workspace, lab), _points(looked)
    rows = [
        StudentRow(seat, people.get(seat, Person(seat)), machines, notes.get(seat, ""), points.get(seat, ""))
        for seat, machines in found.items()
    ]
    names = list(dict.fromkeys(one.machine for row in rows for one in row.machines))
    groups = sorted({row.person.group for row in rows if row.person.group})
    shown = [row for row in rows if group not in groups or row.person.group == group]
    operation = load_deployment(workspace, lab, "prod").operation
    return ClassView(shown, names, groups, group if group in groups else "", operation)


def _people(workspace: Workspace, lab: str) -> Mapping[str, Person]:
    """Return who sits where; nobody is named while the spec on main has errors, which its own page tells."""
    try:
        return class_list(workspace, lab)
    except PracticumError:
        return {}


def _points(looked: Job | None) -> dict[str, str]:
    return {seat: cell.detail for (seat, _), cell in looked.cells.items() if cell.state == "ready"} if looked else {}
