"""The command `practicum`: verbs, and how every failure ends."""

import sys
import tempfile
import traceback
from collections.abc import MutableMapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from generator.seats.books import BrokenBook
from practicum.cli import authoring
from practicum.cli.context import Context
from practicum.cli.diagnostics import diagnostics_text
from practicum.errors import InputError, PracticumError
from practicum.stages.workspace import InvalidInput

BUG, INTERRUPTED = 70, 130
MODULES = (
    "host",
    "review",
    "machines",
    "operation",
    "delivery",
    "pipeline",
    "seats",
    "storage",
    "data",
    "cleanup",
    "gitlab",
    "web",
    "jenkins",
)


class _Verbs(click.Group):
    """Verbs in their modules. Those of authors come first, and load neither LXD's client nor rich: editors wait."""

    _commands: dict[str, click.Command]

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """Every verb of the command line, by name."""
        for name in MODULES:
            for command in import_module(f"practicum.cli.{name}").COMMANDS:
                self._commands.setdefault(command.name, command)
        return self._commands

    @commands.setter
    def commands(self, commands: MutableMapping[str, click.Command]) -> None:
        self._commands = {**commands, **{str(command.name): command for command in authoring.COMMANDS}}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb; only one that is none of the authors' loads the other modules."""
        return self._commands.get(cmd_name) or super().get_command(ctx, cmd_name)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
        show_error(error)
        return error.exit_code
    except BrokenBook as error:
        show_error(InputError(f"{error.path}:{error.line}: {error.message}", resolution="take the version of main"))
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted; the next run goes on from here", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception:  # the last line of defence: a person must not read a traceback
        return _show_bug()
    return result if isinstance(result, int) else 0


def show_error(error: PracticumError) -> None:
    """Tell a failure on stderr: what happened, a third party's own words, and what to do."""
    from rich.console import Console
    from rich.markup import escape

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
    show_error(error)


def _show_bug() -> int:
    with tempfile.NamedTemporaryFile("w", prefix="practicum-bug-", suffix=".txt", delete=False) as file:
        file.write(traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    show_error(PracticumError(f"a bug in Practicum: {last}", resolution=f"report it with the file {file.name}"))
    return BUG
