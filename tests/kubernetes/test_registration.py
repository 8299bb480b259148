"""A lab's own cluster made known to Argo CD, and a student's access, on a real API server."""

import json
from base64 import b64decode, b64encode

import pytest

from practicum.errors import TryAgainError
from practicum.kubernetes.access import student_kubeconfig
from practicum.kubernetes.nodes import dns_problem, missing_nodes
from practicum.kubernetes.registration import forget_cluster, register_cluster

ACCESS = {
    "clusters": [{"cluster": {"server": "https://10.72.0.130:6443", "certificate-authority-data": "Y2E="}}],
    "users": [{"user": {"client-certificate-data": "Y2VydA==", "client-key-data": "a2V5"}}],
}
SECRETS = "/api/v1/namespaces/argocd/secrets"
TOKEN = "/api/v1/namespaces/space-s001/secrets/practicum-student-token"


def registered(stand_in):
    return {one["metadata"]["name"]: one for one in stand_in.send("GET", SECRETS)["items"]}


def test_argo_cd_knows_a_cluster_for_one_project_and_forgets_it(cluster, stand_in):
    register_cluster(cluster, "argocd", "lab-a", "prod-net101", ACCESS)
    secret = registered(stand_in)["lab-a"]
    assert secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "cluster"
    told = {key: b64decode(text).decode() for key, text in secret["data"].items()}
    tls = {"caData": "Y2E=", "certData": "Y2VydA==", "keyData": "a2V5"}
    assert json.loads(told.pop("config")) == {"tlsClientConfig": tls}
    assert told == {"name": "lab-a", "server": "https://10.72.0.130:6443", "project": "prod-net101"}

    register_cluster(cluster, "argocd", "lab-a", "prod-net101", ACCESS)
    assert registered(stand_in)["lab-a"]["metadata"]["resourceVersion"] == secret["metadata"]["resourceVersion"]
    for _ in range(2):
        forget_cluster(cluster, "argocd", "lab-a")
        assert registered(stand_in) == {}


def test_a_student_gets_the_token_that_the_cluster_makes(cluster, stand_in, monkeypatch):
    monkeypatch.setattr("practicum.kubernetes.access._SECONDS", 0.2)
    with pytest.raises(TryAgainError, match="no token for space-s001"):
        student_kubeconfig(cluster, "space-s001")
    made = stand_in.send("GET", TOKEN)
    assert made["type"] == "kubernetes.io/service-account-token"
    assert made["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "practicum-student"}
    data = {"token": b64encode(b"secret words").decode(), "ca.crt": "Y2E="}
    stand_in.send("PATCH", TOKEN, {"data": data}, "application/merge-patch+json")
    access = student_kubeconfig(cluster, "space-s001")
    assert access["users"][0]["user"] == {"token": "secret words"}
    assert access["contexts"][0]["context"]["namespace"] == "space-s001"
    assert access["clusters"][0]["cluster"]["certificate-authority-data"] == "Y2E="
    assert stand_in.send("GET", TOKEN)["data"] == data
    stand_in.send("DELETE", TOKEN)


def test_nodes_that_are_not_ready_and_dns_that_nobody_serves_are_told(cluster, stand_in):
    for name, ready in (("server", "True"), ("agent1", "False")):
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        stand_in.send("POST", "/api/v1/nodes", node)
    try:
        assert missing_nodes(cluster, ["server", "agent1", "agent2"]) == ["agent1", "agent2"]
    finally:
        for name in ("server", "agent1"):
            stand_in.send("DELETE", f"/api/v1/nodes/{name}")
    assert dns_problem(cluster) == "nothing in kube-system serves DNS"
