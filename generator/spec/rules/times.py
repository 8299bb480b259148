"""Rules about the schedule: times exist and follow each other, and extensions are for students of the class."""

from collections.abc import Iterator
from datetime import datetime

from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.names import student_id
from generator.spec.extensions import Extensions, extensions_path, read_extensions
from generator.spec.rules.context import Context
from generator.spec.rules.students import number_of_students, roster_of

__all__ = ["extensions", "extensions_of", "parse_time", "schedule"]

_ORDER = ("ready_by", "due", "ends")


def parse_time(text: str) -> datetime | None:
    """Return an RFC 3339 time with its offset, or None when the calendar has no such time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def schedule(context: Context) -> Iterator[Diagnostic]:
    """A lab is ready before it is due, and due before it ends."""
    earlier: tuple[str, datetime] | None = None
    for key in _ORDER:
        text = context.get("schedule", key)
        if text is None:
            continue
        time = parse_time(text)
        if time is None:
            yield context.document.problem("PRA086", f"there is no such time: '{text}'", ("schedule", key))
        elif earlier and time < earlier[1]:
            message = f"'{key}' is before '{earlier[0]}' ({earlier[1].isoformat()})"
            yield context.document.problem("PRA085", message, ("schedule", key))
        else:
            earlier = (key, time)


def extensions_of(context: Context) -> Extensions:
    """Return the extensions that stand beside the spec; none when there is no such file."""
    path = extensions_path(context.document.file)
    if context.sources.status(path) != "file":
        return Extensions()
    roster = roster_of(context)
    logins = [student.login or "" for student in roster.students] if roster else _seats(context)
    due, end = (parse_time(context.get("schedule", key) or "") for key in ("due", "ends"))
    return read_extensions(context.sources.read(path), path, logins, due, end)


def extensions(context: Context) -> Iterator[Diagnostic]:
    """Extensions are for students of the class, later than the lab is due and before it ends."""
    told = any(text is None or parse_time(text) is None for text in context.group("schedule").values())
    if number_of_students(context) and not told:
        yield from extensions_of(context).diagnostics


def _seats(context: Context) -> list[str]:
    """Return what a class without a roster is called by: the ids of its seats."""
    return [student_id(number + 1) for number in range(number_of_students(context))]
