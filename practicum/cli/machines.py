"""Verbs about machines: warm, provision, smoke, status, shell, create."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from generator.render.nodes import SERVER
from generator.seats.names import CLUSTER, is_student
from generator.spec.platform import ENVIRONMENTS
from practicum.cli.context import (
    Context,
    environment_option,
    lab_argument,
    lab_name,
    pass_context,
    seat_option,
    yes_option,
)
from practicum.cli.tables import overview_table, progress_table, results_table, seats_table, show
from practicum.errors import UsageError
from practicum.probes.junit import junit
from practicum.probes.model import ProbeResult, failures
from practicum.stages.create import SCRATCH, Wish, workspace_for_create
from practicum.stages.create import create as create_machine
from practicum.stages.create_cluster import KUBERNETES, ClusterWish, create_cluster
from practicum.stages.overview import next_step, overview
from practicum.stages.pipeline import seats_failed
from practicum.stages.pools import fullness
from practicum.stages.progress import progress as lab_progress
from practicum.stages.provision import Provisioned
from practicum.stages.provision import provision as provision_lab
from practicum.stages.provision import warm as warm_lab
from practicum.stages.shell import interactive, run_command
from practicum.stages.smoke import smoke as smoke_lab
from practicum.stages.status import seat_notes
from practicum.stages.status import status as lab_status

FAILED = 1


@click.command()
@lab_argument
@environment_option("dev")
@seat_option
@yes_option
@pass_context
def provision(context: Context, lab: str, environment: str, seats: tuple[str, ...]) -> None:
    """Make the machines match the committed definitions."""
    with context.display() as display:
        done = provision_lab(
            context.workspace(display), lab, environment, seats, agreed=context.yes, overwrite=context.yes
        )
    _report(done)


@click.command()
@lab_argument
@environment_option("prod")
@pass_context
def warm(context: Context, lab: str, environment: str) -> None:
    """Make networks and golden machines ahead of need, so that the class is there sooner."""
    with context.display() as display:
        done = warm_lab(context.workspace(display), lab, environment)
    _report(done)


@click.command()
@lab_argument
@environment_option("dev")
@seat_option
@click.option("--junit", "file", type=click.Path(path_type=Path), help="Also write a JUnit report.")
@click.option("--verbose", is_flag=True, help="Show every probe, not only a line a seat.")
@pass_context
def smoke(
    context: Context, lab: str, environment: str, seats: tuple[str, ...], file: Path | None, verbose: bool
) -> None:
    """Run the checks and the isolation matrix."""
    with context.display() as display:
        workspace = context.workspace(display)
        results = smoke_lab(workspace, lab, environment, seats)
        rows = lab_status(workspace, lab, environment)
    if file is not None:
        file.write_bytes(junit(lab, environment, results))
    if not context.as_json:
        probed = {result.seat for result in results}
        show(results_table(results) if verbose else seats_table([row for row in rows if row.seat in probed], results))
    _exit_on_failures(results)


@click.command()
@lab_argument
@seat_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@pass_context
def progress(context: Context, lab: str, seats: tuple[str, ...], as_csv: bool) -> None:
    """Show how far the students are: seats × progress checks with points."""
    found = lab_progress(context.workspace(), lab, seats)
    if as_csv:
        rows = csv.writer(sys.stdout)
        rows.writerow(["seat", *found.points, "points"])
        for seat, results in found.results.items():
            rows.writerow([seat, *(int(result.ok) if result.known else "" for result in results), found.score(seat)])
    else:
        show(progress_table(found))


@click.command()
@click.argument("lab", required=False, metavar="[LAB]")
@environment_option("dev")
@seat_option
@pass_context
def status(context: Context, lab: str | None, environment: str, seats: tuple[str, ...]) -> None:
    """Show seats, machines, addresses and states; without LAB, every lab at a glance."""
    workspace = context.workspace()
    if lab is None:
        rows = overview(workspace)
        if rows:
            show(overview_table(rows))
        for line in dict.fromkeys(row.problem for row in rows if row.problem):
            click.echo(f"note: {line}", err=True)
        for warning in dict.fromkeys(text for name in ENVIRONMENTS for text in fullness(workspace, name)):
            click.echo(f"warning: {warning}", err=True)
        click.echo(next_step(rows), err=True)
        return
    machines = lab_status(workspace, lab, environment, seats)
    show(seats_table(machines))
    notes = seat_notes(workspace, lab) if environment == "prod" else {}
    for seat in dict.fromkeys(row.seat for row in machines if row.seat in notes):
        click.echo(f"{seat}: {notes[seat]}")
    for warning in fullness(workspace, environment):
        click.echo(f"warning: {warning}", err=True)


@click.command(context_settings={"ignore_unknown_options": True})
@lab_argument
@click.argument("seat")
@click.argument("machine")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--user", default=None, help="Be this user [root; student in a terminal].")
@click.option("--env", "environment", type=click.Choice(ENVIRONMENTS), help="[dev; prod for a student's seat]")
@pass_context
def shell(
    context: Context,
    lab: str,
    seat: str,
    machine: str,
    command: tuple[str, ...],
    user: str | None,
    environment: str | None,
) -> None:
    """Open a terminal in a machine, or run one command: shell LAB SEAT MACHINE -- COMMAND…"""
    environment = environment or ("prod" if is_student(seat) else "dev")
    workspace = context.workspace()
    if not command:
        code = interactive(workspace, lab, environment, seat, machine, user or "student")
        click.get_current_context().exit(code)
    result = run_command(workspace, lab, environment, seat, machine, command, user or "root")
    click.echo(result.stdout, nl=False)
    click.echo(result.stderr, nl=False, err=True)
    click.get_current_context().exit(result.exit_code)


@click.command()
@click.argument("type_name", metavar="TYPE")
@click.option("--name", help="The machine's name [its type].")
@click.option("--cpu", type=click.IntRange(1, 64))
@click.option("--memory", metavar="SIZE", help="Such as 1GiB.")
@click.option("--disk", metavar="SIZE", help="Such as 5GiB.")
@click.option("--vm", is_flag=True, help="A virtual machine.")
@click.option("--nodes", type=click.IntRange(1, 59), help="Of a cluster: how many.")
@click.option("--with", "beside", multiple=True, metavar="TYPE", help="Beside a cluster: a machine; may be repeated.")
@click.option("--lab", default=SCRATCH, show_default=True, callback=lab_name, help="The lab to add it to.")
@pass_context
def create(
    context: Context, /, type_name: str, lab: str, nodes: int | None, beside: tuple[str, ...], **sizes: Any
) -> None:
    """Make one machine now: practicum create webserver --memory 1GiB

    Or a cluster: practicum create kubernetes --nodes 2 --with webserver
    """
    name, vm, is_cluster = sizes.pop("name"), sizes.pop("vm"), type_name == KUBERNETES
    if is_cluster and (name or vm):
        raise UsageError("a cluster has no --name and no --vm", resolution="leave them out")
    if not is_cluster and (nodes or beside):
        raise UsageError("--nodes and --with are for a cluster", resolution="practicum create kubernetes --nodes 2")
    workspace = workspace_for_create(context.folder)
    with context.display() as display:
        workspace.emit = display.emit
        if is_cluster:
            done = create_cluster(workspace, ClusterWish(nodes, machines=beside, **sizes), lab)
        else:
            created = create_machine(workspace, Wish(type_name, name, kind="vm" if vm else None, **sizes), lab)
            done = created.provisioned
    _report(done)
    folder = workspace.repository.root
    if is_cluster:
        show(seats_table(lab_status(workspace, lab, "dev")))
        click.echo(f"kubectl: practicum -C {folder} shell {lab} {CLUSTER} {SERVER} --env dev -- k3s kubectl get nodes")
    else:
        machine = created.machine
        click.echo(f"{machine.machine} is {machine.state} at {machine.address}")
        click.echo(f"open it: practicum -C {folder} shell {lab} prof {machine.machine}")
    click.echo(f"its spec: {folder}/labs/{lab}.lab.yaml")


def _report(done: Provisioned) -> None:
    if done.failed:
        raise seats_failed(done)
    count = done.changes
    click.echo(f"{count} changes made" if count else "nothing to change", err=True)
    for name in done.plan.outdated:
        click.echo(f"note: {name} runs an older release", err=True)


def _exit_on_failures(results: Sequence[ProbeResult]) -> None:
    failed, passed = failures(results), sum(result.ok for result in results)
    for result in failed:
        click.echo(f"{result.seat}: {result.name}: {result.detail}", err=True)
    untried = len(results) - passed - len(failed)
    click.echo(f"{passed} of {len(results)} passed" + (f", {untried} not tried" if untried else ""), err=True)
    if failed:
        click.get_current_context().exit(FAILED)


COMMANDS = (create, warm, provision, smoke, progress, status, shell)
