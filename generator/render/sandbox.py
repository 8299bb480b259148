"""The sandbox of per-student templates: Jinja without Python objects, files, chance, and results beyond any use.

Jinja's own sandbox keeps a template from Python, not from the memory and the time of the host
(https://jinja.palletsprojects.com/en/stable/sandbox/). So a template has only the filters and methods named here; every
value that it makes is weighed, and what it does is counted.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from types import BuiltinMethodType, MappingProxyType
from typing import Any, TypeVar

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generator.render.allowance import LARGEST_RESULT, MOST_BITS, collected, require, spend, weighed, weight
from generator.render.references import REFERENCE

__all__ = ["LARGEST_RESULT", "Sandbox"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILTERS = _words(
    "abs batch capitalize center count d default dictsort e escape first float format groupby indent int items join "
    "last length list lower map max min reject rejectattr replace reverse round select selectattr slice sort string "
    "sum title tojson trim truncate unique upper urlencode wordcount"
)
_TEXT = _words(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric "
    "isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
)
_LIST = _words("count index grouper list")
_LOOP = _words("changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0")
_MEMBERS: Mapping[type, frozenset[str]] = MappingProxyType(
    {str: _TEXT, dict: _words("get items keys values"), list: _LIST, tuple: _LIST, LoopContext: _LOOP}
)
_WIDE_FIELD = re.compile(r"\*|[0-9]{4}")
_WIDEST_FIELD = _MOST_DIGITS = 999
_COMPARISONS = _words("!= < <= == > >= eq equalto ge greaterthan gt in le lessthan lt ne")
_OTHER_FILES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
_STEPS_A_TOKEN = 20
T = TypeVar("T")
_STEP_TEST = "one more step"  # no name that a template can write


class _CodeGenerator(CodeGenerator):
    """Counts the work of every block, weighs what is written as lists and groups, and joins texts within bounds."""

    def blockvisit(self, nodes_of_block: Iterable[nodes.Node], frame: Frame) -> None:
        block = list(nodes_of_block)
        # An empty block is a step too: four loops of a thousand, one in another, would else be free.
        self.writeline(f"environment.spend({max(1, _size(block))})")
        super().blockvisit(block, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("environment.finalize(context, ")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._weighed(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_Getitem, node, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        self.write("(")
        self._compared(node.expr, frame)
        for operand in node.ops:
            self.visit(operand, frame)
        self.write(")")

    def visit_Operand(self, node: nodes.Operand, frame: Frame) -> None:  # noqa: N802
        self.write(f" {operators[node.op]} ")
        self._compared(node.expr, frame)

    def _compared(self, node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.compared(")
        self.visit(node, frame)
        self.write(")")

    def _weighed(self, visit: Callable[[Any, Frame], None], node: nodes.Node, frame: Frame) -> None:
        self.write("environment.weighed(")
        visit(node, frame)
        self.write(")")


class _Missing(jinja2.StrictUndefined):
    """What is not defined; in a list too, whose text is made of the `repr` of what it holds."""

    __slots__ = ()
    __repr__ = jinja2.StrictUndefined._fail_with_undefined_error


def _compared(value: T) -> T:
    """Return what a template compares. Raises TypeError for a value that is put in later: no text equals it yet."""
    for part in value if isinstance(value, list | tuple) else (value,):
        if isinstance(part, str) and REFERENCE.search(part):
            raise TypeError("a secret or login cannot be compared: its value is put in later")
    return weighed(value)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which nothing is defined, and all work has a bound. Use it within an `allowance`."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})
    code_generator_class = _CodeGenerator
    spend = staticmethod(spend)
    weighed = staticmethod(weighed)
    compared = staticmethod(_compared)

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing,
            keep_trailing_newline=True,
            autoescape=False,
            finalize=_text,
            optimized=False,  # nothing is computed when the template is compiled
        )
        self.globals.clear()
        self.filters = {name: _bounded(name, call) for name, call in self.filters.items() if name in _FILTERS}
        tests: dict[str, Any] = {name: _bounded(name, call) for name, call in self.tests.items()}
        self.tests = {**tests, _STEP_TEST: _step}

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join what a macro, a block or `~` wrote. Raises OverflowError."""
        found, size = [], 0
        for part in parts:
            size += len(part)
            require(size <= LARGEST_RESULT)
            found.append(part)
        return weighed("".join(found))

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        """Return the words of a template; each is work for the parser and the compiler."""
        return TokenStream(_counted(super()._tokenize(source, name, filename, state)), name, filename)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Return the tree of a template in which the condition of a loop counts as work too."""
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(_OTHER_FILES):
            raise jinja2.TemplateSyntaxError("a template cannot use other files", node.lineno)
        for loop in tree.find_all(nodes.For):
            if loop.test is not None:
                steps = nodes.Const(_size([loop.test]), lineno=loop.lineno)
                counted = nodes.Test(steps, _STEP_TEST, [], [], None, None, lineno=loop.lineno)
                loop.test = nodes.And(counted, loop.test, lineno=loop.lineno)
        tree.set_environment(self)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Say whether a template may use this of a value: a whitelist."""
        allowed = next((names for kind, names in _MEMBERS.items() if isinstance(obj, kind)), frozenset())
        return attr in allowed and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do an operation whose result has a bound. Raises OverflowError."""
        require(_fits(operator, left, right))
        return weighed(super().call_binop(context, operator, left, right))

    def call(self, context: Context, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a method or macro with values, and for a result, that have a bound. Raises OverflowError."""
        values = [*args, *kwargs.values()]
        if isinstance(target, BuiltinMethodType):
            values = _receiver_first(target, values)
            _require_bounded(target.__name__, values)
        weighed(values)
        return weighed(super().call(context, target, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> None:
        """Say that there is no `str.format`: `%` and the filter `format` do the same, without a way to attributes."""
        del value


def _counted(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        spend(_STEPS_A_TOKEN)
        yield token


def _step(steps: int) -> bool:
    spend(steps)
    return True


def _size(block: Iterable[nodes.Node]) -> int:
    return sum(1 + sum(1 for _ in node.find_all(nodes.Node)) for node in block)


@jinja2.pass_context  # so that Jinja does not do it when the template is compiled
def _text(_context: Context, value: Any) -> str:
    """Return the text of a value in a result."""
    return value if isinstance(weighed(value), str) else weighed(str(value))


def _fits(operator: str, left: Any, right: Any) -> bool:
    if operator == "%":
        return not isinstance(left, str) or _format_fits(left, right)
    if operator == "**":
        return not isinstance(left, int) or not isinstance(right, int) or left.bit_length() * abs(right) <= MOST_BITS
    return operator != "*" or (_product_fits(left, right) and _product_fits(right, left))


def _product_fits(left: Any, right: Any) -> bool:
    if not isinstance(right, int):
        return True
    if isinstance(left, str | list | tuple):
        return len(left) * right <= LARGEST_RESULT
    return not isinstance(left, int) or left.bit_length() + right.bit_length() <= MOST_BITS


def _format_fits(form: str, values: Any) -> bool:
    return not _WIDE_FIELD.search(form) and form.count("%") * (_WIDEST_FIELD + weight(values)) <= LARGEST_RESULT


def _bounded(name: str, call: Any) -> Callable[..., Any]:
    """Return a filter that weighs what it gets and gives, and gives lists instead of what can be read only once."""
    begin = 1 if hasattr(call, "jinja_pass_arg") else 0

    @wraps(call)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        values = [*args[begin:], *kwargs.values()]
        weighed(values)
        if name in _COMPARISONS:
            collected(map(_compared, values))
        _require_bounded(name, values)
        result = call(*args, **kwargs)
        return weighed(collected(result) if isinstance(result, Iterator) else result)

    return bounded


def _receiver_first(method: Any, values: list[Any]) -> list[Any]:
    """Return a method's values in the order of the filter of its name: `', '.join(names)` is `names | join(', ')`."""
    return [*values, method.__self__] if method.__name__ == "join" else [method.__self__, *values]


def _require_bounded(name: str, values: Sequence[Any]) -> None:
    """Hold a filter or method to what its result can be at most. Raises OverflowError."""
    if name in _GROWTH:
        require(_GROWTH[name](values[0], values[1:]))


def _joined_fits(items: Any, others: Sequence[Any]) -> bool:
    return len(items) * max((len(str(other)) for other in others), default=0) <= LARGEST_RESULT


def _replaced_fits(text: Any, others: Sequence[Any]) -> bool:
    return len(others) < 2 or str(text).count(str(others[0])) * len(str(others[1])) <= LARGEST_RESULT


def _numbers_fit(_value: Any, others: Sequence[Any]) -> bool:
    return not any(isinstance(other, int) and abs(other) > LARGEST_RESULT for other in others)


def _indented_fits(text: Any, others: Sequence[Any]) -> bool:
    width = others[0] if others else 4
    return (str(text).count("\n") + 1) * (width if isinstance(width, int) else len(str(width))) <= LARGEST_RESULT


# What makes more than the sum of what it gets: of the value and the other arguments, whether the result has a bound.
_GROWTH: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = MappingProxyType(
    {
        "join": _joined_fits,
        "replace": _replaced_fits,
        "indent": _indented_fits,
        "format": lambda form, values: _format_fits(str(form), list(values)),
        "tojson": lambda _value, others: not others,
        "sum": lambda _items, others: not any(isinstance(other, list | tuple) for other in others),
        "round": lambda _value, others: not any(isinstance(other, int) and other > _MOST_DIGITS for other in others),
        **dict.fromkeys(("batch", "center", "ljust", "rjust", "slice", "zfill"), _numbers_fit),
    }
)
