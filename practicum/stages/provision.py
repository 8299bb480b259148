"""Make LXD match the committed definitions of a lab in one environment."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from generator.catalogue.node_image import type_on
from generator.render.networks import NO_FORWARDING
from generator.seats.names import CLUSTER, PILOT, PROFESSOR
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.kubernetes.apply import Applied
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Pins, Replacement, build
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.images import ensure_image
from practicum.lxd.lock import lease
from practicum.lxd.observe import observe
from practicum.lxd.plan import Plan, plan
from practicum.lxd.power import delete
from practicum.lxd.projects import create_project, note, require_ours
from practicum.lxd.reconcile import SeatOutcome, Workshop, apply
from practicum.lxd.steps import StepRunner
from practicum.stages.argocd import deliver_by_argocd
from practicum.stages.checkpoint_copy import bring_checkpoint, source_of
from practicum.stages.deployment import Deployment, load_deployment, require_seats
from practicum.stages.guards import (
    refuse_foreign,
    refuse_unfit,
    require_checkpoint,
    require_free_addresses,
    require_pool_space,
    require_pools,
    require_unchanged,
    require_vm_support,
)
from practicum.stages.kubeconfigs import hand_out_kubeconfigs
from practicum.stages.leaving import told_on_return
from practicum.stages.own_cluster import ready_cluster
from practicum.stages.pace import expected, record_pace
from practicum.stages.placement import keep_place, placed
from practicum.stages.pools import pool_warnings
from practicum.stages.rollout import Rollout, planned, prepare, remove_extra, roll_out, with_copies
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
    copies: tuple[Applied, ...] = ()

    @property
    def changes(self) -> int:
        """How many changes were made, on LXD and on the cluster."""
        return len(self.plan.actions) + sum(copy.changes for copy in self.copies)

    @property
    def failed(self) -> list[SeatOutcome]:
        """The seats that failed."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]


@dataclass(frozen=True)
class _Work:
    """What a run works with while it holds the lease."""

    deployment: Deployment
    lxd: Lxd
    desired: Desired
    plan: Plan
    workshop: Workshop
    rollout: Rollout | None


def provision(
    workspace: Workspace,
    lab: str,
    environment: str,
    seats: Sequence[str] = (),
    *,
    agreed: bool = False,
    overwrite: bool = False,
    replacement: Replacement = Replacement(),  # noqa: B008 - a frozen value
) -> Provisioned:
    """Provision a lab, or some of its seats. What cannot be done is refused before any effect.

    `agreed` answers yes to what is asked first: running a changed script again, removing a machine that the spec lost.
    `overwrite`: objects on the cluster that somebody changed by hand become as git has them.
    `replacement` says which machines get the release's system in place of theirs.
    """
    with _at_work(workspace, lab, environment, seats, agreed, replacement) as work:
        _remove_extra(workspace, work.lxd, work.desired, work.plan.extra, agreed)
        began = time.monotonic()
        outcomes = tuple(apply(work.workshop, work.plan))
        work, outcomes = _with_own_cluster(workspace, work, seats, outcomes)
        copies = _roll_out(workspace, work, agreed, overwrite) if work.rollout else []
        outcomes = with_copies(outcomes, copies)
        succeeded = all(outcome.error is None for outcome in outcomes)
        if succeeded:
            record_pace(work.lxd, work.desired.project_name, work.plan, time.monotonic() - began)
        if succeeded and not seats and not work.plan.outdated:
            note(work.lxd, work.desired.project_name, {DELIVERED: work.deployment.digest})
        for seat, words in told_on_return(
            work.lxd.get("projects", work.desired.project_name)["config"], lab, work.plan
        ):
            workspace.emit(Event("provision", "warning", words, seat))
    return Provisioned(work.deployment, work.plan, outcomes, tuple(copies))


def _with_own_cluster(
    workspace: Workspace, work: _Work, seats: Sequence[str], outcomes: tuple[SeatOutcome, ...]
) -> tuple[_Work, tuple[SeatOutcome, ...]]:
    """Wait for the lab's own cluster and prepare what comes on it; a cluster that fails is told like a seat."""
    failed = any(outcome.seat == CLUSTER and outcome.error for outcome in outcomes)
    is_wanted = work.desired.replacement == Replacement() and work.deployment.operation.power == "running"
    if work.deployment.cluster is None or failed or not is_wanted:
        return work, outcomes
    try:
        ready_cluster(workspace, work.deployment)
    except PracticumError as error:
        workspace.emit(Event("provision", "failed", error.message, CLUSTER))
        others = tuple(outcome for outcome in outcomes if outcome.seat != CLUSTER)
        return work, (*others, SeatOutcome(CLUSTER, 0, error, "waiting for the nodes"))
    return replace(work, rollout=prepare(workspace, work.deployment, seats)), outcomes


def _roll_out(workspace: Workspace, work: _Work, agreed: bool, overwrite: bool) -> list[Applied]:
    assert work.rollout is not None  # noqa: S101 - for the type checker
    rollout = remove_extra(workspace, work.rollout, agreed=agreed)
    # Argo CD only knows what git has, which is a lab that runs.
    if work.deployment.platform.delivery == "argocd" and work.deployment.operation.power == "running":
        applied = deliver_by_argocd(workspace, work.deployment, rollout, overwrite=overwrite)
    else:
        applied = roll_out(workspace, rollout, overwrite=overwrite)
    if work.deployment.cluster is None:
        return applied
    made = [one.seat for one in applied if one.error is None]
    failed = hand_out_kubeconfigs(workspace, work.deployment, work.lxd, rollout.cluster, made)
    return [
        replace(one, error=failed[one.seat], doing="its kubeconfig") if one.seat in failed else one for one in applied
    ]


def warm(workspace: Workspace, lab: str, environment: str) -> Provisioned:
    """Make what machines need ahead of need: networks, access lists, golden machines; no seat's machine is touched."""
    with _at_work(workspace, lab, environment, (), False, Replacement()) as work:
        outcomes = tuple(apply(work.workshop, work.plan.ahead))
        cloned = {(one.machine, one.fingerprint): one for seat in work.desired.seats for one in seat.instances}
        for (machine, _), instance in sorted(cloned.items()):
            workspace.emit(Event("provision", "started", f"golden machine {machine}"))
            work.workshop.golden.make(instance)
    return Provisioned(work.deployment, work.plan.ahead, outcomes)


@contextmanager
def _at_work(
    workspace: Workspace, lab: str, environment: str, seats: Sequence[str], agreed: bool, replacement: Replacement
) -> Iterator[_Work]:
    """Check everything that can be checked, hold the lease, and give what is to be done; refuses before any effect."""
    deployment = load_deployment(workspace, lab, environment)
    refuse_unfit(workspace, deployment)
    require_seats(deployment, seats)
    _warn_uncommitted(workspace, deployment)
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    require_vm_support(lxd, deployment)
    require_pools(lxd, deployment)
    for warning in pool_warnings(lxd, deployment.platform):
        workspace.emit(Event("provision", "warning", warning))
    # A seat whose system is replaced gets its copy when all seats are provisioned; a cluster of the lab's own is asked
    # when it is ready.
    asked = replacement == Replacement() and deployment.cluster is None
    rollout = prepare(workspace, deployment, seats) if asked else None
    desired = replace(desired_state(workspace, deployment, lxd, seats, with_cluster=True), replacement=replacement)
    _ensure_project(lxd, desired)
    with lease(lxd, desired.project_name) as lost:
        require_unchanged(workspace, deployment)
        keep_place(lxd, desired.project_name)
        lxd.wait_until_idle(desired.project_name)
        observed = observe(lxd, desired)
        refuse_foreign(desired, observed)
        todo = plan(desired, observed)
        if any(action.verb == "create" for action in todo.actions):
            require_pool_space(lxd, deployment)
        if any(action.kind == "network" and action.verb == "create" for action in todo.actions):
            require_free_addresses(lxd, desired)
        workshop = _workshop(workspace, deployment, lxd, desired, agreed, lost)
        yield _Work(deployment, lxd, desired, todo, workshop, rollout)


def plan_only(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> Plan:
    """Return what `provision` would do, without any effect but reading LXD."""
    deployment = load_deployment(workspace, lab, environment)
    refuse_unfit(workspace, deployment)
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, seats, build_images=False, with_cluster=True)
    lxd = placed(lxd, deployment)
    require_vm_support(lxd, deployment)
    return plan(desired, observe(lxd, desired))


def expected_time(workspace: Workspace, lab: str, environment: str, todo: Plan) -> str:
    """Return in words how long it takes to make the seats of a plan; empty when that was never measured."""
    deployment = load_deployment(workspace, lab, environment)
    return expected(workspace, deployment, workspace.lxd(deployment.platform), todo)


def plan_copies(workspace: Workspace, lab: str, environment: str, seats: Sequence[str] = ()) -> list[str]:
    """Return in words what `provision` would do on a cluster, without any effect but reading it."""
    return planned(workspace, load_deployment(workspace, lab, environment), seats)


def desired_state(
    workspace: Workspace,
    deployment: Deployment,
    lxd: Lxd,
    seats: Sequence[str] = (),
    *,
    build_images: bool = True,
    with_cluster: bool = False,
) -> Desired:
    """Return the desired state of a deployment, with the operation obeyed and every reference resolved."""
    cluster = [deployment.cluster] if deployment.cluster and with_cluster else []
    chosen = [*cluster, *(deployment.seats[name] for name in _chosen(deployment, seats))]
    documents = [_operated(deployment, document) for document in chosen]
    pins = _pins(workspace, deployment, lxd, documents, build_images)
    shared = _without_internet(deployment) if deployment.operation.internet == "none" else deployment.shared
    known = frozenset(entry["name"] for seat in deployment.documents for entry in seat["instances"])
    try:
        wanted = build(shared, documents, pins, Values(workspace, deployment, lxd), deployment.platform.folders)
        return replace(wanted, known=known, whole=not seats)
    except KeyError as error:
        raise InputError(
            f"{deployment.environment} of {deployment.lab} has no checkpoint image for machine {error}",
            resolution=f"practicum checkpoint {deployment.lab}",
        ) from error


def _chosen(deployment: Deployment, seats: Sequence[str]) -> list[str]:
    require_seats(deployment, seats)
    return list(seats) or [name for name in sorted(deployment.seats) if name != PILOT]


def _operated(deployment: Deployment, seat: dict[str, Any]) -> dict[str, Any]:
    """Return a seat as the operation wants it: stopped, or cut off from the internet and its names."""
    if deployment.operation.power == "stopped":
        seat = {**seat, "power": "stopped"}
    if seat["seat"] == CLUSTER:
        return seat  # it has no internet at any time
    # In dev the professor's own copy follows the platform, not the class.
    if deployment.operation.internet == "none" and (seat["seat"] != PROFESSOR or deployment.environment == "prod"):
        acls = [_inside(acl, deployment.platform.addresses) for acl in seat["acls"]]
        seat = {**seat, "networks": [_closed(network) for network in seat["networks"]], "acls": acls}
    return seat


def _inside(acl: dict[str, Any], area: IPv4Network) -> dict[str, Any]:
    """Return an ACL without what it opens beyond the environment's own addresses."""
    kept = [rule for rule in acl["egress"] if rule["action"] != "allow" or _is_inside(rule["destination"], area)]
    return {**acl, "egress": kept}


def _is_inside(destination: str, area: IPv4Network) -> bool:
    try:
        ends = [IPv4Network(end) for part in destination.split(",") for end in part.split("-")]
    except ValueError:  # a reference to addresses that only the host knows
        return False
    return all(end.subnet_of(area) for end in ends)


def _closed(network: dict[str, Any]) -> dict[str, Any]:
    has_resolver = "raw.dnsmasq" in network["config"]
    return {**network, "config": {**network["config"], "raw.dnsmasq": NO_FORWARDING}} if has_resolver else network


def _without_internet(deployment: Deployment) -> dict[str, Any]:
    """Return the shared definitions with what all students may reach inside the environment alone."""
    area = deployment.platform.addresses
    acls = [_inside(acl, area) for acl in deployment.shared["acls"]]
    opened = [{**acl, "egress": [rule for rule in acl["egress"] if rule["action"] == "allow"]} for acl in acls]
    return {**deployment.shared, "acls": opened}


def _pins(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, documents: list[dict[str, Any]], build_images: bool
) -> Pins:
    release = deployment.release or {}
    instances = [*deployment.shared["instances"], *(entry for seat in documents for entry in seat["instances"])]
    types = sorted({entry["source"]["image"] for entry in instances if "image" in entry["source"]})
    recipes = _images(workspace, deployment, lxd, types) if build_images else dict.fromkeys(types, "")
    if build_images:
        bring_checkpoint(workspace, deployment, lxd)
    require_checkpoint(deployment, (lxd,) if build_images else (lxd, source_of(workspace, deployment)), instances)
    return Pins(recipes, release.get("images", {}), release.get("volumes", {}), release.get("volume_project", ""))


def _images(workspace: Workspace, deployment: Deployment, lxd: Lxd, types: list[str]) -> dict[str, str]:
    """Return the fingerprint of each type's image; missing ones are built side by side."""
    platform = deployment.platform

    def image(name: str) -> str:
        def report(text: str) -> None:
            workspace.emit(Event("images", "started", text, name))

        type = type_on(workspace.catalogue, name, platform)
        if type is None:
            raise InputError(f"the definitions name an image of an unknown type: {name}")
        fingerprint = ensure_image(lxd, type, platform.installation, platform.mirror, report)
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
