"""A lab's own Kubernetes cluster on real LXD: its image, units, network, access lists, and the access of students.

The nodes run a stand-in for k3s, and k3s itself where there is one: `PRACTICUM_K3S` names the binary, else the PATH;
`PRACTICUM_K3S_IMAGES` its archives of images, separated by colons, with busybox 1.36 among them.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from classroom import Classroom, until
from lxd_fixtures import OpenClassroom, missing

from generator.catalogue.load import load_catalogue
from practicum.errors import UnavailableError
from practicum.stages.destroy import destroy
from practicum.stages.operate import start, stop
from practicum.stages.provision import plan_only
from practicum.stages.status import status

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import api_server
import k3s_stand_in

pytestmark = [pytest.mark.lxd, pytest.mark.alone, pytest.mark.timeout(900)]

API = 6443
SPEC: dict[str, Any] = {
    "version": 1,
    "title": "Cloud",
    "students": 2,
    "machines": {"desk": {"type": "debian", "memory": "64MiB", "disk": "256MiB"}},
    "volumes": {},
    "kubernetes": {
        "cluster": "lab",
        "base": "k8s/",
        "nodes": {"count": 2, "cpu": 2, "memory": "1GiB", "disk": "4GiB"},
        "quota": {"cpu": 0.5, "memory": "128MiB", "pods": 4, "storage": "1GiB"},
    },
    "checks": [{"name": "pods run", "kubernetes": {"deployment": "web", "available": 1}, "wait": "60s"}],
}
BASE = {
    "kustomization.yaml": "resources: [web.yaml]\n",
    "web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: docker.io/library/busybox:1.36
          imagePullPolicy: IfNotPresent
          command: [httpd, -f, -p, "8080", -h, /tmp]
          resources: {requests: {cpu: 50m, memory: 16Mi}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
""",
}


@pytest.fixture(scope="module", params=["stand-in", "k3s"])
def kubernetes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Return what the platform file says of the binary that nodes run."""
    if request.param == "k3s":
        binary = os.environ.get("PRACTICUM_K3S") or shutil.which("k3s")
        if binary is None:
            pytest.skip("no k3s: name its binary in PRACTICUM_K3S, and its images in PRACTICUM_K3S_IMAGES")
        images = [_artefact(Path(name)) for name in os.environ.get("PRACTICUM_K3S_IMAGES", "").split(":") if name]
        return {"k3s": _artefact(Path(binary)), "airgap_images": images}
    if reason := api_server.missing():
        missing("kubernetes", reason)
    programs = [api_server.program(name) for name in k3s_stand_in.PROGRAMS]
    return {"k3s": _artefact(k3s_stand_in.make(tmp_path_factory.mktemp("k3s") / "k3s", programs))}


def _artefact(path: Path) -> dict[str, str]:
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture(scope="module")
def cloud(kubernetes: Mapping[str, Any], open_shared: OpenClassroom) -> Iterator[Classroom]:
    """Return a lab with its own cluster, delivered to two students."""
    classroom = open_shared(SPEC)
    for environment in ("dev", "prod"):
        path = f"environments/{environment}/platform.yaml"
        platform = yaml.safe_load(classroom.repository.sources("HEAD").read(path))
        platform["kubernetes"] = dict(kubernetes)
        classroom.repository.commit({path: yaml.safe_dump(platform).encode()}, "Provide k3s")
    classroom.repository.publish()
    course = classroom.lab.split("/")[0]
    classroom.repository.write({f"labs/{course}/k8s/{name}": text.encode() for name, text in BASE.items()})
    with pytest.MonkeyPatch.context() as patch:
        # The stand-in is a program in Python.
        types = load_catalogue()
        image = types["kubernetes-node"].image
        image = replace(image, packages=(*image.packages, "python3", "python3-yaml"))
        types["kubernetes-node"] = replace(types["kubernetes-node"], image=image)
        patch.setattr("practicum.stages.workspace.load_catalogue", lambda: types)
        classroom.pipeline()
        yield classroom


def _access(cloud: Classroom, seat: str) -> dict[str, Any]:
    """Return the kubeconfig that a student finds at home."""
    found: dict[str, Any] = yaml.safe_load(cloud.read("prod", f"{seat}-desk", "cat /home/student/.kube/config"))
    return found


def test_every_student_has_access_to_the_own_namespace(cloud: Classroom) -> None:
    server = f"https://{cloud.address('prod', 'cluster', 'server')}:{API}"
    accesses = {seat: _access(cloud, seat) for seat in ("prof", "s001", "s002")}
    for seat, access in accesses.items():
        assert access["contexts"][0]["context"]["namespace"].endswith(f"-{seat}")
        assert access["clusters"][0]["cluster"]["server"] == server
        assert cloud.read("prod", f"{seat}-desk", "stat -c '%U %a' /home/student/.kube/config") == "student 600"
    assert len({access["users"][0]["user"]["token"] for access in accesses.values()}) == len(accesses)


def test_the_api_is_open_to_the_seats_of_the_lab_and_nothing_else_is(cloud: Classroom) -> None:
    server, agent = (cloud.address("prod", "cluster", node) for node in ("server", "agent1"))
    in_dev = cloud.address("dev", "cluster", "server")
    for seat in ("prof", "s001"):
        tried = [(server, API), (server, 22), (server, 10250), (agent, 22), (agent, 10250), (in_dev, API)]
        assert cloud.opens("prod", f"{seat}-desk", tried) == {(server, API)}, seat
    seats = [(cloud.address("prod", seat, "desk"), port) for seat in ("prof", "s001") for port in (22, 80)]
    assert cloud.opens("prod", "cluster-agent1", [*seats, (in_dev, API)]) == set()
    assert cloud.opens("prod", "cluster-agent1", [(server, API), (server, 22)]) == {(server, API), (server, 22)}


def test_the_token_of_the_nodes_is_in_no_commit(cloud: Classroom) -> None:
    token = yaml.safe_load(cloud.read("prod", "cluster-agent1", "cat /etc/rancher/k3s/config.yaml"))["token"]
    assert cloud.read("prod", "cluster-server", "grep ^token: /etc/rancher/k3s/config.yaml") == f"token: {token}"
    assert token not in cloud.read("dev", "cluster-server", "grep ^token: /etc/rancher/k3s/config.yaml")
    committed = [cloud.repository.sources("HEAD").read(path) for path in cloud.repository.sources("HEAD").files("")]
    assert len(token) == 20
    assert not any(token.encode() in data for data in committed)


def test_nodes_are_unprivileged_and_have_limits(cloud: Classroom) -> None:
    for name in ("cluster-server", "cluster-agent1"):
        found = cloud.instances("prod")[name]["expanded_config"]
        assert found.get("security.privileged", "false") == "false"
        assert (found["limits.memory"], found["limits.cpu"]) == ("1GiB", "2")


def test_a_second_run_changes_nothing(cloud: Classroom) -> None:
    before = cloud.documents()
    done = cloud.provision("prod")
    assert done.plan.actions == ()
    assert cloud.documents() == before
    # Before 1.22 the API server says of a quota that it changed when it is applied as it was.
    minor = int(cloud.read("prod", "cluster-server", "k3s --version").partition(" v1.")[2].partition(".")[0])
    assert minor < 22 or {copy.seat: copy.changes for copy in done.copies} == {"prof": 0, "s001": 0, "s002": 0}


def test_the_smoke_test_asks_the_cluster(cloud: Classroom) -> None:
    assert cloud.smoke("prod", "s001") == {"s001": []}


def test_a_lost_node_and_a_lost_access_come_back(cloud: Classroom) -> None:
    cloud.set_state("prod", "cluster-agent1", "stop")
    cloud.set_state("prod", "s002-desk", "stop")
    todo = plan_only(cloud.workspace, cloud.lab, "prod")
    assert {one.name for one in todo.actions} == {"cluster-agent1", "s002-desk"}
    cloud.provision("prod")
    assert {row.state for row in status(cloud.workspace, cloud.lab, "prod")} == {"running"}


def test_a_stopped_lab_stops_its_cluster_and_a_destruction_waits_for_it(cloud: Classroom) -> None:
    stop(cloud.workspace, cloud.lab, "dev")
    assert {row.state for row in status(cloud.workspace, cloud.lab, "dev")} == {"stopped"}
    for kept in (False, True):
        with pytest.raises(UnavailableError, match="does not run"):
            destroy(cloud.workspace, cloud.lab, ["dev"], keep_volumes=kept)
    start(cloud.workspace, cloud.lab, "dev")
    until(lambda: cloud.smoke("dev") == {"prof": []}, "the professor's copy works again")


def test_a_destruction_leaves_nothing(cloud: Classroom) -> None:
    cloud.destroy("dev", "prod")
    assert {key.split()[0] for key in cloud.documents()} <= {"image"}
