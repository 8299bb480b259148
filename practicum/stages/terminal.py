"""A terminal in a machine of a lab for somebody at a browser: the same as `shell` gives to somebody at a terminal."""

from contextlib import AbstractAsyncContextManager

from practicum.lxd.terminal import Terminal, open_terminal
from practicum.stages.deployment import load_deployment
from practicum.stages.shell import login_command, running_instance
from practicum.stages.workspace import Workspace

__all__ = ["Terminal", "terminal"]

USER = "student"


def terminal(
    workspace: Workspace, lab: str, environment: str, seat: str, machine: str, columns: int, rows: int
) -> AbstractAsyncContextManager[Terminal]:
    """Return a terminal to be entered, of that size. Raises UnavailableError when the machine does not run."""
    deployment = load_deployment(workspace, lab, environment)
    instance = running_instance(workspace, deployment, seat, machine)
    lxd = workspace.lxd(deployment.platform)
    return open_terminal(lxd, deployment.scope.project, instance, login_command(USER), columns, rows)
