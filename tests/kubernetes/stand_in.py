"""Stand-ins for built-in kinds: custom resources of the same names, found under the addresses of the built-in ones.

The API server of the tests is real: server-side apply, owners of fields, conflicts, versions, labels, dry runs are
Kubernetes' own. What it does not know is what built-in kinds mean: no defaults, no validation, no quota, no pod
security, lists merge as a whole, and a namespace is an object like any other. `cluster_life` plays the controllers.
"""

import http.client
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from api_server import asked

SUFFIX = "stand-in.test"
# Group → version and kinds with their plurals; the core group has no name.
KINDS = {
    "": (
        "v1",
        {
            "Namespace": "namespaces",
            "ResourceQuota": "resourcequotas",
            "LimitRange": "limitranges",
            "ServiceAccount": "serviceaccounts",
            "Secret": "secrets",
            "ConfigMap": "configmaps",
            "Service": "services",
            "Pod": "pods",
            "Event": "events",
            "Node": "nodes",
        },
    ),
    "apps": ("v1", {"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"}),
    "autoscaling": ("v2", {"HorizontalPodAutoscaler": "horizontalpodautoscalers"}),
    "networking.k8s.io": ("v1", {"NetworkPolicy": "networkpolicies"}),
    "rbac.authorization.k8s.io": ("v1", {"Role": "roles", "RoleBinding": "rolebindings"}),
}
# The API server takes `namespaces` in an address for the place of something else, whatever the group.
SPACES = "spaces"
OF_THE_CLUSTER = ("Namespace", "Node")
A_NAMESPACE = re.compile(r"/namespaces(?=(/[^/?]+)?(/status)?(\?|$))")
# What has a status of its own, so that `generation` counts changes of the rest.
REPORTING = ("Namespace", "Pod", "Deployment", "StatefulSet", "ReplicaSet")


def group_of(group):
    """Return the group in which the stand-ins of a group are: its first word, as custom ones need a dot."""
    return f"{group.partition('.')[0] or 'core'}.{SUFFIX}"


REAL = {f"{group_of(group)}/{version}": f"{group}/{version}".lstrip("/") for group, (version, _) in KINDS.items()}
STAND_IN = {real: stand_in for stand_in, real in REAL.items()}


def definitions():
    for group, (version, kinds) in KINDS.items():
        for kind, plural in kinds.items():
            named = SPACES if kind == "Namespace" else plural
            yield definition(group_of(group), version, kind, named, namespaced=kind not in OF_THE_CLUSTER)


def definition(group, version, kind, plural, *, namespaced):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    if kind in REPORTING:
        served["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [served],
        },
    }


def moved(target):
    """Return where a stand-in is for the address of a built-in kind."""
    if match := re.match(r"/api/v1(?=[/?]|$)", target):
        rest = A_NAMESPACE.sub(f"/{SPACES}", target[match.end() :], count=1)
        return f"/apis/{STAND_IN['v1']}{rest}"
    if (match := re.match(r"/apis/([^/]+/[^/?]+)", target)) and match[1] in STAND_IN:
        return f"/apis/{STAND_IN[match[1]]}{target[match.end() :]}"
    return target


def to_stand_in(data):
    document = json.loads(data)
    if isinstance(document, dict) and document.get("apiVersion") in STAND_IN:
        document["apiVersion"] = STAND_IN[document["apiVersion"]]
    return json.dumps(document).encode()


def to_real(data):
    for stand_in, real in REAL.items():
        data = data.replace(stand_in.encode(), real.encode())
    return data.replace(f'"name":"{SPACES}"'.encode(), b'"name":"namespaces"')


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        if refused := self.server.refuse(self.command, self.path):
            status, data = refused
        else:
            headers = {name: self.headers[name] for name in ("Accept", "Content-Type") if name in self.headers}
            data = to_stand_in(body) if body else None
            answer = asked(self.upstream(), self.command, moved(self.path), data, headers)
            status, data = answer.status, to_real(answer.read())
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - the names of http.server

    def upstream(self):
        if not hasattr(self, "connection_up"):
            api = self.server.api
            place = urlsplit(api.url)
            self.connection_up = http.client.HTTPSConnection(place.hostname, place.port, context=api.context)
        return self.connection_up

    def log_message(self, *_):
        pass


class StandIn(ThreadingHTTPServer):
    """The address under which built-in kinds are found. `refuse(method, path)` may answer in the server's place."""

    daemon_threads = True

    def __init__(self, api, address=("127.0.0.1", 0), handler=None):
        super().__init__(address, handler or Handler)
        self.api = api
        self.requests = []
        self.answer = lambda method, path: None

    def refuse(self, method, path):
        self.requests.append((method, path))
        return self.answer(method, path)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def send(self, method, path, body=None, content_type="application/json"):
        """Send a request past everything that is under test, with addresses of built-in kinds."""
        target = moved(path)
        body = json.loads(to_stand_in(json.dumps(body))) if body is not None else None
        return json.loads(
            to_real(json.dumps(self.api.send(method, target, body, content_type), separators=(",", ":")).encode())
        )


@contextmanager
def serving(api):
    server = StandIn(api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
