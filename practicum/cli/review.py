"""Verbs that answer before anything is done: plan, also without LXD, and review for merge requests."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from practicum.cli.context import Context, Function, environment_option, lab_argument, pass_context, seat_option
from practicum.errors import InputError, PracticumError, UnavailableError, UsageError
from practicum.events import Event
from practicum.files import write_atomically

if TYPE_CHECKING:
    from practicum.stages.offline import LabPlan

FAILED = 1
PROJECT = ["CI_MERGE_REQUEST_PROJECT_URL", "CI_PROJECT_URL"]
REQUEST = ["CI_MERGE_REQUEST_IID", "CHANGE_ID"]  # the second is Jenkins's
_URL = re.compile(r"https?://[\w.:/~%+=?&-]+")


def against_option(function: Function) -> Function:
    """Add `--against`; in a merge request of GitLab it is known."""
    option: Callable[[Function], Function] = click.option(
        "--against",
        metavar="COMMIT",
        default="",
        envvar="CI_MERGE_REQUEST_DIFF_BASE_SHA",
        help="What it is compared with [origin's main].",
    )
    return option(function)


@click.command()
@lab_argument
@environment_option("dev")
@seat_option
@click.option("--offline", is_flag=True, help="From git alone: what the specs here change of main, and if it fits.")
@against_option
@pass_context
def plan(context: Context, lab: str, environment: str, seats: tuple[str, ...], offline: bool, against: str) -> None:
    """Show what provisioning would change; no effects."""
    if offline and seats:
        raise UsageError("--offline is about the whole lab, so it takes no --seat and no --group")
    if offline:
        _plan_offline(context, lab, against)
    else:
        _plan_on_lxd(context, lab, environment, seats)


def _plan_on_lxd(context: Context, lab: str, environment: str, seats: tuple[str, ...]) -> None:
    from practicum.cli.tables import plan_table, show
    from practicum.stages.provision import expected_time, plan_copies, plan_only

    workspace = context.workspace()
    todo, copies = plan_only(workspace, lab, environment, seats), plan_copies(workspace, lab, environment, seats)
    if todo.actions:
        show(plan_table(todo))
    for name in todo.extra:
        click.echo(
            f"note: {name} is not in the definitions any more; 'practicum provision {lab} --yes' removes it", err=True
        )
    for name in todo.outdated:
        click.echo(f"note: {name} runs an older release", err=True)
    for words in copies:
        click.echo(f"note: {words}", err=True)
    changes = f"{len(todo.actions)} changes" if todo.actions else "nothing to change"
    click.echo(", ".join(filter(None, (changes, expected_time(workspace, lab, environment, todo)))), err=True)


def _plan_offline(context: Context, lab: str, against: str) -> None:
    from practicum.cli.tables import offline_table, room_table, show
    from practicum.stages.offline import plan_offline
    from practicum.stages.review import main_of

    workspace = context.workspace()
    found = plan_offline(workspace, lab, main_of(workspace, against))
    if found.differences:
        show(offline_table(found))
    else:
        click.echo(f"nothing changes for {lab}", err=True)
    show(room_table(found))
    _notes(found)
    if not found.fits:
        raise UnavailableError(
            f"{lab} does not fit; nothing was done",
            details="\n".join(f"{room.environment}: {words}" for room in found.rooms for words in room.lacking),
            resolution="make the machines smaller, stop another lab, or raise 'capacity:' in platform.yaml",
        )


def _notes(found: "LabPlan") -> None:
    for need in found.needs:
        click.echo(f"note: accepted, but not deployed by this version: {need}", err=True)
    if found.kubernetes:
        click.echo(f"Kubernetes: {found.kubernetes}", err=True)
    delivery = "; ".join(filter(None, (found.delivery, found.expected)))
    click.echo(f"the class gets it by a checkpoint and a deployment: {delivery}", err=True)


@click.command()
@against_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write the text to this file.")
@click.option("--link", "links", multiple=True, metavar="NAME=URL", help="A link below the text; may be repeated.")
@click.option("--project", default="", envvar=PROJECT, metavar="URL", help="The page of the project.")
@click.option("--comment", is_flag=True, help="Put the text into the merge request, in place of the last one.")
@click.option("--request", type=int, envvar=REQUEST, metavar="NUMBER", help="The merge request.")
@pass_context
def review(
    context: Context,
    against: str,
    output: Path | None,
    links: tuple[str, ...],
    project: str,
    comment: bool,
    request: int | None,
) -> None:
    """Answer a merge request in plain words: is it valid, what changes for whom, does it fit."""
    from practicum.stages.forge import project_of
    from practicum.stages.review import main_of
    from practicum.stages.review import review as review_request
    from practicum.stages.review_text import review_text

    workspace = context.workspace()
    workspace.emit = _warn
    base = main_of(workspace, against)
    found = review_request(workspace, base)
    text = review_text(found, dict(map(_link, links)), _checked(project) if project else "")
    click.echo(text, nl=False)
    if output is not None:
        write_atomically(output, text)
    code = InputError.exit_code if found.errors else 0 if found.fits and not found.touched else FAILED
    if comment:
        url = project or project_of(workspace, base)
        _comment(url, request, text, workspace.repository.contains, failed=bool(code))
    click.get_current_context().exit(code)


def _warn(event: Event) -> None:
    click.echo(f"{event.state}: {event.detail}", err=True)


def _comment(project: str, request: int | None, text: str, covers: Callable[[str], bool], *, failed: bool) -> None:
    """Put the text into the merge request; when the review has failed anyway, that is what is to be seen."""
    from practicum.cli.main import show_error
    from practicum.git.comments import put_comment
    from practicum.stages.forge import connect
    from practicum.stages.review_text import MARK

    try:
        if request is None:
            raise UsageError("--comment needs the number of the merge request", resolution="--request NUMBER")
        place = put_comment(connect(project), request, MARK, text, covers)
        click.echo(place or "a newer commit is there; its own pipeline comments on it", err=True)
    except PracticumError as error:
        if not failed:
            raise
        show_error(error)


def _link(text: str) -> tuple[str, str]:
    name, _, url = text.partition("=")
    if not re.fullmatch(r"[\w ]+", name):
        raise UsageError(f"'{text}' is not NAME=URL, with a name of letters and digits")
    return name, _checked(url)


def _checked(url: str) -> str:
    """Return a URL that stands in Markdown as it is. Raises UsageError for another."""
    if not _URL.fullmatch(url):
        raise UsageError(f"'{url}' is no plain URL: http(s), without user and password")
    return url


COMMANDS = (plan, review)
