"""Delivery: put prod's release onto the seats of the class."""

from dataclasses import dataclass

from generator.seats.names import PROFESSOR
from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.probes.model import ProbeResult
from practicum.stages.deployment import load_deployment
from practicum.stages.provision import Provisioned, plan_only, provision
from practicum.stages.releases import verify_release
from practicum.stages.smoke import running_seats, smoke
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
    deployment = load_deployment(workspace, lab, "prod")
    release = verify_release(workspace, deployment)
    outdated = plan_only(workspace, lab, "prod").outdated
    if outdated and deployment.shared["update"] != "manual":
        raise UnavailableError(
            f"{len(outdated)} machines run an older release, and replacing running machines is not built yet",
            details=", ".join(outdated[:8]) + (" …" if len(outdated) > 8 else ""),
            resolution=(
                "'update: manual' in the spec gives the new release to new seats only; or make it anew around its "
                f"volumes: practicum destroy {lab} --env prod --keep-volumes; practicum start {lab} --env prod"
            ),
        )
    workspace.emit(Event("deliver", "started", f"release {release}"))
    provisioned = provision(workspace, lab, "prod")
    failed = {outcome.seat for outcome in provisioned.failed}
    probed = [seat for seat in running_seats(deployment) if seat not in failed]
    # The probe container is made with the professor's seat: without it nothing can be seen.
    runs = deployment.operation.power == "running" and PROFESSOR not in failed
    results = tuple(smoke(workspace, lab, "prod", probed)) if runs else ()
    return Delivery(release, provisioned, results)
