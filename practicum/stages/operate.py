"""Operation of a lab: start and stop, as commits that no later run undoes."""

from dataclasses import replace

from practicum.stages.deployment import Operation, load_deployment, operation_file
from practicum.stages.provision import Provisioned, provision
from practicum.stages.workspace import Workspace


def set_power(workspace: Workspace, lab: str, environment: str, *, running: bool) -> Provisioned:
    """Commit that a lab runs or is stopped, and make it so. Starting a destroyed lab brings it back."""
    current = load_deployment(workspace, lab, environment).operation
    wanted = replace(current, power="running", life="active") if running else replace(current, power="stopped")
    record(workspace, lab, environment, wanted, f"{'Start' if running else 'Stop'} {lab} in {environment}")
    return provision(workspace, lab, environment)


def record(workspace: Workspace, lab: str, environment: str, operation: Operation, message: str) -> None:
    """Commit and publish an operation."""
    workspace.repository.synchronise()
    workspace.repository.commit(operation_file(environment, lab, operation), message)
    workspace.repository.publish()
