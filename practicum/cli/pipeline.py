"""The verb `pipeline`: the whole way at once; one stage of it, and what is due: Jenkins jobs are made of these."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from practicum.cli.context import Context, lab_name, pass_context, when_option
from practicum.cli.delivery import tell_request
from practicum.cli.tables import seats_table, show
from practicum.errors import UnavailableError, UsageError
from practicum.probes.junit import junit
from practicum.stages.due import Due, due
from practicum.stages.pipeline import STAGES, Choices, Stage, require_passed, run_pipeline
from practicum.stages.publish import publish_generated
from practicum.stages.status import status
from practicum.stages.wishes import NOW, When

FAILED = 1
DEV_AND_PROD = ("dev", "prod")


def _optional_lab(click_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else lab_name(click_context, parameter, value)


@click.command()
@click.argument("lab", metavar="[LAB]", required=False, callback=_optional_lab)
@click.option("--due", "only_due", is_flag=True, help="Show which labs differ from what was last delivered.")
@click.option("--stages", "only_stages", is_flag=True, help="Show the stages, in order.")
@click.option("--stage", "name", metavar="NAME", help="Run this stage alone; 'generate' without LAB is for all labs.")
@click.option("--env", "environment", type=click.Choice(DEV_AND_PROD), help="With --due: your copies or the class.")
@click.option("--propose", is_flag=True, help="With --stage promote: push the branch; people merge it.")
@click.option("--junit", "report", type=click.Path(path_type=Path), help="With --stage: write what probes said here.")
@when_option
@pass_context
def pipeline(
    context: Context,
    lab: str | None,
    only_due: bool,
    only_stages: bool,
    name: str | None,
    environment: str | None,
    propose: bool,
    report: Path | None,
    when: When,
) -> None:
    """The whole life of a lab in one command: from the spec to the class."""
    if sum((only_due, only_stages, name is not None)) > 1:
        raise UsageError("--due, --stages and --stage exclude each other")
    # What would be ignored could be what somebody relies on.
    if propose and name != "promote":
        raise UsageError("--propose is for '--stage promote'")
    if (report is not None and name is None) or (environment is not None and not only_due):
        raise UsageError("--junit is for '--stage', and --env for '--due'")
    if when != NOW and (only_stages or only_due or name not in (None, "deliver")):
        raise UsageError("--when is for the whole way, and for '--stage deliver'")
    if only_stages:
        _show_stages(context)
    elif only_due:
        _show_due(context, lab, environment)
    elif name is not None:
        _run_stage(context, lab, _stage(name), Choices(propose, when), report)
    elif lab is None:
        raise UsageError("name the lab", resolution="practicum pipeline COURSE/LAB; or --due, which lists labs")
    else:
        _run_all(context, lab, when)


def _run_all(context: Context, lab: str, when: When) -> None:
    began = time.monotonic()
    with context.display() as display:
        workspace = context.workspace(display)
        life = run_pipeline(workspace, lab, display.finished, when)
        rows = status(workspace, lab, "prod") if life.delivery else []
    if life.request:
        tell_request(life.request)
        click.echo(f"when it is merged: practicum deliver {lab}", err=True)
    elif not context.as_json:
        show(seats_table(rows, life.delivery.results if life.delivery else ()))
        waiting = life.delivery.pending if life.delivery else {}
        for seat, words in waiting.items():
            click.echo(f"{seat}: {words}", err=True)
        done = "done" if life.changed else "nothing had to change"
        click.echo(f"{done} in {time.monotonic() - began:.1f} s", err=True)


def _stage(name: str) -> Stage:
    found = next((stage for stage in STAGES if stage.name == name), None)
    if found is None:
        raise UsageError(f"there is no stage '{name}'", resolution=f"stages: {', '.join(one.name for one in STAGES)}")
    return found


def _run_stage(context: Context, lab: str | None, stage: Stage, choices: Choices, report: Path | None) -> None:
    """Run one stage; its report is written before anything that failed is told."""
    if lab is None and stage.environment != "main":
        raise UsageError(f"the stage '{stage.name}' is one of a lab: name it")
    with context.display() as display:
        workspace = context.workspace(display)
        if lab is None:
            publish_generated(workspace)
        else:
            done = stage.run(workspace, lab, choices)
            if report is not None and stage.probes:
                report.parent.mkdir(parents=True, exist_ok=True)
                report.write_bytes(junit(lab, done.where or stage.environment, done.results))
            require_passed(lab, done)
        display.finished(stage.name)


def _show_stages(context: Context) -> None:
    if context.as_json:
        listed = [{"name": one.name, "environment": one.environment, "probes": one.probes} for one in STAGES]
        click.echo(json.dumps(listed))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stage", "environment"):
        table.add_column(column)
    for one in STAGES:
        table.add_row(one.name, one.environment)
    show(table)


def _show_due(context: Context, lab: str | None, environment: str | None) -> None:
    found = due(context.workspace(), [lab] if lab else (), (environment,) if environment else DEV_AND_PROD)
    if context.as_json:
        click.echo(json.dumps([_document(one) for one in found], ensure_ascii=False))
    elif found:
        show(_due_table(found))
    else:
        click.echo("nothing is due: what is committed was delivered", err=True)
    errors = {f"{one.lab} in {one.environment}": one.error for one in found if one.error is not None}
    for where, error in errors.items():
        click.echo(f"{where}: {error.message}; {error.resolution}", err=True)
    codes = {error.exit_code for error in errors.values()}
    unavailable = codes == {UnavailableError.exit_code} and len(errors) == len(found)
    click.get_current_context().exit(UnavailableError.exit_code if unavailable else FAILED if codes else 0)


def _document(one: Due) -> dict[str, Any]:
    error = one.error.message if one.error else None
    return {"lab": one.lab, "environment": one.environment, "why": one.why, "commit": one.commit, "error": error}


def _due_table(found: Sequence[Due]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("lab", "environment", "why"):
        table.add_column(column)
    for one in found:
        table.add_row(one.lab, one.environment, one.why)
    return table


COMMANDS = (pipeline,)
