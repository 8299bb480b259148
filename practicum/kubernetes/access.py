"""A student's access to the own namespace: a kubeconfig with a token of the student's service account."""

import base64
import time
from typing import Any

from generator.render.kubernetes.walls import ACCOUNT
from practicum.errors import TryAgainError
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.objects import Ref

__all__ = ["student_kubeconfig"]

_TOKEN = f"{ACCOUNT}-token"
_SECONDS, _PAUSE_SECONDS = 10.0, 0.1


def student_kubeconfig(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Return the kubeconfig of the student in a namespace; the token holds until the namespace goes.

    Such a token comes with a Secret of its own
    (kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets). Raises TryAgainError when none
    comes.
    """
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": _TOKEN,
            "namespace": namespace,
            "annotations": {"kubernetes.io/service-account.name": ACCOUNT},
        },
    }
    found, deadline = cluster.apply(secret, force=True), time.monotonic() + _SECONDS
    while "token" not in (data := found.get("data") or {}):
        if time.monotonic() > deadline:
            raise TryAgainError(f"cluster '{cluster.name}' makes no token for {namespace}")
        time.sleep(_PAUSE_SECONDS)
        found = cluster.get(cluster.path_of(Ref.of(secret)))
    context = {"cluster": "lab", "user": "student", "namespace": namespace}
    authority = {"certificate-authority-data": data["ca.crt"]}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": cluster.address, **authority}}],
        "users": [{"name": "student", "user": {"token": base64.b64decode(data["token"]).decode()}}],
        "contexts": [{"name": "lab", "context": context}],
        "current-context": "lab",
    }
