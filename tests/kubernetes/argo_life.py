"""What Argo CD's controller does, as far as tests need it: it runs operations at a commit, compares, and reports.

It reads the repository as Argo CD does, builds with Kustomize, and applies as `argocd-controller`. The order of its
reports, and what is stale between them, are those that Argo CD 3.6 showed.
"""

import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import yaml
from cluster_life import GAVE_UP, MERGE, PAUSE, path_of
from stand_in import KINDS

from practicum.kubernetes.shards import kubectl

APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "applications.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {
            "kind": "Application",
            "plural": "applications",
            "singular": "application",
            "listKind": "ApplicationList",
        },
        # Argo CD's has no subresource for the status either: one patch can change all of it.
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
PLURALS = {(group, kind): plural for group, (_, kinds) in KINDS.items() for kind, plural in kinds.items()}


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class ArgoLife:
    """The controller. `origin` is the repository; `broken` are errors of operations, by Application."""

    def __init__(self, stand_in, origin):
        self.stand_in = stand_in
        self.origin = origin
        self.broken = {}
        self.synced = []
        self.built = {}
        self.stop = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stop.wait(2 * PAUSE):
                for app in self.stand_in.send("GET", APPLICATIONS)["items"]:
                    self.turn(app)
        except Exception as error:  # told by the fixture: a thread's death is silent
            self.failure = error

    def turn(self, app):
        if app.get("operation"):
            self.operate(app)
        elif app.get("status", {}).get("operationState"):
            self.compare(app)

    def operate(self, app):
        """Run an operation; what is compared stays as it was."""
        operation = app["operation"]
        revision = operation["sync"]["revision"]
        name = app["metadata"]["name"]
        self.synced.append((name, revision))
        state = {"operation": operation, "startedAt": now(), "phase": "Succeeded", "message": None}
        state["syncResult"] = {"revision": revision}
        if name in self.broken:
            state |= {"phase": "Failed", "message": self.broken[name]}
        else:
            for document in self.wanted(app, revision):
                self.put(document)
        change = {"operation": None, "status": {"operationState": {**state, "finishedAt": now()}}}
        self.patch(name, change)

    def compare(self, app):
        head = self.git("rev-parse", app["spec"]["source"]["targetRevision"]).decode().strip()
        words = {self.health(one) for one in self.wanted(app, head) if one["kind"] == "Deployment"}
        health = next((word for word in ("Degraded", "Missing", "Progressing") if word in words), "Healthy")
        status = {"sync": {"status": "Synced", "revision": head}, "health": {"status": health}, "reconciledAt": now()}
        found = app["status"]
        if any(found.get(key) != status[key] for key in ("sync", "health")) or self.is_older(found):
            self.patch(app["metadata"]["name"], {"status": status})

    def is_older(self, status):
        return status.get("reconciledAt", "") < status["operationState"]["finishedAt"]

    def health(self, document):
        try:
            found = self.stand_in.send("GET", path_of("/apis/apps/v1", "deployments", document))
        except OSError:
            return "Missing"
        status = found.get("status", {})
        if any(one.get("reason") == GAVE_UP["reason"] for one in status.get("conditions", ())):
            return "Degraded"
        return "Healthy" if status.get("availableReplicas") == found["spec"].get("replicas", 1) else "Progressing"

    def wanted(self, app, revision):
        """Return the objects of an Application at a commit, which never change."""
        key = (app["metadata"]["name"], revision)
        if key not in self.built:
            self.built[key] = self.build(app, revision)
        return self.built[key]

    def build(self, app, revision):
        """Build the objects of a kustomization, or read the files of a folder."""
        path = app["spec"]["source"]["path"]
        top = path.rpartition("/shards/")[0] or path
        folder = self.folder / revision / app["metadata"]["name"]
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", folder], input=self.git("archive", revision, top), check=True)
        if "/shards/" not in path:
            return [yaml.safe_load(file.read_bytes()) for file in sorted((folder / path).iterdir())]
        command = [kubectl(), "kustomize", folder / path]
        built = subprocess.run(command, check=True, capture_output=True).stdout
        return list(yaml.safe_load_all(built))

    def put(self, document):
        if document["kind"] == "Application":
            path = f"{APPLICATIONS}/{document['metadata']['name']}"
        else:
            group, _, version = document["apiVersion"].rpartition("/")
            plural = PLURALS[group, document["kind"]]
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            name = document["metadata"]["name"]
            path = f"{root}/namespaces/{name}" if plural == "namespaces" else path_of(root, plural, document)
        query = "fieldManager=argocd-controller&force=true"
        self.stand_in.send("PATCH", f"{path}?{query}", document, "application/apply-patch+yaml")

    def patch(self, name, change):
        try:
            self.stand_in.send("PATCH", f"{APPLICATIONS}/{name}", change, MERGE)
        except OSError:
            return  # it was removed meanwhile

    def git(self, *arguments):
        done = subprocess.run(["git", "-C", self.origin, *arguments], check=True, capture_output=True)
        return done.stdout

    def end(self):
        for app in self.stand_in.send("GET", APPLICATIONS)["items"]:
            self.stand_in.send("DELETE", f"{APPLICATIONS}/{app['metadata']['name']}")


@contextmanager
def delivering(stand_in, origin, folder):
    argo = ArgoLife(stand_in, origin)
    argo.folder = folder
    argo.end()
    thread = threading.Thread(target=argo.run, daemon=True)
    thread.start()
    try:
        yield argo
    finally:
        argo.stop.set()
        thread.join()
        argo.end()
        assert argo.failure is None, argo.failure
