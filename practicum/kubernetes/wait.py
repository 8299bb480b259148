"""Wait for copies with a deadline, and say of those that do not come what stands in their way."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.render.kubernetes.walls import LABEL
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.copies import Copy
from practicum.kubernetes.explain import explain
from practicum.kubernetes.objects import Ref
from practicum.kubernetes.ready import WORKLOADS, health

__all__ = ["DEADLINE_SECONDS", "not_ready", "wait_until_ready"]

Document = Mapping[str, Any]
# Images come over the network: as long as Kubernetes itself gives a Deployment.
DEADLINE_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


@dataclass
class _Waited:
    """A copy that is waited for: its workloads, and why it is not ready."""

    copy: Copy
    workloads: Sequence[Ref]
    why: Sequence[str] = ()


def wait_until_ready(
    cluster: Cluster,
    project: str,
    copies: Sequence[Copy],
    seconds: float,
    ready: Callable[[str], None],
) -> dict[str, str]:
    """Wait until every workload of the copies is ready; return by seat, in words, what is not.

    Ends early for a seat that cannot become ready. One list a kind each time, whatever the class.
    """
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    waited = [_Waited(copy, _workloads(copy)) for copy in copies]
    lost: list[_Waited] = []
    while True:
        found = _listed(cluster, project, waited)
        following = []
        for one in waited:
            problems = [(ref, health(found[ref]) if ref in found else None) for ref in one.workloads]
            one.why = [
                _problem(ref, state.why if state else "it is not there")
                for ref, state in problems
                if not state or state.state != "ready"
            ]
            if not one.why:
                ready(one.copy.seat)
            elif any(state and state.state == "failed" for _, state in problems):
                lost.append(one)
            else:
                following.append(one)
        waited = following
        if not waited or time.monotonic() > deadline:
            return {
                one.copy.seat: "\n".join([*one.why, *explain(cluster, one.copy.namespace)]) for one in (*lost, *waited)
            }
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def not_ready(cluster: Cluster, project: str, copy: Copy) -> str:
    """Return in words what of a copy is not ready now; empty when all is."""
    return wait_until_ready(cluster, project, [copy], 0.0, lambda _: None).get(copy.seat, "")


def _workloads(copy: Copy) -> list[Ref]:
    return [Ref.of(document) for document in copy.objects if document["kind"] in WORKLOADS]


def _listed(cluster: Cluster, project: str, waited: Sequence[_Waited]) -> dict[Ref, Document]:
    kinds = sorted({(ref.api_version, ref.kind) for one in waited for ref in one.workloads})
    label = f"{LABEL}={project}"
    return {Ref.of(document): document for kind in kinds for document in cluster.listed(*kind, label=label)}


def _problem(ref: Ref, why: str) -> str:
    return f"{ref.words}: {why}"
