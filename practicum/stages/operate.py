"""Operation of a lab: start, stop and exams, as commits that no later run undoes."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface

from generator.seats.names import PROFESSOR
from practicum.events import Event
from practicum.lxd import bulk
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired
from practicum.lxd.lock import lease
from practicum.lxd.objects import update_acl, update_network
from practicum.lxd.observe import Observed, present
from practicum.lxd.plan import plan
from practicum.lxd.projects import note
from practicum.parallel import in_parallel
from practicum.stages.connections import cut_connections
from practicum.stages.deployment import Deployment, Operation, load_deployment, operation_file
from practicum.stages.due import FINISHED
from practicum.stages.guards import refuse_unbuilt, refuse_unfit, require_pools
from practicum.stages.provision import Provisioned, desired_state, provision
from practicum.stages.rollout import prepare, roll_out
from practicum.stages.workspace import Workspace

KEPT = "user.practicum.kept"


@dataclass(frozen=True)
class Stopped:
    """What `stop` did: how many machines there are, and how many of them ran before."""

    machines: int
    changed: int


@dataclass(frozen=True)
class Exam:
    """What `exam` did: seats of the lab, how many access lists and resolvers changed, whether the decision was new."""

    seats: int
    changed: int
    new: bool


def start(workspace: Workspace, lab: str, environment: str) -> Provisioned:
    """Commit that a lab runs, and make it so. Starting a destroyed lab brings it back.

    What cannot be done is refused before the commit.
    """
    workspace.repository.synchronise()
    intend_running(workspace, load_deployment(workspace, lab, environment))
    return provision(workspace, lab, environment)


def intend_running(workspace: Workspace, deployment: Deployment) -> None:
    """Commit that a lab runs. Raises what speaks against provisioning it; nothing is committed then."""
    wanted = replace(deployment, operation=replace(deployment.operation, power="running", life="active"))
    refuse_unfit(workspace, wanted)
    lxd = workspace.lxd(wanted.platform)
    require_pools(lxd, wanted)
    desired_state(workspace, wanted, lxd, build_images=False)
    with _lease_if_there(lxd, wanted.scope.project):
        _record(workspace, deployment, wanted, f"Start {wanted.lab} in {wanted.environment}")
    forget_notes(lxd, wanted.scope.project)


def stop(workspace: Workspace, lab: str, environment: str) -> Stopped:
    """Commit that a lab is stopped, and stop all its machines at once. Nothing is committed while another run works.

    It needs no checkpoint and no valid release: stopping is always possible.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, environment)
    _require_alive(deployment)
    return stop_deployment(workspace, deployment)


def stop_deployment(workspace: Workspace, deployment: Deployment) -> Stopped:
    """Do `stop` for a deployment that was read after the last synchronisation."""
    wanted = replace(deployment, operation=replace(deployment.operation, power="stopped"))
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    message = f"Stop {deployment.lab} in {deployment.environment}"
    with _lease_if_there(lxd, project):
        _record(workspace, deployment, wanted, message)
        found = bulk.machines(lxd, project)
        total = sum(status != "Stopped" for status in found.values())
        if total:
            workspace.emit(Event("stop", "started", f"{total} machines", total=total))
            bulk.stop_all(lxd, project, lambda name: workspace.emit(Event("stop", "done", "stopped", name)))
        _stop_copies(workspace, wanted)
    return Stopped(len(found), total)


def _stop_copies(workspace: Workspace, wanted: Deployment) -> None:
    """Let no pod of the lab run on its cluster. Raises PracticumError for seats where that failed."""
    rollout = prepare(workspace, wanted)
    for copy in roll_out(workspace, rollout, overwrite=True) if rollout else ():
        if copy.error:
            raise copy.error


def exam(workspace: Workspace, lab: str, *, on: bool) -> Exam:
    """Commit that the class of a lab has no internet, or again what its spec allows, and apply only that.

    The access list that all students share goes first: one request cuts everybody off. Then go open connections, then
    the seats' own access lists and resolvers.
    """
    workspace.repository.synchronise()
    deployment = load_deployment(workspace, lab, "prod")
    refuse_unbuilt(deployment)
    wanted = replace(deployment, operation=replace(deployment.operation, internet="none" if on else "spec"))
    lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
    desired = desired_state(workspace, wanted, lxd, build_images=False)
    message = f"{'Begin' if on else 'End'} the exam of {lab}"
    new = wanted.operation != deployment.operation
    with _lease_if_there(lxd, project):
        _record(workspace, deployment, wanted, message)
        changed = _apply_shared(workspace, lxd, desired)
        if on:
            _cut_open_connections(workspace, desired, remote=deployment.platform.url is not None)
        return Exam(len(desired.seats), changed + _apply_seats(workspace, lxd, desired), new)


def forget_notes(lxd: Lxd, project: str) -> None:
    """Take back what no longer holds once a lab runs again: that its volumes are kept, and that it was finished.

    Its machines may be gone, and nobody has probed it: a pipeline looks at it once more.
    """
    if lxd.find("projects", project) is not None:
        note(lxd, project, {KEPT: "", FINISHED: ""})


def record(workspace: Workspace, lab: str, environment: str, operation: Operation, message: str) -> None:
    """Commit and publish an operation."""
    workspace.repository.commit(operation_file(environment, lab, operation), message)
    workspace.repository.publish()


def _record(workspace: Workspace, deployment: Deployment, wanted: Deployment, message: str) -> None:
    """Commit what is news, and publish: a run that was killed may have left that to do."""
    if wanted.operation == deployment.operation:
        workspace.repository.publish()
    else:
        record(workspace, wanted.lab, wanted.environment, wanted.operation, message)


def _lease_if_there(lxd: Lxd, project: str) -> AbstractContextManager[object]:
    return nullcontext() if lxd.find("projects", project) is None else lease(lxd, project)


def _require_alive(deployment: Deployment) -> None:
    if deployment.operation.life == "destroyed":
        refuse_unbuilt(replace(deployment, shared={**deployment.shared, "needs": []}))


def _apply_shared(workspace: Workspace, lxd: Lxd, desired: Desired) -> int:
    return _update(
        workspace, lxd, desired, Observed(acls=present(lxd, "network-acls", [acl["name"] for acl in desired.acls]))
    )


def _apply_seats(workspace: Workspace, lxd: Lxd, desired: Desired) -> int:
    """Update the seats' own access lists and resolvers that differ: LXD takes half a second for a resolver."""
    acls = present(lxd, "network-acls", [acl["name"] for seat in desired.seats for acl in seat.acls])
    observed = Observed(acls=acls, networks=present(lxd, "networks", desired.network_names))
    return _update(workspace, lxd, desired, observed)


def _cut_open_connections(workspace: Workspace, desired: Desired, *, remote: bool) -> None:
    """Cut what was opened before: a tunnel would outlive the access list."""
    networks = [network for seat in desired.seats for network in seat.networks if seat.name != PROFESSOR]
    texts = [network["config"]["ipv4.address"] for network in networks]
    ranges = [str(IPv4Interface(text).network) for text in texts if "/" in text]
    reason = "the machines are on another host" if remote else cut_connections(ranges)
    if reason:
        text = f"connections that were open before go on: {reason}; 'practicum stop' and 'start' end them"
        workspace.emit(Event("exam", "warning", text))


def _update(workspace: Workspace, lxd: Lxd, desired: Desired, observed: Observed) -> int:
    """Carry out what a plan says about access lists and networks that are there, and nothing else of it.

    One after the other in a seat: LXD 5.0.2 fails when it sets rules of a bridge that it is setting up anew.
    """
    changes = {"acl": update_acl, "network": update_network}
    todo = [act for act in plan(desired, observed).actions if act.verb == "update" and act.kind in changes]

    def change(seat: str) -> None:
        for action in todo:
            if action.seat == seat:
                changes[action.kind](lxd, action.subject)
        workspace.emit(Event("exam", "done", "access lists and resolver set", seat))

    seats = list(dict.fromkeys(action.seat for action in todo))
    workspace.emit(Event("exam", "started", f"{len(todo)} access lists and resolvers", total=len(seats)))
    in_parallel(change, seats)
    return len(todo)
