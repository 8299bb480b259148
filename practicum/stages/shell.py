"""A command or a terminal inside one machine of a lab, through LXD's API and never over a network."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.render.yaml_text import dump
from generator.seats.names import CLUSTER
from practicum.errors import InputError, UnavailableError
from practicum.lxd.client import CommandResult
from practicum.lxd.endpoints import Endpoint
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.workspace import Workspace

# What LXD's client calls a server over the network.
REMOTE = "practicum"


def run_command(
    workspace: Workspace, lab: str, environment: str, seat: str, machine: str, command: Sequence[str], user: str
) -> CommandResult:
    """Run one command in a machine as a user and return its output and exit code."""
    deployment = load_deployment(workspace, lab, environment)
    instance = running_instance(workspace, deployment, seat, machine)
    as_user = (
        list(command) if user == "root" else ["su", "-s", "/bin/sh", user, "-c", 'exec "$@"', "--", "sh", *command]
    )
    return workspace.lxd(deployment.platform).run(instance, as_user, project=deployment.scope.project)


def interactive(workspace: Workspace, lab: str, environment: str, seat: str, machine: str, user: str) -> int:
    """Replace this process's terminal by one in a machine; return its exit code."""
    deployment = load_deployment(workspace, lab, environment)
    instance = running_instance(workspace, deployment, seat, machine)
    client = shutil.which("lxc")
    if client is None:
        raise UnavailableError("a terminal needs the LXD client", resolution="apt-get install lxd-client")
    with client_settings(workspace.lxd(deployment.platform).endpoint) as settings:
        place = f"{REMOTE}:{instance}" if "LXD_CONF" in settings else instance
        arguments = [client, "exec", "--project", deployment.scope.project, place, "--", *login_command(user)]
        return subprocess.run(arguments, check=False, env={**os.environ, **settings}).returncode


def login_command(user: str) -> list[str]:
    """Return the command that a terminal begins with."""
    return ["su", "-l", user]


@contextmanager
def client_settings(endpoint: Endpoint) -> Iterator[dict[str, str]]:
    """Give environment variables with which LXD's own client speaks to an endpoint; for a remote one as `practicum:`.

    A user's own configuration of that client is neither read nor changed.
    """
    if not endpoint.is_remote:
        yield {"LXD_SOCKET": endpoint.address}
        return
    with TemporaryDirectory(prefix="practicum-") as name:
        folder = Path(name)
        remotes = {REMOTE: {"addr": endpoint.url, "protocol": "lxd", "auth_type": "tls", "public": False}}
        (folder / "config.yml").write_text(dump({"default-remote": REMOTE, "remotes": remotes}))
        (folder / "servercerts").mkdir()
        files = {
            "client.crt": endpoint.certificate,
            "client.key": endpoint.key,
            f"servercerts/{REMOTE}.crt": endpoint.server_certificate,
        }
        for link, file in files.items():
            if file is not None:
                (folder / link).symlink_to(file.absolute())
        yield {"LXD_CONF": name}


def running_instance(workspace: Workspace, deployment: Deployment, seat: str, machine: str) -> str:
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
    if seat != CLUSTER or deployment.cluster is None:
        require_seats(deployment, [seat])
    instances = deployment.document(seat)["instances"]
    names = {entry["config"]["user.practicum.machine"]: entry["name"] for entry in instances}
    if machine not in names:
        raise InputError(f"no such machine: {machine}", resolution=f"machines are: {', '.join(names)}", exit_code=2)
    return str(names[machine])
