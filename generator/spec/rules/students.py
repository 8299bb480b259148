"""Rules about students: the roster, the ids that a lab has, and the addresses that their seats need."""

from collections.abc import Iterator, Mapping
from math import ceil, log2

from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.addresses import BLOCK_PREFIX, RESERVED_SLOTS, SLOTS, blocks_needed
from generator.seats.names import MOST_STUDENTS
from generator.spec.platform import Platform
from generator.spec.roster import Roster, read_roster
from generator.spec.rules.context import Context
from generator.spec.rules.files import file_problem, resolve

__all__ = ["number_of_students", "roster_of", "students", "students_that_fit"]


def students_that_fit(platform: Platform) -> int:
    """Return how many students a single lab can have in an environment's addresses."""
    blocks: int = 2 ** max(BLOCK_PREFIX - platform.addresses.prefixlen, 0)
    return blocks * SLOTS - RESERVED_SLOTS


def roster_of(context: Context) -> Roster | None:
    """Return the roster that the spec names; None when it gives a number or the file cannot be read."""
    name = context.get("students")
    place = resolve(context.folder, name) if isinstance(name, str) else None
    if place is None or context.sources.status(place) != "file":
        return None
    return read_roster(context.sources.read(place), place)


def number_of_students(context: Context) -> int:
    """Return how many students the lab has; 0 when that cannot be told."""
    value = context.get("students")
    if isinstance(value, int):
        return max(value, 0)
    roster = roster_of(context)
    return len(roster.students) if roster else 0


def students(context: Context) -> Iterator[Diagnostic]:
    """There is at least one student, and each has an id and addresses."""
    value = context.get("students")
    if isinstance(value, str):
        yield from file_problem(context, value, ("students",), "roster")
        roster = roster_of(context)
        yield from roster.diagnostics if roster else ()
        value = len(roster.students) if roster and roster.students else None
    if value is None:
        return
    if value < 1:
        message, hint = f"a lab has at least 1 student, not {value}", "To try a lab yourself write `students: 1`."
        yield context.document.problem("PRA045", message, ("students",), hint=hint)
    else:
        yield from _room(context, value)


def _room(context: Context, count: int) -> Iterator[Diagnostic]:
    """Tell the tightest bound only: what the addresses of the class hold, or the ids of a lab."""
    room = {env: students_that_fit(platform) for env, platform in _with_students(context.platforms).items()}
    tightest = min(room, key=lambda env: room[env], default=None)
    if tightest is not None and count > room[tightest] and room[tightest] < MOST_STUDENTS:
        yield _too_few_addresses(context, count, tightest, room[tightest])
    elif count > MOST_STUDENTS:
        message = f"{count} students are too many: a lab has at most {MOST_STUDENTS}"
        yield context.document.problem("PRA045", message, ("students",))


def _with_students(platforms: Mapping[str, Platform]) -> Mapping[str, Platform]:
    """Return the environments that hold students: dev has the professor's seats only."""
    return {environment: platform for environment, platform in platforms.items() if environment != "dev"}


def _too_few_addresses(context: Context, count: int, environment: str, room: int) -> Diagnostic:
    addresses = context.platforms[environment].addresses
    blocks = blocks_needed(count)
    message = f"{count} students do not fit: the addresses of {environment}, {addresses}, hold {room} in one lab"
    prefix = BLOCK_PREFIX - ceil(log2(blocks))
    split = f"plit the class into labs of at most {room} students."
    hint = (
        f"Ask the operator for `addresses` of /{prefix} or larger in environments/{environment}/platform.yaml "
        f"({blocks} blocks of /{BLOCK_PREFIX}), or s{split}"
    )
    hint = hint if count <= MOST_STUDENTS else f"S{split}"
    return context.document.problem("PRA044", message, ("students",), hint=hint)
