"""The verb `jenkins`: is the pipeline server what it should be, and its builds."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from practicum.cli.context import Context, pass_context
from practicum.cli.tables import checks_text, show
from practicum.errors import PracticumError, UsageError
from practicum.stages.pipeline_server import PASSED, diagnose, drift, gateway_of, run_job
from practicum.stages.pipeline_server import apply as apply_configuration

if TYPE_CHECKING:
    from practicum.jenkins.gateway import JenkinsGateway

FAILED = 1
MINUTE = 60


@click.group()
@click.option("--url", default="", metavar="URL", help="Its address [that of the platform file].")
@click.pass_context
def jenkins(click_context: click.Context, url: str) -> None:
    """The Jenkins that runs the pipeline; PRACTICUM_JENKINS_USER and _TOKEN say who asks."""
    click_context.meta["jenkins"] = url


def _gateway(context: Context) -> "JenkinsGateway":
    return gateway_of(context.workspace(), click.get_current_context().meta["jenkins"])


@jenkins.command("diagnose")
@pass_context
def diagnose_jenkins(context: Context) -> None:
    """Look at plugins, agents, jobs, credentials and what waits; every failure with its fix."""
    repository = context.workspace().repository
    head = ""
    with suppress(PracticumError):  # what is wrong with git is no news of Jenkins
        repository.synchronise()
        head = repository.head()
    checks = diagnose(_gateway(context), head)
    if context.as_json:
        click.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for line in checks_text(checks):
            show(line)
    click.get_current_context().exit(0 if all(check.ok for check in checks) else FAILED)


@jenkins.command("apply")
@pass_context
def apply(context: Context) -> None:
    """Let Jenkins read its configuration as code again; running builds go on."""
    missing = apply_configuration(_gateway(context))
    if missing:
        raise PracticumError(
            f"{len(missing)} jobs are missing although the configuration was read",
            details="\n".join(missing),
            resolution="is jenkins/casc of this version where CASC_JENKINS_CONFIG points?",
        )
    click.echo("the configuration was read, and every job is there", err=True)


@jenkins.command("drift")
@pass_context
def drift_of_jobs(context: Context) -> None:
    """Show which jobs are not as they were configured; 'apply' brings them back."""
    found = drift(_gateway(context))
    if context.as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for words in found:
            click.echo(words)
    click.echo(f"{len(found)} differences" if found else "every job is as it was configured", err=True)
    click.get_current_context().exit(FAILED if found else 0)


@jenkins.command("run")
@click.argument("job")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--wait", "minutes", default=60, show_default=True, type=click.IntRange(0), help="Minutes for its start.")
@pass_context
def run(context: Context, job: str, parameters: tuple[str, ...], minutes: int) -> None:
    """Start a build and follow it to its end: jenkins run practicum/dev/lab -p LAB=net101/firewalls."""
    given = dict(_pair(text) for text in parameters)

    def told(words: str) -> None:
        click.echo(words, err=True)

    result = run_job(_gateway(context), job, given, minutes * MINUTE, told, click.echo)
    click.echo(f"{job} ended: {result}", err=True)
    click.get_current_context().exit(0 if result == PASSED else FAILED)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"'{text}' is no NAME=VALUE", resolution="-p LAB=net101/firewalls")
    return name, value


COMMANDS = (jenkins,)
