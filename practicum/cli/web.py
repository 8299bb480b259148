"""The verbs `web`, the web page on this machine, and `invite`, which gives people links to it."""

import csv
import getpass
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from practicum.cli.context import Context, lab_argument, pass_context, seat_option
from practicum.errors import UnavailableError, UsageError
from practicum.stages.create import workspace_for_create
from practicum.stages.workspace import InvalidInput, Workspace, platforms_of

if TYPE_CHECKING:
    from practicum.web.guests import Guest
    from practicum.web.openid import Provider
    from practicum.web.serve import Certificate

FILE = click.Path(path_type=Path, dir_okay=False)
DAY = 24 * 60 * 60
# Where `practicum web` answers when nothing else is said.
USUAL_URL = "http://127.0.0.1:8080"
# What spreadsheets take for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def _packages() -> Iterator[None]:
    """Raise UnavailableError, with the way to them, when packages of the web page are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"the web page needs the Python package '{error.name}'", resolution="pip install 'practicum[web]'"
        ) from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The name or address to answer at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--certificate", type=FILE, help="Speak HTTPS with this certificate chain (PEM).")
@click.option("--key", type=FILE, help="The key of the certificate.")
@click.option("--unit", is_flag=True, help="Print a unit of systemd that serves it so, and serve nothing.")
@pass_context
def web(context: Context, host: str, port: int, certificate: Path | None, key: Path | None, unit: bool) -> None:
    """Serve the web page and print a link that signs its first user in."""
    with _packages():
        from practicum.web.serve import Certificate, serve  # and with it a web server, which no other verb waits for
        from practicum.web.unit import unit_file
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key belong together")
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise UsageError(f"there is no file {file}", resolution="name the PEM files of the certificate and its key")
    root = workspace_for_create(context.folder).repository.root
    files = Certificate(certificate, key) if certificate and key else None
    if unit:
        click.echo(unit_file(root, getpass.getuser(), _command(root, host, port, files)), nl=False)
        return

    def tell(link: str) -> None:
        click.echo(f"the web page of {root} is ready; this link signs you in, once, within 30 minutes:", err=True)
        click.echo(link)

    serve(root, host, port, files, _provider(Workspace.open(root)), tell)


def _provider(workspace: Workspace) -> "Provider | None":
    """Return at which provider people sign in; None, and said, when nobody knows: on the page that can be mended."""
    from practicum.web.openid import provider_of

    try:
        settings = _settings(workspace)
    except InvalidInput:
        click.echo("warning: a platform file has errors, so people sign in by links only; practicum validate", err=True)
        return None
    return provider_of(settings, os.environ)


def _settings(workspace: Workspace) -> Mapping[str, Any]:
    """Return what prod's platform file on main says of the web page. Raises InvalidInput."""
    found: Mapping[str, Any] = platforms_of(workspace.repository.sources("HEAD"))["prod"].settings.get("web", {})
    return found


def _command(root: Path, host: str, port: int, files: "Certificate | None") -> list[str]:
    """Return the command that serves a repository's web page, from any folder."""
    program = str(Path(sys.argv[0]).absolute())
    named = ["--certificate", str(files.chain.absolute()), "--key", str(files.key.absolute())] if files else []
    return [program, "-C", str(root), "web", "--host", host, "--port", str(port), *named]


@click.command()
@lab_argument
@seat_option
@click.option("--staff", is_flag=True, help="For the professor and the assistants instead.")
@click.option("--days", type=click.IntRange(1, 366), default=180, show_default=True, help="How long links are good.")
@click.option("--url", help="Where the web page answers; without it web.public_url of prod's platform file.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--revoke", is_flag=True, help="Take back the links that they have; give none.")
@pass_context
def invite(
    context: Context,
    lab: str,
    seats: tuple[str, ...],
    staff: bool,
    days: int,
    url: str | None,
    as_csv: bool,
    revoke: bool,
) -> None:
    """Print a personal link to the web page for each student of a class."""
    with _packages():
        from practicum.web.guests import guests
        from practicum.web.invitations import Invitations

    if staff and seats:
        raise UsageError("--staff is for those who have no seat; leave --seat and --group out")
    workspace, now = context.workspace(), time.time()
    invited, links = guests(workspace, lab, seats, staff=staff), Invitations(workspace.repository.root)
    if revoke:
        links.revoke([guest.user for guest in invited], now)
        click.echo(f"{len(invited)} people: the links that they had are worth nothing now", err=True)
        return
    place = (url or _public_url(workspace)).rstrip("/")
    rows = [(guest, f"{place}/login?token={links.give(guest.user, now, now + days * DAY)}") for guest in invited]
    _print(rows, as_csv=as_csv)
    click.echo(
        f"each link signs in whoever has it, for {days} days; 'practicum invite {lab} --revoke' ends that", err=True
    )


def _public_url(workspace: Workspace) -> str:
    return str(_settings(workspace).get("public_url", USUAL_URL))


def _print(rows: "Sequence[tuple[Guest, str]]", *, as_csv: bool) -> None:
    if not as_csv:
        for guest, link in rows:
            click.echo("  ".join(filter(None, (guest.what, guest.user.login, guest.name, link))))
        return
    table = csv.writer(sys.stdout)
    table.writerow(("seat", "login", "name", "link"))
    table.writerows((guest.what, *map(_plain, (guest.user.login, guest.name)), link) for guest, link in rows)


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


COMMANDS = (web, invite)
