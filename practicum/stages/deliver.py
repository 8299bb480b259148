"""Delivery: put prod's release onto the seats of the class."""

from dataclasses import dataclass

from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.probes.model import ProbeResult
from practicum.stages.deployment import load_deployment
from practicum.stages.promote import verify_release
from practicum.stages.provision import Provisioned, plan_only, provision
from practicum.stages.smoke import smoke
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Delivery:
    """What a delivery did."""

    release: int
    provisioned: Provisioned
    results: tuple[ProbeResult, ...]


def deliver(workspace: Workspace, lab: str) -> Delivery:
    """Deliver prod's release: new seats are made from the checkpoint, then every seat is probed."""
    workspace.repository.synchronise()
    release = verify_release(workspace, lab)
    outdated = plan_only(workspace, lab, "prod").outdated
    deployment = load_deployment(workspace, lab, "prod")
    if outdated and deployment.shared["update"] != "manual":
        raise UnavailableError(
            f"{len(outdated)} machines run an older release, and replacing running machines is not built yet",
            details=", ".join(outdated[:8]) + (" …" if len(outdated) > 8 else ""),
            resolution=(
                "'update: manual' in the spec gives the new release to new seats only; or "
                f"'practicum destroy {lab} --env prod', 'practicum start {lab} --env prod' and deliver again"
            ),
        )
    workspace.emit(Event("deliver", "started", f"release {release}"))
    provisioned = provision(workspace, lab, "prod")
    probed = deployment.operation.power == "running" and not provisioned.failed
    results = tuple(smoke(workspace, lab, "prod")) if probed else ()
    return Delivery(release, provisioned, results)
