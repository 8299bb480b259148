"""Take a checkpoint of the professor's machines, prove it on a pilot seat, and set the release tag."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from generator.render.tree import tree_digest
from generator.seats.names import PILOT
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd import checkpoints
from practicum.lxd.inventory import inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.observe import observe
from practicum.lxd.plan import plan
from practicum.probes.model import ProbeResult
from practicum.stages.deployment import Deployment, load_deployment, release_file
from practicum.stages.generate import render_prod
from practicum.stages.guards import refuse_unbuilt, require_unchanged
from practicum.stages.provision import desired_state, provision
from practicum.stages.releases import PINS, releases, tag_prefix
from practicum.stages.smoke import smoke
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Proof:
    """What the pilot said. `release` is the number of the tag that was set, None when the pilot failed."""

    results: tuple[ProbeResult, ...]
    release: int | None


def take_checkpoint(workspace: Workspace, lab: str, message: str) -> dict[str, Any]:
    """Take a checkpoint and commit its pins to dev's release.json; return the pins. The pilot comes next."""
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "dev")
    refuse_unbuilt(deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd)
    if lxd.find("projects", desired.project_name) is None:
        raise _unlike_definitions(lab, "nothing of it is on LXD")
    with lease(lxd, desired.project_name):
        require_unchanged(workspace, deployment)
        lxd.wait_until_idle(desired.project_name)
        due = [act for act in plan(desired, observe(lxd, desired)).actions if act.kind in ("instance", "volume")]
        if due:
            raise _unlike_definitions(lab, f"{len(due)} changes are due, first: {due[0].verb} {due[0].name}")
        number = _next_number(workspace, deployment)
        rendered = deployment.shared["rendered"]
        taken = checkpoints.take(lxd, deployment.scope, desired, number, rendered, workspace.emit)
        return _record(workspace, deployment, taken, message)


def _unlike_definitions(lab: str, details: str) -> UnavailableError:
    return UnavailableError(
        f"your copy of {lab} is not what the definitions say, so a checkpoint would surprise you",
        details=details,
        resolution=f"practicum provision {lab}",
    )


def _record(
    workspace: Workspace, deployment: Deployment, taken: checkpoints.Checkpoint, message: str
) -> dict[str, Any]:
    """Commit a checkpoint's pins, so that the next one gets another number."""
    pins = {
        "checkpoint": taken.number,
        "message": message,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "practicum": version("practicum"),
        "spec_commit": deployment.commit,
        "tree": deployment.digest,
        "images": taken.images,
        "volumes": taken.volumes,
        "volume_project": taken.project,
    }
    subject = f"Checkpoint {taken.number} of {deployment.lab}"
    workspace.repository.commit(release_file("dev", deployment.lab, pins), f"{subject}\n\n{message}".strip())
    workspace.repository.publish()
    return pins


def prove(workspace: Workspace, lab: str) -> Proof:
    """Make a pilot seat from dev's checkpoint, probe it, remove it, and set the release tag when all held."""
    deployment = load_deployment(workspace, lab, "dev")
    if deployment.release is None:
        raise UnavailableError(f"{lab} has no checkpoint yet", resolution=f"practicum checkpoint {lab}")
    remove_pilot(workspace, deployment)
    provisioned = provision(workspace, lab, "dev", [PILOT])
    try:
        for outcome in provisioned.failed:
            raise outcome.error or PracticumError(f"seat {outcome.seat} failed")
        results = tuple(smoke(workspace, lab, "dev", [PILOT]))
    finally:
        remove_pilot(workspace, deployment)
    if not all(result.ok for result in results):
        return Proof(results, None)
    return Proof(results, tag_release(workspace, lab, deployment.release))


def tag_release(workspace: Workspace, lab: str, pins: Mapping[str, Any]) -> int:
    """Set the tag that says what prod may run: digest of prod's tree and pins; the same content makes no new one."""
    tree = render_prod(workspace, lab, pins["spec_commit"], workspace.repository.sources("HEAD"))
    content = {"tree": tree_digest(tree), **{key: pins[key] for key in PINS}}
    known = releases(workspace, lab)
    latest = max(known, default=0)
    if latest and known[latest] == content:
        return latest
    text = json.dumps(content, indent=2, sort_keys=True)
    workspace.repository.tag(f"{tag_prefix(lab)}{latest + 1}", text)
    workspace.emit(Event("checkpoint", "done", f"release {latest + 1} of {lab}"))
    return latest + 1


def remove_pilot(workspace: Workspace, deployment: Deployment) -> None:
    """Remove the pilot seat and all that belongs to it."""
    lxd = workspace.lxd(deployment.platform)
    marker = deployment.scope.marker(PILOT)
    left = [thing for thing in inventory(lxd, deployment.scope.installation) if thing.marker == marker]
    if left:
        with lease(lxd, deployment.scope.project):
            remove(lxd, left)


def unproved_changes(deployment: Deployment) -> bool:
    """Say whether dev's definitions differ from those that the checkpoint was taken of."""
    return deployment.release is None or deployment.release["tree"] != deployment.digest


def _next_number(workspace: Workspace, deployment: Deployment) -> int:
    used: list[int] = [content["checkpoint"] for content in releases(workspace, deployment.lab).values()]
    recorded: int = deployment.release["checkpoint"] if deployment.release else 0
    return max([recorded, *used]) + 1
