"""How much one rendering may do: steps and characters are counted, because the generator has no clock."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from contextvars import ContextVar
from types import BuiltinMethodType, FunctionType, MethodType
from typing import TypeVar

from jinja2 import Undefined

__all__ = ["LARGEST_RESULT", "allowance", "collected", "require", "spend", "weighed", "weight"]

# Characters of a text, or values in lists and groups, however deep.
LARGEST_RESULT = 2**20
MOST_BITS = 4096
# About a second of work; a file of 1MiB, written in lines of a loop, takes half of it.
_STEPS = 1_000_000
_CHARACTERS_A_STEP = 16
_GROUPS = (list, tuple, set, frozenset, ItemsView, KeysView, ValuesView)
# Their text would hold an address in memory: another one at each run.
_NO_VALUES = (BuiltinMethodType, FunctionType, MethodType)
_left: ContextVar[list[int]] = ContextVar("_left")
T = TypeVar("T")


@contextmanager
def allowance() -> Iterator[None]:
    """Give what is done inside one rendering's worth of steps."""
    before = _left.set([_STEPS])
    try:
        yield
    finally:
        _left.reset(before)


def spend(steps: int) -> None:
    """Count work. Raises OverflowError when all is spent."""
    left = _left.get()
    left[0] -= steps
    if left[0] < 0:
        raise OverflowError("it does too much: loops are too long, or texts too large")


def require(fits: bool) -> None:
    """Raise OverflowError for what is too large."""
    if not fits:
        raise OverflowError("a number or a result is too large")


def weighed(value: T) -> T:
    """Return a value that is small enough, counted as work. Raises OverflowError; TypeError for what is no value."""
    weight(value)
    return value


def weight(value: object) -> int:
    """Return how large a value is, with all that is in it, and count that as work. Raises as `weighed`."""
    total, parts, waiting = 0, 0, [value]
    while waiting:
        part = waiting.pop()
        parts += 1
        total += 1 if isinstance(part, Undefined) else _own_weight(part)
        require(total + len(waiting) <= LARGEST_RESULT + 1)
        if isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, _GROUPS):
            waiting += list(part)
    spend(parts + total // _CHARACTERS_A_STEP)
    return total


def _own_weight(part: object) -> int:
    if isinstance(part, str | bytes):
        return len(part)
    if isinstance(part, _NO_VALUES):
        raise TypeError(f"'{part.__name__}' must be called: {part.__name__}(…)")
    require(not isinstance(part, int) or part.bit_length() <= MOST_BITS)
    return 1


def collected(items: Iterable[T]) -> list[T]:
    """Return the items as a list, each counted as work."""
    found = []
    for item in items:
        spend(1)
        found.append(item)
    return found
