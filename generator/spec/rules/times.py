"""Rules about the schedule: times exist and follow each other."""

from collections.abc import Iterator
from datetime import datetime

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules.context import Context

__all__ = ["parse_time", "schedule"]

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
