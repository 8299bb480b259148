"""Take a checkpoint of the professor's machines, prove it on a pilot seat, and set the release tag."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from generator.render.tree import tree_digest
from generator.seats.names import PILOT
from generator.spec.platform import ENVIRONMENTS
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd import checkpoints
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.inventory import inventory, remove
from practicum.lxd.lock import lease
from practicum.lxd.observe import observe
from practicum.lxd.plan import plan
from practicum.parallel import worker_count
from practicum.probes.model import ProbeResult
from practicum.stages.checkpoint_view import changes_since
from practicum.stages.deployment import Deployment, committed_release, load_deployment, release_file
from practicum.stages.generate import render_prod
from practicum.stages.guards import refuse_unbuilt, require_unchanged
from practicum.stages.known_secrets import known_secrets
from practicum.stages.placement import placed
from practicum.stages.provision import desired_state, provision
from practicum.stages.releases import DESCRIPTION, PINS, pilot_of, releases, tag_prefix
from practicum.stages.rollout import remove_copies
from practicum.stages.smoke import smoke
from practicum.stages.solution import prove_solution
from practicum.stages.unclean import left_out, refuse_left_out, warn_failed_units, without
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Proof:
    """What the pilot said. `release` is the number of the tag that was set, None when the pilot failed."""

    results: tuple[ProbeResult, ...]
    release: int | None


def take_checkpoint(workspace: Workspace, lab: str, message: str, *, agreed: bool = False) -> dict[str, Any]:
    """Take a checkpoint and commit its pins to dev's release.json; return the pins. The pilot comes next.

    `agreed`: go on without what is on LXD and in no definition, which is refused otherwise.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "dev")
    refuse_unbuilt(deployment)
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    desired = desired_state(workspace, deployment, lxd)
    if lxd.find("projects", desired.project_name) is None:
        raise _unlike_definitions(lab, "nothing of it is on LXD")
    with lease(lxd, desired.project_name):
        require_unchanged(workspace, deployment)
        lxd.wait_until_idle(desired.project_name)
        _require_clean(workspace, lab, lxd, desired, agreed)
        number = _next_number(workspace, deployment)
        remove_unpinned(workspace, deployment, lxd)
        secrets = known_secrets(workspace, deployment, Values(workspace, deployment, lxd))
        private = checkpoints.Private(deployment.shared["rendered"], secrets)
        try:
            taken = checkpoints.take(lxd, deployment.scope, desired, number, private, workspace.emit)
        except checkpoints.SecretsFound:
            remove_unpinned(workspace, deployment, lxd)
            raise
        pins = _record(workspace, deployment, taken, message, changes_since(workspace, lxd, lab, taken.lists))
        remove_unpinned(workspace, deployment, lxd)
        return pins


def _require_clean(workspace: Workspace, lab: str, lxd: Lxd, desired: Desired, agreed: bool) -> None:
    """Raise UnavailableError when the professor's copy is not what its definitions say; tell what else is amiss."""
    observed = observe(lxd, desired)
    more = left_out(desired, observed)
    if not agreed:
        refuse_left_out(lab, more)
    for one in more:
        workspace.emit(Event("checkpoint", "warning", f"students do not get it: {one.words}"))
    actions = plan(desired, without(observed, more)).actions
    due = [action for action in actions if action.kind in ("instance", "volume")]
    if due:
        raise _unlike_definitions(lab, f"{len(due)} changes are due, first: {due[0].verb} {due[0].name}")
    warn_failed_units(workspace, lxd, desired)


def _unlike_definitions(lab: str, details: str) -> UnavailableError:
    return UnavailableError(
        f"your copy of {lab} is not what the definitions say, so a checkpoint would surprise you",
        details=details,
        resolution=f"practicum provision {lab}",
    )


def _record(
    workspace: Workspace,
    deployment: Deployment,
    taken: checkpoints.Checkpoint,
    message: str,
    changes: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Commit a checkpoint's pins, so that the next one gets another number."""
    pins = {
        "checkpoint": taken.number,
        "message": message,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "author": workspace.repository.identity.partition(" <")[0],
        "practicum": version("practicum"),
        "spec_commit": deployment.commit,
        "tree": deployment.digest,
        "images": taken.images,
        "volumes": taken.volumes,
        "volume_project": taken.project,
        "size": taken.size,
        "packages": {name: len(one.packages) for name, one in taken.lists.items() if one.packages},
        **({"listing": taken.listing} if taken.listing else {}),
        **({"changes": changes} if changes else {}),
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
    began = time.monotonic()
    provisioned = provision(workspace, lab, "dev", [PILOT])
    try:
        for outcome in provisioned.failed:
            raise outcome.error or PracticumError(f"seat {outcome.seat} failed")
        results = tuple(smoke(workspace, lab, "dev", [PILOT]))
        seconds = round(time.monotonic() - began, 1)
        if all(result.ok for result in results):
            results += tuple(prove_solution(workspace, provisioned.deployment))
    finally:
        remove_pilot(workspace, deployment)
    if not all(result.ok for result in results):
        return Proof(results, None)
    pilot = {"seconds": seconds, "machines": len(deployment.release["images"]), "at_once": worker_count()}
    return Proof(results, tag_release(workspace, lab, deployment.release, pilot))


def tag_release(workspace: Workspace, lab: str, pins: Mapping[str, Any], pilot: Mapping[str, Any] | None = None) -> int:
    """Set the tag that says what prod may run: digest of prod's tree and pins; the same content makes no new one.

    `pilot` is how long the pilot took, as release.json has it; else what is known of the checkpoint's pilot goes on.
    """
    tree = render_prod(workspace, lab, pins["spec_commit"], workspace.repository.sources("HEAD"))
    described = {key: pins[key] for key in DESCRIPTION if key in pins}
    content = {"tree": tree_digest(tree), **{key: pins[key] for key in PINS}, **described}
    known = releases(workspace, lab)
    latest = max(known, default=0)
    if latest and {key: value for key, value in known[latest].items() if key != "pilot"} == content:
        return latest
    pilot = pilot or pilot_of(known, pins["checkpoint"])
    text = json.dumps({**content, **({"pilot": pilot} if pilot else {})}, indent=2, sort_keys=True)
    workspace.repository.tag(f"{tag_prefix(lab)}{latest + 1}", text)
    workspace.emit(Event("checkpoint", "done", f"release {latest + 1} of {lab}"))
    return latest + 1


def remove_pilot(workspace: Workspace, deployment: Deployment) -> None:
    """Remove the pilot seat and all that belongs to it."""
    remove_copies(workspace, deployment, [PILOT])
    lxd = workspace.lxd(deployment.platform)
    marker = deployment.scope.marker(PILOT)
    left = [
        thing
        for thing in inventory(lxd, deployment.scope.installation, deployment.scope.prefix)
        if thing.marker == marker
    ]
    if left:
        with lease(lxd, deployment.scope.project):
            remove(lxd, left)


def unproved_changes(deployment: Deployment) -> bool:
    """Say whether dev's definitions differ from those that the checkpoint was taken of."""
    return deployment.release is None or deployment.release["tree"] != deployment.digest


def remove_unpinned(workspace: Workspace, deployment: Deployment, lxd: Lxd) -> None:
    """Remove what is left of checkpoints that no release of any environment pins; the lease is held."""
    pinned = {content["checkpoint"] for content in releases(workspace, deployment.lab).values()}
    for environment in ENVIRONMENTS:
        content = committed_release(workspace, deployment.lab, environment)
        pinned |= {content["checkpoint"]} if content else set()
    checkpoints.remove_unpinned(lxd, deployment.scope, pinned)


def _next_number(workspace: Workspace, deployment: Deployment) -> int:
    used: list[int] = [content["checkpoint"] for content in releases(workspace, deployment.lab).values()]
    recorded: int = deployment.release["checkpoint"] if deployment.release else 0
    return max([recorded, *used]) + 1
