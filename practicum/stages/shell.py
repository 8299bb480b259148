"""A command or a terminal inside one machine of a lab, through LXD's API and never over a network."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from practicum.errors import InputError, UnavailableError
from practicum.lxd.client import CommandResult
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.workspace import Workspace


def run_command(
    workspace: Workspace, lab: str, environment: str, seat: str, machine: str, command: Sequence[str], user: str
) -> CommandResult:
    """Run one command in a machine as a user and return its output and exit code."""
    deployment = load_deployment(workspace, lab, environment)
    instance = _running_instance(workspace, deployment, seat, machine)
    as_user = (
        list(command) if user == "root" else ["su", "-s", "/bin/sh", user, "-c", 'exec "$@"', "--", "sh", *command]
    )
    return workspace.lxd(deployment.platform).run(instance, as_user, project=deployment.scope.project)


def interactive(workspace: Workspace, lab: str, environment: str, seat: str, machine: str, user: str) -> int:
    """Replace this process's terminal by one in a machine; return its exit code."""
    deployment = load_deployment(workspace, lab, environment)
    instance = _running_instance(workspace, deployment, seat, machine)
    client = shutil.which("lxc")
    if client is None:
        raise UnavailableError("a terminal needs the LXD client", resolution="apt-get install lxd-client")
    project = deployment.scope.project
    arguments = [client, "exec", "--project", project, instance, "--", "su", "-l", user]
    variables = {**os.environ, "LXD_SOCKET": workspace.lxd(deployment.platform).socket}
    return subprocess.run(arguments, check=False, env=variables).returncode


def _running_instance(workspace: Workspace, deployment: Deployment, seat: str, machine: str) -> str:
    """Return the name of a machine that runs; UnavailableError with the way to it when it does not."""
    name = _instance(deployment, seat, machine)
    found = workspace.lxd(deployment.platform).find("instances", name, project=deployment.scope.project)
    if found is None or found["status"] != "Running":
        verb = "start" if deployment.operation.power == "stopped" else "provision"
        raise UnavailableError(
            f"{name} is {found['status'].lower() if found else 'not there'}",
            resolution=f"practicum {verb} {deployment.lab} --env {deployment.environment}",
        )
    return name


def _instance(deployment: Deployment, seat: str, machine: str) -> str:
    if machine == "probe":
        return "probe"
    if seat not in deployment.seats:
        raise InputError(
            f"no such seat: {seat}", resolution=f"seats are: {', '.join(sorted(deployment.seats))}", exit_code=2
        )
    names = {entry["config"]["user.practicum.machine"]: entry["name"] for entry in deployment.seats[seat]["instances"]}
    if machine not in names:
        raise InputError(f"no such machine: {machine}", resolution=f"machines are: {', '.join(names)}", exit_code=2)
    return str(names[machine])
