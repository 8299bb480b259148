"""The desktop of a machine of a lab, for somebody at a browser."""

from contextlib import AbstractAsyncContextManager

from practicum.errors import UnavailableError
from practicum.lxd.desktop import Desktop, open_desktop
from practicum.stages.deployment import load_deployment
from practicum.stages.shell import running_instance
from practicum.stages.workspace import Workspace

__all__ = ["Desktop", "desktop"]


def desktop(
    workspace: Workspace, lab: str, environment: str, seat: str, machine: str
) -> AbstractAsyncContextManager[Desktop]:
    """Return a desktop to be entered. Raises UnavailableError when the machine has none, or does not run."""
    deployment = load_deployment(workspace, lab, environment)
    if machine not in deployment.desktops:
        raise UnavailableError(f"machine {machine} has no desktop", resolution="open its terminal")
    instance = running_instance(workspace, deployment, seat, machine)
    return open_desktop(workspace.lxd(deployment.platform), deployment.scope.project, instance)
