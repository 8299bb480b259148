"""Labs' own clusters as Argo CD knows them: a Secret each, for the project of the lab's course alone.

Source: argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup, "Clusters".
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from generator.render.kubernetes.walls import LABEL
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.objects import Ref

__all__ = ["forget_cluster", "register_cluster"]


def register_cluster(argocd: Cluster, namespace: str, name: str, project: str, access: Mapping[str, Any]) -> None:
    """Let Argo CD know a cluster by `name`, for Applications of `project`; `access` is its administrator's kubeconfig.

    Its certificates go with each renewal, so this is done before each delivery; what is as it was is no change.
    """
    place, user = access["clusters"][0]["cluster"], access["users"][0]["user"]
    tls = {
        "caData": place["certificate-authority-data"],
        "certData": user["client-certificate-data"],
        "keyData": user["client-key-data"],
    }
    texts = {
        "name": name,
        "server": place["server"],
        "project": project,
        "config": json.dumps({"tlsClientConfig": tls}, sort_keys=True),
    }
    labels = {"argocd.argoproj.io/secret-type": "cluster", LABEL: name}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "data": {key: b64encode(text.encode()).decode() for key, text in texts.items()},
    }
    argocd.apply(secret, force=True)


def forget_cluster(argocd: Cluster, namespace: str, name: str) -> None:
    """Remove what Argo CD knows of a cluster; one that it does not know counts as forgotten."""
    argocd.delete(Ref("v1", "Secret", namespace, name))
