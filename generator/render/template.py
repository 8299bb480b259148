"""Per-student files: a professor's template rendered for one seat, in a sandbox, without Python objects."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generator.render.references import reference


@dataclass(frozen=True)
class TemplateProblem(Exception):
    """A template that cannot be rendered. `line` counts from 1 in the template."""

    message: str
    line: int


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    environment.globals.clear()
    return environment


_ENVIRONMENT = _environment()


def render(source: str, values: dict[str, Any]) -> str:
    """Render a template. `secret('name')` and `student.login` become references; raises TemplateProblem."""
    try:
        template = _ENVIRONMENT.from_string(source)
        return template.render({**values, "secret": _secret()})
    except jinja2.TemplateSyntaxError as error:
        raise TemplateProblem(str(error.message), error.lineno) from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise TemplateProblem(str(error), _line(error)) from error


def _secret() -> Callable[[str], str]:
    return lambda name: reference("secret", name)


def _line(error: Exception) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
