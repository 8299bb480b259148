"""What every command gets: where the repository is, how to show events, whether to ask."""

import functools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from generator.generate import find_labs
from generator.spec.words import did_you_mean
from practicum.errors import PracticumError, UsageError
from practicum.stages.workspace import Workspace, nearest_lab

if TYPE_CHECKING:
    from practicum.cli.display import Display

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class Context:
    """The options before the verb."""

    folder: Path
    as_json: bool
    yes: bool

    def display(self) -> "Display":
        """Return a display for this run's events."""
        from practicum.cli.display import Display  # and with it rich, which a check of a spec does not wait for

        return Display(as_json=self.as_json)

    def workspace(self, display: "Display | None" = None) -> Workspace:
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
    """Add `--seat`, which may be repeated, and `--group`; the command gets both as `seats`, empty for all."""
    return click.option("--seat", "seats", multiple=True, metavar="SEAT", help="Only this seat; may be repeated.")(
        group_option(function)
    )


def group_option(function: Function) -> Function:
    """Add `--group`: the seats of a group of the roster come to the command's `seats`."""

    @functools.wraps(function)
    def with_group(*arguments: Any, group: str | None, seats: tuple[str, ...], **options: Any) -> Any:
        if group is not None:
            seats = tuple(dict.fromkeys((*seats, *_seats_of(group, options["lab"]))))
        return function(*arguments, seats=seats, **options)

    option = click.option("--group", metavar="GROUP", help="Only the students of this group of the roster.")
    return cast(Function, option(with_group))


def when_option(function: Function) -> Function:
    """Add `--when` and `--by`; the command gets both as one `when`, see `stages.wishes.When`."""

    @functools.wraps(function)
    def with_when(*arguments: Any, when: str, by: str, **options: Any) -> Any:
        from practicum.stages.wishes import parse_when

        return function(*arguments, when=parse_when(when, by, datetime.now(UTC)), **options)

    words = "When systems are replaced."
    named = click.option("--when", metavar="now|idle|TIME", default="now", show_default=True, help=words)
    latest = "With idle: replace them then all the same; 04:00, or ISO's form."
    return cast(Function, named(click.option("--by", metavar="TIME", default="", help=latest)(with_when)))


def _seats_of(group: str, lab: str | None) -> list[str]:
    from practicum.stages.class_list import seats_of_group  # not before it is needed: editors wait for other verbs

    if lab is None:
        raise UsageError("--group needs the name of a lab")
    return seats_of_group(click.get_current_context().find_object(Context).workspace(), lab, group)  # type: ignore[union-attr]


class TakingGroup(click.Group):
    """A verb that takes something, and has sub-commands for what was taken: `verb LAB …` is `verb take LAB …`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take everything that is no sub-command for the name of a lab."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["take", *args])


def yes_option(function: Function) -> Function:
    """Add `--yes` behind the verb too."""
    return click.option("--yes", is_flag=True, expose_value=False, callback=_yes, help="Do not ask.")(function)


def _yes(click_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context = click_context.find_object(Context)
    if context is not None:
        context.yes = context.yes or value


def lab_name(click_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return COURSE/LAB of a lab's name or of the path of its spec; BadParameter for anything else."""
    name = value.removeprefix("labs/").removesuffix(".lab.yaml")
    if not LAB_NAME.fullmatch(name):
        raise click.BadParameter(f"'{value}' is not COURSE/LAB, such as net101/firewalls{_meant(click_context, name)}")
    return name


def _meant(click_context: click.Context, name: str) -> str:
    """Return the end of a message that names the lab which was probably meant, or nothing."""
    context = click_context.find_object(Context)
    try:
        labs = find_labs(context.workspace().repository.sources(None)) if context else []
    except PracticumError:
        return ""
    return did_you_mean(nearest_lab(name, labs))
