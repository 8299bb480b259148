"""A real Kubernetes API server: apiextensions-apiserver on Debian's etcd. It serves custom resources and no others."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
SECONDS = 60
# What has to do with built-in kinds: this server has none.
NOT_HERE = ("NamespaceLifecycle", "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook", "ValidatingAdmissionPolicy")
NOT_HERE += ("MutatingAdmissionPolicy",)


def program(name):
    """Return a program that `scripts/api_server.sh` built, or that is on the PATH; None for neither."""
    built = ROOT / ".venv" / "bin" / name
    return str(built) if built.exists() else shutil.which(name)


def missing():
    """Return why there can be no API server; empty when there can."""
    lacking = [name for name in ("apiextensions-apiserver", "etcd", "openssl") if program(name) is None]
    return f"not installed: {', '.join(lacking)} (scripts/api_server.sh)" if lacking else ""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class ApiServer:
    """A running server; `folder` has its certificates, `kubeconfig` the access of its only user."""

    def __init__(self, folder, port):
        self.folder = folder
        self.local = threading.local()
        self.url = f"https://127.0.0.1:{port}"
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.context.load_cert_chain(folder / "client.crt", folder / "client.key")
        self.kubeconfig = write_kubeconfig(folder / "kubeconfig", self.url, folder)

    def connection(self):
        """Return this thread's connection: to begin one costs more than what is asked over it."""
        if not hasattr(self.local, "connection"):
            place = urlsplit(self.url)
            self.local.connection = http.client.HTTPSConnection(place.hostname, place.port, context=self.context)
        return self.local.connection

    def send(self, method, path, body=None, content_type="application/json"):
        """Send a request past everything that is under test. Raises OSError for an answer that is none of success."""
        data = json.dumps(body) if body is not None else None
        connection = self.connection()
        try:
            answer = asked(connection, method, path, data, {"Content-Type": content_type})
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise OSError(f"{method} {path}") from error
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise OSError(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text)

    def define(self, *definitions):
        """Create custom resource definitions and wait until they are served."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for definition in definitions:
            self.send("POST", path, definition)
        names = {definition["metadata"]["name"] for definition in definitions}
        until(lambda: names <= set(established(self.send("GET", path)["items"])), "custom resources are served")


def asked(connection, method, path, data, headers):
    """Return the answer over a kept connection, or over a new one where the server closed it while nobody asked."""
    try:
        connection.request(method, path, data, headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException):
        connection.close()
        connection.request(method, path, data, headers)
        return connection.getresponse()


def established(definitions):
    for one in definitions:
        conditions = one.get("status", {}).get("conditions") or ()
        if any(found["type"] == "Established" and found["status"] == "True" for found in conditions):
            yield one["metadata"]["name"]


def until(holds, what, seconds=SECONDS):
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"in time: {what}"
        time.sleep(0.05)
    return found


def write_kubeconfig(path, url, certificates=None):
    user = {}
    cluster = {"server": url}
    if certificates:
        user = {"client-certificate": str(certificates / "client.crt"), "client-key": str(certificates / "client.key")}
        cluster["insecure-skip-tls-verify"] = True
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": user}],
    }
    path.write_text(json.dumps(document))
    return path


def certificates(folder):
    """Make an authority and a client whose organization may do everything."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test", "-days", "2")
    openssl("req", *key, "-keyout", "client.key", "-out", "client.csr", "-subj", "/O=system:masters/CN=tester")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    openssl("x509", "-req", "-in", "client.csr", *signed, "-out", "client.crt")


@contextmanager
def running(folder):
    """Give an empty API server; it and its etcd end with the block."""
    certificates(folder)
    ports = [free_port() for _ in range(3)]
    store = f"http://127.0.0.1:{ports[0]}"
    etcd = [program("etcd"), "--data-dir", folder / "etcd", "--listen-client-urls", store, "--advertise-client-urls"]
    etcd += [store, "--listen-peer-urls", f"http://127.0.0.1:{ports[1]}", "--unsafe-no-fsync"]
    nobody = write_kubeconfig(folder / "nobody", "https://127.0.0.1:1")
    server = [program("apiextensions-apiserver"), "--etcd-servers", store, "--secure-port", str(ports[2])]
    server += [
        "--bind-address",
        "127.0.0.1",
        "--cert-dir",
        folder / "certificates",
        "--client-ca-file",
        folder / "ca.crt",
    ]
    server += ["--authentication-skip-lookup", "--enable-priority-and-fairness=false"]
    server += [f"--{name}kubeconfig={nobody}" for name in ("", "authentication-", "authorization-")]
    server += ["--disable-admission-plugins", ",".join(NOT_HERE)]
    with ExitStack() as stack:
        for command in (etcd, server):
            log = stack.enter_context((folder / f"{Path(command[0]).name}.log").open("wb"))
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "ETCD_UNSUPPORTED_ARCH": ""})
            stack.callback(process.wait)
            stack.callback(process.kill)
        api = ApiServer(folder, ports[2])
        until(lambda: answers(api), "the API server answers")
        yield api


def answers(api):
    try:
        return api.send("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    except OSError:
        return None
