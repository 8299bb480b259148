"""A stand-in for the k3s binary: same command line, same configuration, same ports and files, and no pods.

It is one file, as k3s is: a zip archive that Python runs, with the API server of the tests in it. A server makes its
certificates, serves the API with TLS and lets agents in that know its token; nodes are Ready as soon as they are known.
What Kubernetes does with pods is played by `cluster_life`.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import zipapp
import zipfile
from base64 import b64encode
from http.client import HTTPSConnection
from pathlib import Path
from shutil import copy, rmtree
from urllib.parse import urlsplit

import api_server
from api_server import running, until
from cluster_life import ClusterLife
from stand_in import Handler, StandIn, definitions

VERSION = "k3s version v1.33.1+stand-in (0)"
PORT = 6443
JOIN = "/v1-k3s/join"
PROGRAMS = ("apiextensions-apiserver", "etcd")
CONFIG, ACCESS = Path("/etc/rancher/k3s/config.yaml"), Path("/etc/rancher/k3s/k3s.yaml")
DATA = Path("/var/lib/rancher/k3s/server")
DNS = {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
APPLY = "application/apply-patch+yaml"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make(target, programs):
    """Write the stand-in as one file that can be run; `programs` are the paths of what it starts."""
    folder = target.with_suffix(".parts")
    folder.mkdir()
    for part in ("api_server", "stand_in", "cluster_life", "k3s_stand_in"):
        copy(Path(__file__).with_name(f"{part}.py"), folder)
    for program in programs:
        copy(program, folder)
    zipapp.create_archive(folder, target, "/usr/bin/env python3", main="k3s_stand_in:main", compressed=True)
    target.chmod(0o755)
    return target


def main():
    """Do what the command line says."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{VERSION}\n")
        return
    import yaml  # in the image of the tests' nodes

    config = yaml.safe_load(CONFIG.read_text())
    {"server": serve, "agent": join}[sys.argv[1]](config)


def ready():
    """Tell systemd that the service is up (sd_notify)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


def join(config):
    """Report this machine to the server, with the token, until the server takes it; then be a node."""
    place = urlsplit(config["server"])
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    body = json.dumps(node(config))
    while True:
        try:
            server = HTTPSConnection(place.hostname, place.port, timeout=5, context=anyone)
            server.request("POST", JOIN, body, {"Authorization": f"Bearer {config['token']}"})
            if server.getresponse().status == 200:
                break
            sys.stdout.write("level=error msg=the server does not take the token\n")
        except OSError as error:
            sys.stdout.write(f"level=error msg={error}\n")
        sys.stdout.flush()
        time.sleep(1)
    ready()
    threading.Event().wait()


def node(config):
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": socket.gethostname()},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "address": config["node-ip"]},
    }


def serve(config):
    """Be the server of a cluster; it begins empty at each start."""
    rmtree(DATA, ignore_errors=True)
    programs = unpacked()
    api_server.program = lambda name: str(programs / name) if name in PROGRAMS else "/usr/bin/openssl"
    folder = DATA / "db"
    folder.mkdir(parents=True)
    with running(folder) as api:
        api.define(*definitions())
        with Server(api, folder, config) as server:
            life = Life(server, folder)
            threading.Thread(target=life.run, daemon=True).start()
            server.put("/api/v1/nodes", node(config))
            server.put("/apis/apps/v1/namespaces/kube-system/deployments", deployment())
            write_access(folder)
            ready()
            server.serve_forever()


def deployment():
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": DNS,
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "dns", "image": "dns"}]}}},
    }


def unpacked():
    """Return the folder with the programs that are in this archive."""
    folder = DATA / "bin"
    with zipfile.ZipFile(sys.argv[0]) as archive:
        for name in PROGRAMS:
            archive.extract(name, folder)
            (folder / name).chmod(0o755)
    return folder


class ApiHandler(Handler):
    """Lets in who has a certificate, or an agent that knows the token."""

    def do(self):
        if self.path != JOIN:
            super().do()
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.headers.get("Authorization") == f"Bearer {self.server.token}"
        if known:
            self.server.put("/api/v1/nodes", body)
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - the names of http.server


class Server(StandIn):
    """The API at the port of Kubernetes, with TLS."""

    def __init__(self, api, folder, config):
        super().__init__(api, ("0.0.0.0", PORT), ApiHandler)  # noqa: S104 - as k3s does
        self.token = config["token"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*serving_certificate(folder, config["node-ip"]))
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def put(self, collection, document):
        """Apply an object; a kind is known a moment before it is served."""
        path = f"{collection}/{document['metadata']['name']}?fieldManager=k3s&force=true"
        until(lambda: self.taken(path, document), path)

    def taken(self, path, document):
        try:
            return self.send("PATCH", path, document, APPLY)
        except OSError:
            return None


class Life(ClusterLife):
    """The controllers, with the one that makes tokens of service accounts."""

    def __init__(self, server, folder):
        super().__init__(server)
        self.authority = b64encode((folder / "ca.crt").read_bytes()).decode()

    def turn(self):
        super().turn()
        for secret in self.listed("/api/v1", "secrets"):
            if secret.get("type") == "kubernetes.io/service-account-token" and "data" not in secret:
                place = secret["metadata"]
                token = b64encode(f"token of {place['namespace']}".encode()).decode()
                path = f"/api/v1/namespaces/{place['namespace']}/secrets/{place['name']}"
                self.stand_in.send(
                    "PATCH", path, {"data": {"token": token, "ca.crt": self.authority}}, "application/merge-patch+json"
                )


def serving_certificate(folder, address):
    """Make the certificate of the API at an address; return the files of certificate and key."""
    key, request, certificate, names = (folder / f"serving.{end}" for end in ("key", "csr", "crt", "ext"))
    names.write_text(f"subjectAltName=IP:{address},IP:127.0.0.1\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", names)
    for command in (
        ("req", *KEY, "-keyout", key, "-out", request, "-subj", "/CN=k3s"),
        ("x509", "-req", "-in", request, *signed, "-out", certificate),
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return certificate, key


def write_access(folder):
    """Write the administrator's kubeconfig, with all certificates in it, as the node itself uses it."""

    def data(name):
        return b64encode((folder / name).read_bytes()).decode()

    cluster = {"server": f"https://127.0.0.1:{PORT}", "certificate-authority-data": data("ca.crt")}
    user = {"client-certificate-data": data("client.crt"), "client-key-data": data("client.key")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "default",
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
        "clusters": [{"name": "default", "cluster": cluster}],
        "users": [{"name": "default", "user": user}],
    }
    ACCESS.touch(0o600)
    ACCESS.write_text(json.dumps(document))
