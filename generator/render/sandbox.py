"""The sandbox of per-student templates: Jinja without Python objects, files, chance, and results beyond any use.

Jinja's own sandbox keeps a template from Python; these bounds keep it from the memory of the host, as far as a single
operation, filter or call can reach for it (https://jinja.palletsprojects.com/en/stable/sandbox/).
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import jinja2
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Concat
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

LARGEST_RESULT = 2**20
_MOST_BITS = 4096
_WIDE_FIELD = re.compile(r"[0-9]{6}")
_SEQUENCES = (str, bytes, list, tuple)


class _CodeGenerator(CodeGenerator):
    """Joins texts with `~` by the environment's bounded `concat`."""

    def visit_Concat(self, node: Concat, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("str_join((")
            self.visit(part, frame)
            self.write(",)), ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which nothing is defined, and no single step makes more than `LARGEST_RESULT`."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})
    code_generator_class = _CodeGenerator

    def __init__(self) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
        self.globals.clear()
        # The same spec gives the same bytes every time.
        self.filters = {name: _bounded(call) for name, call in self.filters.items() if name != "random"}

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join what a macro, a block or `~` wrote. Raises OverflowError."""
        found, size = [], 0
        for part in parts:
            size += len(part)
            _require(size <= LARGEST_RESULT)
            found.append(part)
        return "".join(found)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do an operation whose result has a bound. Raises OverflowError."""
        _require(_fits(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a method or macro with numbers that have a bound. Raises OverflowError."""
        _require_small((*args, *kwargs.values()))
        return super().call(context, target, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the safe form of `str.format`, without very wide fields. Raises OverflowError."""
        wrapped = super().wrap_str_format(value)
        _require(wrapped is None or not _WIDE_FIELD.search(value.__self__))
        return wrapped


def _fits(operator: str, left: Any, right: Any) -> bool:
    if operator == "%":
        return not (isinstance(left, str) and ("*" in left or _WIDE_FIELD.search(left)))
    if operator == "+":
        both = isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES)
        return not both or len(left) + len(right) <= LARGEST_RESULT
    if operator == "**":
        return not isinstance(left, int) or not isinstance(right, int) or left.bit_length() * right <= _MOST_BITS
    return _product_fits(left, right) and _product_fits(right, left)


def _product_fits(left: Any, right: Any) -> bool:
    if not isinstance(right, int):
        return True
    if isinstance(left, _SEQUENCES):
        return len(left) * right <= LARGEST_RESULT
    return not isinstance(left, int) or left.bit_length() + right.bit_length() <= _MOST_BITS


def _bounded(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        _require_small((*args, *kwargs.values()))
        wide = call.__name__ == "do_format" and _WIDE_FIELD.search(str(args[0]))
        _require(not wide)
        return call(*args, **kwargs)

    return bounded


def _require_small(values: Iterable[Any]) -> None:
    _require(not any(isinstance(value, int) and abs(value) > LARGEST_RESULT for value in values))


def _require(fits: bool) -> None:
    if not fits:
        raise OverflowError("a number or a result is too large")
