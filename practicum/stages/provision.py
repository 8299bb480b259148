"""Make LXD match the committed definitions of a lab in one environment."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.seats.names import PILOT
from practicum.errors import InputError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Pins, build
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.images import ensure_image
from practicum.lxd.lock import lease
from practicum.lxd.observe import observe, tail
from practicum.lxd.plan import Plan, plan
from practicum.lxd.power import delete
from practicum.lxd.projects import change_config, create_project, require_ours
from practicum.lxd.reconcile import SeatOutcome, Workshop, apply
from practicum.lxd.steps import StepRunner
from practicum.stages.capacity import require_capacity, require_pool_space
from practicum.stages.deployment import Deployment, load_deployment
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
    refuse_unbuilt(deployment)
    require_capacity(workspace, deployment)
    _warn_uncommitted(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats)
    _ensure_project(lxd, desired)
    with lease(lxd, desired.project_name):
        lxd.wait_until_idle(desired.project_name)
        todo = plan(desired, observe(lxd, desired))
        if any(action.verb == "create" for action in todo.actions):
            require_pool_space(lxd, deployment)
        workshop = _workshop(workspace, deployment, lxd, desired, agreed)
        _remove_extra(workspace, lxd, desired, todo.extra, agreed)
        outcomes = tuple(apply(workshop, todo))
        if not seats and all(outcome.error is None for outcome in outcomes):
            _record(lxd, desired, deployment)
    return Provisioned(deployment, todo, outcomes)


def plan_only(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> Plan:
    """Return what `provision` would do, without any effect but reading LXD."""
    deployment = load_deployment(workspace, lab, environment)
    refuse_unbuilt(deployment)
    require_capacity(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats, build_images=False)
    return plan(desired, observe(lxd, desired))


def refuse_unbuilt(deployment: Deployment) -> None:
    """Raise UnavailableError for what this version cannot do, and for a lab that was destroyed."""
    needs = deployment.shared["needs"]
    if needs:
        listed = "\n".join(f"{need['key']}: {need['missing']}" for need in needs)
        raise UnavailableError(
            f"{deployment.lab} asks for what this version of Practicum cannot do yet; nothing was done",
            details=listed,
            resolution="take these keys out of the spec, or wait for the version that has them",
        )
    if deployment.operation.life == "destroyed":
        raise UnavailableError(
            f"{deployment.lab} was destroyed in {deployment.environment}; nothing was done",
            resolution=f"practicum start {deployment.lab} --env {deployment.environment} makes it anew",
        )


def desired_state(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, seats: Sequence[str] = (), *, build_images: bool = True
) -> Desired:
    """Return the desired state of a deployment, with the operation obeyed and every reference resolved."""
    documents = [_operated(deployment, deployment.seats[name]) for name in _chosen(deployment, seats)]
    pins = _pins(workspace, deployment, lxd, documents, build_images)
    shared = _without_internet(deployment) if deployment.operation.internet == "none" else deployment.shared
    known = frozenset(entry["name"] for seat in deployment.seats.values() for entry in seat["instances"])
    try:
        return replace(build(shared, documents, pins, Values(workspace, deployment, lxd)), known=known)
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
    return {**seat, "power": "stopped"} if deployment.operation.power == "stopped" else seat


def _without_internet(deployment: Deployment) -> dict[str, Any]:
    return {**deployment.shared, "acls": [{**acl, "egress": []} for acl in deployment.shared["acls"]]}


def _pins(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, documents: list[dict[str, Any]], build_images: bool
) -> Pins:
    release = deployment.release or {}
    instances = [*deployment.shared["instances"], *(entry for seat in documents for entry in seat["instances"])]
    types = sorted({entry["source"]["image"] for entry in instances if "image" in entry["source"]})
    recipes = _images(workspace, deployment, lxd, types) if build_images else dict.fromkeys(types, "")
    _require_checkpoint(deployment, lxd, instances)
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


def _require_checkpoint(deployment: Deployment, lxd: Lxd, instances: list[dict[str, Any]]) -> None:
    """Raise UnavailableError when the checkpoint that seats are made from is not on LXD any more."""
    wanted = {entry["source"]["checkpoint"] for entry in instances if "checkpoint" in entry["source"]}
    if wanted and deployment.release and not has_checkpoint(lxd, deployment.release):
        raise UnavailableError(
            f"checkpoint {deployment.release['checkpoint']} of {deployment.lab} is gone from LXD; nothing was done",
            details="a checkpoint goes when a lab was destroyed in every environment",
            resolution=f"practicum pipeline {deployment.lab} takes a new one of your copy and delivers it",
        )


def has_checkpoint(lxd: Lxd, release: Mapping[str, Any]) -> bool:
    """Say whether every image of a release's checkpoint is on LXD."""
    present = {tail(address) for address in lxd.get("images")}
    return set(release["images"].values()) <= present


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


def _workshop(workspace: Workspace, deployment: Deployment, lxd: Lxd, desired: Desired, agreed: bool) -> Workshop:
    def data(name: str, sha256: str) -> bytes:
        return _large_file(deployment, name, sha256)

    project = desired.project_name
    steps = StepRunner(lxd, project, workspace.emit, deployment.file, data, repeat_scripts=agreed)
    return Workshop(lxd, desired, GoldenMachines(lxd, desired), steps, workspace.emit)


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
