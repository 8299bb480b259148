"""Operation of a lab: start and stop, as commits that no later run undoes."""

from dataclasses import replace

from practicum.lxd.client import Lxd
from practicum.lxd.projects import change_config
from practicum.stages.deployment import Operation, load_deployment, operation_file
from practicum.stages.provision import Provisioned, provision
from practicum.stages.workspace import Workspace

KEPT = "user.practicum.kept"


def set_power(workspace: Workspace, lab: str, environment: str, *, running: bool) -> Provisioned:
    """Commit that a lab runs or is stopped, and make it so. Starting a destroyed lab brings it back."""
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, environment)
    current = deployment.operation
    wanted = replace(current, power="running", life="active") if running else replace(current, power="stopped")
    record(workspace, lab, environment, wanted, f"{'Start' if running else 'Stop'} {lab} in {environment}")
    if running:
        forget_kept_volumes(workspace.lxd(deployment.platform), deployment.scope.project)
    return provision(workspace, lab, environment)


def forget_kept_volumes(lxd: Lxd, project: str) -> None:
    """Take back that a project's volumes were kept from a destruction: they are in use again."""
    if lxd.find("projects", project) is not None:
        found, etag = lxd.get_with_etag("projects", project)
        if KEPT in found["config"]:
            change_config(lxd, project, found["config"], {KEPT: ""}, etag)


def record(workspace: Workspace, lab: str, environment: str, operation: Operation, message: str) -> None:
    """Commit and publish an operation."""
    workspace.repository.commit(operation_file(environment, lab, operation), message)
    workspace.repository.publish()
