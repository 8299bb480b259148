"""What every command gets: where the repository is, how to show events, whether to ask."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from practicum.cli.display import Display
from practicum.errors import UsageError
from practicum.stages.workspace import Workspace

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class Context:
    """The options before the verb."""

    folder: Path
    as_json: bool
    yes: bool

    def display(self) -> Display:
        """Return a display for this run's events."""
        return Display(as_json=self.as_json)

    def workspace(self, display: Display | None = None) -> Workspace:
        """Return the workspace of the folder that the command works in."""
        workspace = Workspace.open(self.folder)
        if display is not None:
            workspace.emit = display.emit
        return workspace

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be undone. Raises UsageError when nobody can be asked or says no."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(f"nobody can be asked here: {question}", resolution="--yes answers")
        if not click.confirm(question, default=False, err=True):
            raise UsageError("nothing was done")


pass_context = click.make_pass_decorator(Context)
LAB_NAME = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


def lab_argument(function: Function) -> Function:
    """Add the argument LAB, which is COURSE/LAB."""
    return click.argument("lab", metavar="LAB", callback=lab_name)(function)


def environment_option(default: str) -> Callable[[Function], Function]:
    """Add `--env`."""
    choice = click.Choice(["dev", "prod"])
    return click.option(
        "--env", "environment", type=choice, default=default, show_default=True, help="Your copy or the class."
    )


def seat_option(function: Function) -> Function:
    """Add `--seat`, which may be repeated."""
    return click.option("--seat", "seats", multiple=True, metavar="SEAT", help="Only this seat; may be repeated.")(
        function
    )


def yes_option(function: Function) -> Function:
    """Add `--yes` behind the verb too."""
    return click.option("--yes", is_flag=True, expose_value=False, callback=_yes, help="Do not ask.")(function)


def _yes(click_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context = click_context.find_object(Context)
    if context is not None:
        context.yes = context.yes or value


def lab_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return COURSE/LAB of a lab's name or of the path of its spec; BadParameter for anything else."""
    name = value.removeprefix("labs/").removesuffix(".lab.yaml")
    if not LAB_NAME.fullmatch(name):
        raise click.BadParameter(f"'{value}' is not COURSE/LAB, such as net101/firewalls")
    return name
