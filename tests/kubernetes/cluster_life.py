"""What a cluster's own controllers do, as far as tests need it: namespaces, and Deployments with their pods."""

import threading
from contextlib import contextmanager

from stand_in import KINDS

GAVE_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "gave up"}
MERGE = "application/merge-patch+json"
PAUSE = 0.1


class ClusterLife:
    """Plays the controllers of one cluster. A Deployment whose image is in `missing` never has a pod that is ready."""

    def __init__(self, stand_in):
        self.stand_in = stand_in
        self.missing = set()
        self.patient = False
        self.spaces = set()
        self.stop = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stop.wait(PAUSE):
                self.turn()
        except Exception as error:  # told by the fixture: a thread's death is silent
            self.failure = error

    def turn(self):
        spaces = {one["metadata"]["name"] for one in self.listed("/api/v1", "namespaces")}
        if self.spaces - spaces:
            self.empty(self.spaces - spaces)
        self.spaces = spaces
        for one in self.listed("/apis/apps/v1", "deployments"):
            if one.get("status", {}).get("observedGeneration") != one["metadata"]["generation"]:
                self.roll_out(one)

    def empty(self, spaces):
        """Remove what was in namespaces that are gone."""
        for group, (version, kinds) in KINDS.items():
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            for plural in set(kinds.values()) - {"namespaces", "nodes"}:
                for space in spaces:
                    self.stand_in.send("DELETE", f"{root}/namespaces/{space}/{plural}")

    def end(self):
        """Remove every namespace with what is in it."""
        spaces = [one["metadata"]["name"] for one in self.listed("/api/v1", "namespaces")]
        for space in spaces:
            self.stand_in.send("DELETE", f"/api/v1/namespaces/{space}")
        self.empty(spaces)

    def listed(self, root, plural):
        return self.stand_in.send("GET", f"{root}/{plural}")["items"]

    def roll_out(self, deployment):
        wanted = deployment["spec"].get("replicas", 1)
        image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        metadata = deployment["metadata"]
        status = {"observedGeneration": metadata["generation"], "updatedReplicas": wanted, "replicas": wanted}
        if image in self.missing:
            self.pull_in_vain(metadata, image)
            status["conditions"] = [] if self.patient else [GAVE_UP]
        else:
            status["availableReplicas"] = wanted
        path = f"{path_of('/apis/apps/v1', 'deployments', deployment)}/status"
        try:
            self.stand_in.send("PATCH", path, {"status": status}, MERGE)
        except OSError:
            return  # it went meanwhile

    def pull_in_vain(self, metadata, image):
        place = f"/api/v1/namespaces/{metadata['namespace']}"
        name = f"{metadata['name']}-1"
        waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        container = {"name": metadata["name"], "state": {"waiting": waiting}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.1"},
            "type": "Warning",
            "reason": "Failed",
            "message": "manifest unknown",
            "involvedObject": {"kind": "Pod", "name": name},
        }
        for plural, document in (("pods", pod), ("events", event)):
            query = "fieldManager=life&force=true"
            path = f"{place}/{plural}/{document['metadata']['name']}?{query}"
            self.stand_in.send("PATCH", path, document, "application/apply-patch+yaml")
        status = {"phase": "Pending", "containerStatuses": [container]}
        self.stand_in.send("PATCH", f"{place}/pods/{name}/status", {"status": status}, MERGE)


def path_of(root, plural, document):
    metadata = document["metadata"]
    return f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


@contextmanager
def living(stand_in):
    life = ClusterLife(stand_in)
    thread = threading.Thread(target=life.run, daemon=True)
    thread.start()
    try:
        yield life
    finally:
        life.stop.set()
        thread.join()
        assert life.failure is None, life.failure
