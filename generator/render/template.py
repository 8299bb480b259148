"""Per-student files: a professor's template rendered for one seat, in a sandbox, without Python objects."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import jinja2

from generator.render.allowance import LARGEST_RESULT, allowance
from generator.render.references import REFERENCE, reference
from generator.render.sandbox import Sandbox

_SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_DISGUISE = re.compile(r"\[Zz-([0-9a-f]+)-zZ\]")
_USES = (re.compile(r"\b(secret|login)\b[^}]*\|"), re.compile(r"\b(secret|login)\b"))
# What a template may fail with beside Jinja's own errors: it calls filters and methods with any values.
_FAILURES = (
    jinja2.TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
_WORDS: Mapping[type[Exception], str] = {
    NameError: "a number is too large",  # 1e999
    MemoryError: "it needs too much memory",
    RecursionError: "it calls itself without end, or is nested too deeply",
    SyntaxError: "it is nested too deeply",
}


@dataclass(frozen=True)
class TemplateProblem(Exception):
    """A template that cannot be rendered. `line` counts from 1 in the template."""

    message: str
    line: int


@dataclass(frozen=True)
class _Secret:
    """The function `secret(name)`; `spell` turns a reference into what stands in the text while rendering."""

    spell: Callable[[str], str]

    def __call__(self, name: object = "") -> str:
        """Return the reference to a secret; ValueError for a name that no secret has."""
        if not isinstance(name, str) or not _SECRET_NAME.fullmatch(name):
            raise ValueError(f"a secret's name has letters, digits and _ . - only, not {name!r}")
        return self.spell(reference("secret", name))

    def __str__(self) -> str:
        """Refuse: the name of the secret is missing."""
        raise TypeError("secret needs a name, such as secret('database')")


_ENVIRONMENT = Sandbox()
_COMPILED = 64
T = TypeVar("T")


def render(source: str, values: Mapping[str, Any]) -> str:
    """Render a template. `secret('name')` and `student.login` become references; raises TemplateProblem.

    References are resolved long after, so a filter cannot see what they stand for. The template is rendered once more
    with other texts in their places: where these do not come out whole, something was made from the reference itself.
    """
    template = _guarded(lambda: _compiled(source))
    text = _guarded(lambda: _text(template, values, str))
    disguised = _guarded(lambda: _text(template, _disguised(values), _disguise))
    if found := REFERENCE.search(disguised):
        words = f"'{found[0]}' is what Practicum itself writes for a value that it puts in later; use {{{{ … }}}}"
        raise TemplateProblem(words, _line_of(source, found[0]))
    if _revealed(disguised) != text:
        words = "a secret or login was altered; its value is put in later, so no filter or test can work on it"
        raise TemplateProblem(words, _line_of_use(source))
    return text


@lru_cache(_COMPILED)
def _compiled(source: str) -> jinja2.Template:
    """Return the template: a class renders it once a seat, and compiling takes longer than rendering."""
    if len(source) > LARGEST_RESULT:
        raise ValueError("the template is larger than 1MiB")
    return _ENVIRONMENT.from_string(source)


def _text(template: jinja2.Template, values: Mapping[str, Any], spell: Callable[[str], str]) -> str:
    parts, size = [], 0
    for part in template.generate({**values, "secret": _Secret(spell)}):
        size += len(part.encode())
        if size > LARGEST_RESULT:
            raise ValueError("the result is larger than 1MiB")
        parts.append(part)
    return "".join(parts)


def _guarded(step: Callable[[], T]) -> T:
    try:
        with allowance():
            return step()
    except jinja2.TemplateSyntaxError as error:
        raise TemplateProblem(str(error.message), error.lineno) from error
    except _FAILURES as error:
        words = _WORDS.get(type(error)) or str(error) or type(error).__name__
        raise TemplateProblem(words, _line(error)) from error


def _disguised(values: Any) -> Any:
    """Return values with every reference in them disguised."""
    if isinstance(values, Mapping):
        return {key: _disguised(value) for key, value in values.items()}
    return REFERENCE.sub(lambda match: _disguise(match[0]), values) if isinstance(values, str) else values


def _disguise(text: str) -> str:
    """Return other characters, in both cases and of another length, that stand for a reference."""
    return f"[Zz-{text.encode().hex()}-zZ]"


def _revealed(text: str) -> str:
    return _DISGUISE.sub(lambda match: _reference_of(match[1]) or match[0], text)


def _reference_of(digits: str) -> str:
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        return ""


def _line_of_use(source: str) -> int:
    """Return the first line with a filter behind a secret or login, else the first that names one."""
    lines = source.splitlines()
    found = [number for form in _USES for number, line in enumerate(lines, 1) if form.search(line)]
    return next(iter(found), 1)


def _line_of(source: str, text: str) -> int:
    """Return the first line with a text, else the first line."""
    return next((number for number, line in enumerate(source.splitlines(), 1) if text in line), 1)


def _line(error: BaseException) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
