"""Stable student ids: who has which seat, kept in LAB.seats.yaml for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from generator.seats.names import MOST_STUDENTS, is_student, student_id, student_number
from generator.spec.model import Student

GRACE = timedelta(days=30)


@dataclass(frozen=True)
class SeatEntry:
    """One line of LAB.seats.yaml. `login` is None for a numbered seat that is claimed at first sign-in."""

    login: str | None
    state: Literal["active", "leaving"]
    since: date
    until: date | None = None


SeatBook = dict[str, SeatEntry]


class SeatsExhausted(Exception):
    """A lab has given all its ids away; the text says so."""


def read_seats(document: Mapping[str, Any]) -> SeatBook:
    """Read the content of LAB.seats.yaml. Raises ValueError when it cannot be right."""
    return {seat: _read_entry(seat, entry) for seat, entry in document.items()}


def write_seats(book: SeatBook) -> dict[str, Any]:
    """Return the document of LAB.seats.yaml in the order of the numbers."""
    return {
        seat: {
            "login": book[seat].login,
            "state": book[seat].state,
            "since": book[seat].since.isoformat(),
            "until": until.isoformat() if (until := book[seat].until) else None,
        }
        for seat in sorted(book, key=student_number)
    }


def assign(students: Sequence[Student], book: SeatBook, today: date) -> SeatBook:
    """Return the book for today's roster.

    A student keeps the id for ever, also after leaving and coming back; a new one gets the next number that
    nobody ever had. Upper and lower case do not make logins different; the newest spelling counts. Who is no longer
    listed is leaving for a grace period. Numbered seats are matched by number. Raises SeatsExhausted.
    """
    wanted = _matched(students, book)
    beyond = [seat for seat in wanted if student_number(seat) > MOST_STUDENTS]
    if beyond:
        raise SeatsExhausted(
            f"no id is left for {len(beyond)} of {len(wanted)} students: {student_id(MOST_STUDENTS)} is the last one"
        )
    kept = {
        seat: _stay(entry, wanted[seat]) if seat in wanted else _leave(entry, today) for seat, entry in book.items()
    }
    new = {seat: SeatEntry(login, "active", today) for seat, login in wanted.items() if seat not in book}
    return {**kept, **new}


def highest_number(book: SeatBook) -> int:
    """Return the highest student number ever given, 0 for none."""
    return max((student_number(seat) for seat in book), default=0)


def _read_entry(seat: Any, entry: Any) -> SeatEntry:
    try:
        read = SeatEntry(
            entry["login"],
            entry["state"],
            date.fromisoformat(str(entry["since"])),
            date.fromisoformat(str(entry["until"])) if entry["until"] else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the entry of '{seat}' needs login, state, since and until") from error
    if not _possible(seat, read):
        raise ValueError(f"the entry of '{seat}' is one that no seat can have")
    return read


def _possible(seat: Any, entry: SeatEntry) -> bool:
    named = isinstance(seat, str) and is_student(seat) and seat == student_id(student_number(seat))
    named = named and student_number(seat) <= MOST_STUDENTS
    return named and entry.state in ("active", "leaving") and isinstance(entry.login, str | None)


def _matched(students: Sequence[Student], book: SeatBook) -> dict[str, str | None]:
    known = {entry.login.casefold(): seat for seat, entry in book.items() if entry.login}
    matched: dict[str, str | None] = {}
    following = highest_number(book) + 1
    for number, student in enumerate(students, start=1):
        if student.login is None:
            seat = student_id(number)
        elif student.login.casefold() in known:
            seat = known[student.login.casefold()]
        else:
            seat, following = student_id(following), following + 1
        matched[seat] = student.login
    return matched


def _stay(entry: SeatEntry, login: str | None) -> SeatEntry:
    return replace(entry, login=login or entry.login, state="active", until=None)


def _leave(entry: SeatEntry, today: date) -> SeatEntry:
    return entry if entry.state == "leaving" else replace(entry, state="leaving", until=today + GRACE)
