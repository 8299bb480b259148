"""What lets `kubectl get pods` work on a student's machines from the first minute: access to the own namespace."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from generator.render.kubernetes.overlays import SEAT_LABEL
from generator.render.kubernetes.walls import LABEL
from practicum.errors import PracticumError
from practicum.events import Event
from practicum.kubernetes.access import student_kubeconfig
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.observe import NAMESPACE
from practicum.lxd.client import Lxd
from practicum.lxd.instances import mark
from practicum.parallel import in_parallel
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

__all__ = ["hand_out_kubeconfigs"]

STAGE = "kubeconfig"
# Set on a machine that has the file, to a digest of what it opens.
GIVEN = "user.practicum.kubeconfig"
_STAGED = "/.practicum-kubeconfig"
# For root, and for the student where the machine knows one.
_PLACE = """
set -e
umask 077
trap 'rm -f "$1"' EXIT
for home in /root /home/student; do
  [ -d "$home" ] || continue
  mkdir -p "$home/.kube"
  cp "$1" "$home/.kube/config"
  chown -R "$(stat -c %u:%g "$home")" "$home/.kube"
done
"""


def hand_out_kubeconfigs(
    workspace: Workspace, deployment: Deployment, lxd: Lxd, cluster: Cluster, seats: Collection[str]
) -> dict[str, PracticumError]:
    """Give the running machines of seats the file that they lack; return by seat what failed.

    What has it is known by a mark on the machine: a run that changes nothing asks twice, whatever the class.
    """
    project = deployment.scope.project
    label = f"{LABEL}={project}"
    spaces = {one["metadata"]["labels"].get(SEAT_LABEL): one for one in cluster.list_metadata(*NAMESPACE, label=label)}
    machines = {one["name"]: one for one in lxd.get("instances", project=project, recursion=1)}
    lacking: dict[str, list[str]] = {}
    for seat in sorted(set(seats) & set(spaces)):
        opened = _digest(cluster, spaces[seat])
        names = [entry["name"] for entry in deployment.seats[seat]["instances"]]
        found = [name for name in names if name in machines and machines[name]["status"] == "Running"]
        if without := [name for name in found if machines[name]["config"].get(GIVEN) != opened]:
            lacking[seat] = without
    failed: dict[str, PracticumError] = {}

    def give(seat: str) -> None:
        space = spaces[seat]
        try:
            content = yaml.safe_dump(student_kubeconfig(cluster, space["metadata"]["name"]), sort_keys=False).encode()
            for name in lacking[seat]:
                _put(lxd, project, name, content)
                mark(lxd, project, name, {GIVEN: _digest(cluster, space)})
            workspace.emit(Event(STAGE, "done", "kubectl works on its machines", seat))
        except PracticumError as error:
            failed[seat] = error
            workspace.emit(Event(STAGE, "failed", f"{error.message} {error.details}".strip(), seat))

    if lacking:
        workspace.emit(Event(STAGE, "started", f"access for {len(lacking)} seats", total=len(lacking)))
        in_parallel(give, list(lacking))
    return failed


def _digest(cluster: Cluster, space: Mapping[str, Any]) -> str:
    """Return what changes when the file must: the API's address, and the namespace, which is another one made anew."""
    return hashlib.sha256(f"{cluster.address} {space['metadata']['uid']}".encode()).hexdigest()[:16]


def _put(lxd: Lxd, project: str, name: str, content: bytes) -> None:
    headers = {"X-LXD-mode": "0600", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}
    lxd.upload("instances", name, "files", data=content, headers=headers, project=project, path=_STAGED)
    result = lxd.run(name, ["sh", "-c", _PLACE, "sh", _STAGED], project=project)
    if result.exit_code:
        raise PracticumError(f"the kubeconfig cannot be written on {name}", details=result.stderr.strip())
