"""The Kubernetes part of a lab: its copies on the cluster that the platform file names."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from generator.seats.names import PILOT
from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.kubernetes.apply import Applied, apply_copies, changed_by_hand
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.copies import Copy, at_rest
from practicum.kubernetes.objects import Ref
from practicum.kubernetes.observe import Observed, observe, observe_namespaces, refuse_others
from practicum.kubernetes.removal import remove_namespaces
from practicum.kubernetes.shards import build_copies
from practicum.kubernetes.wait import DEADLINE_SECONDS, wait_until_ready
from practicum.lxd.reconcile import SeatOutcome
from practicum.probes.model import Available
from practicum.stages.deployment import Deployment
from practicum.stages.own_cluster import is_asleep, own_cluster
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace

STAGE = "kubernetes"
CLAIM = ("v1", "PersistentVolumeClaim")


@dataclass(frozen=True)
class Rollout:
    """The copies of some seats that shall be on a cluster, and what a lab has there.

    `extra` are namespaces, by seat, of seats that the definitions do not know any more.
    """

    cluster: Cluster
    project: str
    copies: Sequence[Copy]
    observed: Observed
    extra: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_hand(self) -> dict[str, list[str]]:
        """What applying would take back of what others changed, by seat and in words."""
        return changed_by_hand(self.cluster, self.observed, self.copies)

    @property
    def new(self) -> list[str]:
        """The seats that have no namespace yet."""
        present = self.observed.namespaces
        return [copy.seat for copy in self.copies if copy.seat not in present]


def cluster_of(workspace: Workspace, deployment: Deployment) -> Cluster | None:
    """Return the cluster of a deployment; None for a lab without Kubernetes, and while a lab's own is not there.

    Raises UnavailableError.
    """
    if deployment.cluster is not None:
        return own_cluster(workspace, deployment)
    name = deployment.cluster_name
    return None if name is None else find_cluster(workspace, deployment, name)


def find_cluster(workspace: Workspace, deployment: Deployment, name: str) -> Cluster:
    """Return a cluster by its name in the platform file. Raises UnavailableError when it is not there."""
    kubeconfig = deployment.platform.clusters.get(name)
    if kubeconfig is None:
        raise UnavailableError(
            f"there is no cluster '{name}' in environments/{deployment.environment}/platform.yaml; nothing was done",
            resolution="the operator adds it under kubernetes.clusters",
        )
    return workspace.cluster(name, kubeconfig)


def prepare(workspace: Workspace, deployment: Deployment, seats: Sequence[str] = ()) -> Rollout | None:
    """Return what shall be rolled out for the named seats, or for all; None for a lab without Kubernetes.

    Everything that can be refused is refused here, before any effect.
    """
    cluster = cluster_of(workspace, deployment)
    if cluster is None:
        return None
    chosen = seats or [name for name in deployment.seats if name != PILOT]
    values = Values(workspace, deployment, workspace.lxd(deployment.platform))
    copies = build_copies(deployment.kubernetes, chosen, values)
    if deployment.operation.power == "stopped":
        copies = [at_rest(copy) for copy in copies]
    observed = observe(cluster, deployment.scope.project)
    refuse_others(cluster, observed, copies)
    known = () if seats else deployment.seats
    extra = {
        seat: space["metadata"]["name"]
        for seat, space in sorted(observed.namespaces.items())
        if known and seat not in known
    }
    return Rollout(cluster, deployment.scope.project, copies, observed, extra)


def planned(workspace: Workspace, deployment: Deployment, seats: Sequence[str] = ()) -> list[str]:
    """Return in words what a roll-out would do that is worth knowing before; nothing for a lab without Kubernetes."""
    rollout = prepare(workspace, deployment, seats)
    if rollout is None:
        return []
    made = f"namespaces to make on cluster {rollout.cluster.name}: {', '.join(rollout.new)}"
    by_hand = [f"{seat} was changed by hand: {words}" for seat, listed in rollout.by_hand.items() for words in listed]
    extra = [f"namespace {name} is not in the definitions any more" for name in rollout.extra.values()]
    return [*([made] if rollout.new else ()), *by_hand, *extra]


def remove_extra(workspace: Workspace, rollout: Rollout, *, agreed: bool) -> Rollout:
    """Remove namespaces that the definitions do not know, with what students did there, when that was agreed to.

    Return the roll-out without what is gone.
    """
    if agreed:
        remove_namespaces(rollout.cluster, list(rollout.extra.values()))
    for name in rollout.extra.values():
        text = f"removed namespace {name}: it is not in the definitions any more"
        if not agreed:
            text = f"namespace {name} is not in the definitions any more; 'practicum provision LAB --yes' removes it"
        workspace.emit(Event(STAGE, "done" if agreed else "warning", text))
    return replace(rollout, extra={}) if agreed else rollout


def roll_out(workspace: Workspace, rollout: Rollout, *, overwrite: bool) -> list[Applied]:
    """Apply copies and wait until they are ready. What somebody changed by hand stays, and is told, or goes.

    A seat that fails stops no other; its error says what its pods and events say.
    """
    count, cluster = len(rollout.copies), rollout.cluster
    workspace.emit(Event(STAGE, "started", f"{count} namespaces on {cluster.name}", total=count))
    applied = apply_copies(cluster, rollout.observed, rollout.copies, overwrite=overwrite)
    for one in applied:
        for words in one.kept:
            workspace.emit(Event(STAGE, "warning", f"changed by hand, left as it is: {words}", one.seat))
    failed = {one.seat for one in applied if one.error}
    waited = [copy for copy in rollout.copies if copy.seat not in failed]
    done = _tells_done(workspace, {one.seat: one for one in applied})
    lost = wait_until_ready(cluster, rollout.project, waited, DEADLINE_SECONDS, done)
    spaces = {copy.seat: f"namespace {copy.namespace}" for copy in rollout.copies}
    ended = [
        replace(one, error=_not_ready(lost[one.seat]), doing=spaces[one.seat]) if one.seat in lost else one
        for one in applied
    ]
    for one in ended:
        if one.error:
            details = " ".join(one.error.details.split())
            workspace.emit(Event(STAGE, "failed", f"{one.doing} {one.error.message} {details}".strip(), one.seat))
    return ended


def _tells_done(workspace: Workspace, applied: dict[str, Applied]) -> Callable[[str], None]:
    def done(seat: str) -> None:
        count = applied[seat].changes
        workspace.emit(Event(STAGE, "done", f"{count} objects changed" if count else "as it was", seat))

    return done


def _not_ready(why: str) -> PracticumError:
    return PracticumError(
        "does not become ready:",
        details=why,
        resolution="mend the base in the spec's folder, or what the cluster lacks",
    )


def with_copies(outcomes: Sequence[SeatOutcome], applied: Sequence[Applied]) -> tuple[SeatOutcome, ...]:
    """Return the outcomes of seats with what became of their copies; a machine's failure is told before a copy's."""
    failed = {one.seat: SeatOutcome(one.seat, 0, one.error, one.doing) for one in applied if one.error}
    known = {outcome.seat for outcome in outcomes}
    told = [failed[one.seat] if one.seat in failed and one.error is None else one for one in outcomes]
    return (*told, *(outcome for seat, outcome in failed.items() if seat not in known))


def namespaces(workspace: Workspace, deployment: Deployment) -> dict[str, str]:
    """Return the namespaces that a lab has on its cluster, with their markers; none for a lab without Kubernetes."""
    cluster = cluster_of(workspace, deployment)
    if cluster is None:
        return {}
    return observe_namespaces(cluster, deployment.scope.project, deployment.scope.marker())


def remove_copies(workspace: Workspace, deployment: Deployment, seats: Collection[str] | None = None) -> None:
    """Remove the namespaces of the named seats, or all of the lab; returns when they are gone."""
    cluster = cluster_of(workspace, deployment)
    if cluster is None:
        return
    wanted = None if seats is None else {deployment.scope.marker(seat) for seat in seats}
    found = namespaces(workspace, deployment)
    remove_namespaces(cluster, [name for name, marker in found.items() if wanted is None or marker in wanted])


def available_pods(workspace: Workspace, deployment: Deployment) -> Available | None:
    """Return what counts the available pods of a seat's Deployment; None for a lab without Kubernetes."""
    cluster, scope = cluster_of(workspace, deployment), deployment.scope
    if cluster is None:
        return None

    def available(seat: str, deployment: str) -> int | None:
        found = cluster.find(Ref("apps/v1", "Deployment", scope.namespace(seat), deployment))
        return None if found is None else int((found.get("status") or {}).get("availableReplicas", 0))

    return available


def claims(workspace: Workspace, deployment: Deployment) -> list[str]:
    """Return the volumes that are claimed in a lab's namespaces, as NAMESPACE/CLAIM: no export knows them.

    Raises UnavailableError while a cluster of the lab's own is there and cannot be asked.
    """
    if is_asleep(workspace, deployment):
        raise UnavailableError(
            f"the cluster of {deployment.lab} does not run, so nobody can say whether students have volumes on it; "
            "nothing was done",
            resolution=f"practicum start {deployment.lab} --env {deployment.environment}; or --without-export",
        )
    cluster = cluster_of(workspace, deployment)
    found = namespaces(workspace, deployment) if cluster else {}
    listed = [one for name in found if cluster for one in cluster.listed(*CLAIM, namespace=name)]
    return sorted(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in listed)
