"""Make LXD match the committed definitions of a lab in one environment."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.render.networks import NO_FORWARDING
from generator.seats.names import PILOT, PROFESSOR
from practicum.errors import InputError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Pins, build
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.images import ensure_image
from practicum.lxd.lock import lease
from practicum.lxd.observe import observe
from practicum.lxd.plan import Plan, plan
from practicum.lxd.power import delete
from practicum.lxd.projects import change_config, create_project, require_ours
from practicum.lxd.reconcile import SeatOutcome, Workshop, apply
from practicum.lxd.steps import StepRunner
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.guards import (
    refuse_unfit,
    require_checkpoint,
    require_free_addresses,
    require_pool_space,
    require_pools,
    require_unchanged,
)
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace

DELIVERED = "user.practicum.delivered"
BUILDS_AT_ONCE = 2


@dataclass(frozen=True)
class Provisioned:
    """What a run of `provision` did."""

    deployment: Deployment
    plan: Plan
    outcomes: tuple[SeatOutcome, ...]

    @property
    def failed(self) -> list[SeatOutcome]:
        """The seats that failed."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]


def provision(
    workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = (), *, agreed: bool = False
) -> Provisioned:
    """Provision a lab, or some of its seats. What cannot be done is refused before any effect.

    `agreed` answers yes to what is asked first: running a changed script again, removing a machine that the spec lost.
    """
    deployment = load_deployment(workspace, lab, environment)
    refuse_unfit(workspace, deployment)
    _warn_uncommitted(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    require_pools(lxd, deployment)
    desired = desired_state(workspace, deployment, lxd, seats)
    _ensure_project(lxd, desired)
    with lease(lxd, desired.project_name) as lost:
        require_unchanged(workspace, deployment)
        lxd.wait_until_idle(desired.project_name)
        todo = plan(desired, observe(lxd, desired))
        if any(action.verb == "create" for action in todo.actions):
            require_pool_space(lxd, deployment)
        if any(action.kind == "network" and action.verb == "create" for action in todo.actions):
            require_free_addresses(lxd, desired)
        workshop = _workshop(workspace, deployment, lxd, desired, agreed, lost)
        _remove_extra(workspace, lxd, desired, todo.extra, agreed)
        outcomes = tuple(apply(workshop, todo))
        if not seats and all(outcome.error is None for outcome in outcomes):
            _record(lxd, desired, deployment)
    return Provisioned(deployment, todo, outcomes)


def plan_only(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> Plan:
    """Return what `provision` would do, without any effect but reading LXD."""
    deployment = load_deployment(workspace, lab, environment)
    refuse_unfit(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats, build_images=False)
    return plan(desired, observe(lxd, desired))


def desired_state(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, seats: Sequence[str] = (), *, build_images: bool = True
) -> Desired:
    """Return the desired state of a deployment, with the operation obeyed and every reference resolved."""
    documents = [_operated(deployment, deployment.seats[name]) for name in _chosen(deployment, seats)]
    pins = _pins(workspace, deployment, lxd, documents, build_images)
    shared = _without_internet(deployment) if deployment.operation.internet == "none" else deployment.shared
    known = frozenset(entry["name"] for seat in deployment.seats.values() for entry in seat["instances"])
    try:
        return replace(build(shared, documents, pins, Values(workspace, deployment, lxd)), known=known, whole=not seats)
    except KeyError as error:
        raise InputError(
            f"{deployment.environment} of {deployment.lab} has no checkpoint image for machine {error}",
            resolution=f"practicum checkpoint {deployment.lab}",
        ) from error


def _chosen(deployment: Deployment, seats: Sequence[str]) -> list[str]:
    unknown = sorted(set(seats) - set(deployment.seats))
    if unknown:
        known = ", ".join(sorted(deployment.seats))
        raise InputError(f"no such seat: {', '.join(unknown)}", resolution=f"seats are: {known}", exit_code=2)
    return list(seats) or [name for name in sorted(deployment.seats) if name != PILOT]


def _operated(deployment: Deployment, seat: dict[str, Any]) -> dict[str, Any]:
    """Return a seat as the operation wants it: stopped, or cut off from the internet and its names."""
    if deployment.operation.power == "stopped":
        seat = {**seat, "power": "stopped"}
    if deployment.operation.internet == "none" and seat["seat"] != PROFESSOR:
        seat = {**seat, "networks": [_closed(network) for network in seat["networks"]]}
    return seat


def _closed(network: dict[str, Any]) -> dict[str, Any]:
    has_resolver = "raw.dnsmasq" in network["config"]
    return {**network, "config": {**network["config"], "raw.dnsmasq": NO_FORWARDING}} if has_resolver else network


def _without_internet(deployment: Deployment) -> dict[str, Any]:
    return {**deployment.shared, "acls": [{**acl, "egress": []} for acl in deployment.shared["acls"]]}


def _pins(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, documents: list[dict[str, Any]], build_images: bool
) -> Pins:
    release = deployment.release or {}
    instances = [*deployment.shared["instances"], *(entry for seat in documents for entry in seat["instances"])]
    types = sorted({entry["source"]["image"] for entry in instances if "image" in entry["source"]})
    recipes = _images(workspace, deployment, lxd, types) if build_images else dict.fromkeys(types, "")
    require_checkpoint(deployment, lxd, instances)
    return Pins(recipes, release.get("images", {}), release.get("volumes", {}), release.get("volume_project", ""))


def _images(workspace: Workspace, deployment: Deployment, lxd: Lxd, types: list[str]) -> dict[str, str]:
    """Return the fingerprint of each type's image; missing ones are built side by side."""
    platform = deployment.platform

    def image(name: str) -> str:
        def report(text: str) -> None:
            workspace.emit(Event("images", "started", text, name))

        fingerprint = ensure_image(lxd, workspace.catalogue[name], platform.installation, platform.mirror, report)
        workspace.emit(Event("images", "done", fingerprint[:12], name))
        return fingerprint

    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        return dict(zip(types, pool.map(image, types), strict=True))


def _warn_uncommitted(workspace: Workspace, deployment: Deployment) -> None:
    course = deployment.lab.split("/")[0]
    folders = (f"environments/{deployment.environment}/{deployment.lab}", f"labs/{course}")
    changed = [path for folder in folders for path in workspace.repository.uncommitted(folder)]
    if changed:
        listed = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
        workspace.emit(Event("provision", "warning", f"not committed, so not deployed: {listed}"))


def _ensure_project(lxd: Lxd, desired: Desired) -> None:
    found = lxd.find("projects", desired.project_name)
    if found is None:
        create_project(lxd, desired.project)
    else:
        require_ours(found, desired.marker)


def _workshop(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, desired: Desired, agreed: bool, lost: threading.Event
) -> Workshop:
    def data(name: str, sha256: str) -> bytes:
        return _large_file(deployment, name, sha256)

    project = desired.project_name
    steps = StepRunner(lxd, project, workspace.emit, deployment.file, data, repeat_scripts=agreed)
    return Workshop(lxd, desired, GoldenMachines(lxd, desired), steps, workspace.emit, lost)


def _remove_extra(workspace: Workspace, lxd: Lxd, desired: Desired, names: Sequence[str], agreed: bool) -> None:
    """Remove machines that the definitions do not know, when that was agreed to; their volumes stay."""
    for name in names:
        if agreed:
            delete(lxd, desired.project_name, name)
            workspace.emit(Event("provision", "done", f"removed machine {name}: it is not in the definitions any more"))
        else:
            text = f"machine {name} is not in the definitions any more; 'practicum provision LAB --yes' removes it"
            workspace.emit(Event("provision", "warning", text))


def _large_file(deployment: Deployment, name: str, sha256: str) -> bytes:
    folder = deployment.platform.data_folder
    if folder is None:
        raise UnavailableError(f"data:{name} needs 'data_folder:' in the environment's platform.yaml")
    try:
        content = (Path(folder) / name).read_bytes()
    except OSError as error:
        raise UnavailableError(f"data:{name} cannot be read", details=str(error)) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"data:{name} is not the file that the spec names: its sha256 differs")
    return content


def _record(lxd: Lxd, desired: Desired, deployment: Deployment) -> None:
    """Record what was last delivered whole; what is due is a difference of digests."""
    found, etag = lxd.get_with_etag("projects", desired.project_name)
    if found["config"].get(DELIVERED) != deployment.digest:
        change_config(lxd, desired.project_name, found["config"], {DELIVERED: deployment.digest}, etag)
