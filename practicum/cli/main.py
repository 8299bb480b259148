"""The command `practicum`: verbs, and how every failure ends."""

import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from generator.seats.books import BrokenBook
from practicum.cli import authoring, cleanup, delivery, host, machines
from practicum.cli.context import Context
from practicum.cli.diagnostics import diagnostics_text
from practicum.errors import InputError, PracticumError
from practicum.stages.workspace import InvalidInput

BUG, INTERRUPTED = 70, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("practicum"))
@click.option("-C", "--repo", "folder", type=click.Path(path_type=Path), default=".", help="Work in this repository.")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
@click.option("--yes", is_flag=True, help="Do not ask before what cannot be undone.")
@click.pass_context
def cli(context: click.Context, folder: Path, as_json: bool, yes: bool) -> None:
    """Give every student of a course an isolated copy of a lab.

    LAB is COURSE/LAB, the spec is labs/COURSE/LAB.lab.yaml. Start with: practicum init DIR
    """
    context.obj = Context(folder, as_json, yes)


for module in (host, authoring, machines, delivery, cleanup):
    for command in module.COMMANDS:
        cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code that the documentation promises."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    try:
        result = cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except InvalidInput as error:
        _show_diagnostics(error)
        return error.exit_code
    except PracticumError as error:
        _show(error)
        return error.exit_code
    except BrokenBook as error:
        _show(InputError(f"{error.path}:{error.line}: {error.message}", resolution="take the version of main"))
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort):
        Console(stderr=True).print("\ninterrupted; the next run goes on from here")
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception:  # the last line of defence: a person must not read a traceback
        return _show_bug()
    return result if isinstance(result, int) else 0


def _show(error: PracticumError) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"[bold red]error:[/] {escape(error.message)}", highlight=False)
    for line in error.details.splitlines():
        console.print(f"  {escape(line)}", highlight=False)
    if error.resolution:
        console.print(f"[bold]fix:[/] {escape(error.resolution)}", highlight=False)
    if error.docs:
        console.print(f"[bold]docs:[/] {error.docs}", highlight=False)


def _show_diagnostics(error: InvalidInput) -> None:
    text = diagnostics_text(error.root or Path.cwd(), error.diagnostics, colour=sys.stderr.isatty())
    click.echo(text, err=True)
    _show(error)


def _show_bug() -> int:
    with tempfile.NamedTemporaryFile("w", prefix="practicum-bug-", suffix=".txt", delete=False) as file:
        file.write(traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    _show(PracticumError(f"a bug in Practicum: {last}", resolution=f"report it with the file {file.name}"))
    return BUG
