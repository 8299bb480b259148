"""A university with one lab on a fake LXD and a real API server."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from lxd_server import FakeLxd

from generator.catalogue.load import load_catalogue
from practicum.git.repository import Repository
from practicum.lxd.images import image_properties
from practicum.stages.init import init
from practicum.stages.pipeline import run_pipeline
from practicum.stages.workspace import Workspace

LAB = "cloud101/shop"
INSTALLATION = "campuslab"
AREAS = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
IMAGE = {"/etc/passwd": (b"student:x:1000:1000::/home/student:/bin/sh\n", 0, 0, 0o644)}
CHECK = {"name": "shop is up", "kubernetes": {"deployment": "shop", "available": 1}, "wait": "1s"}
SPEC = {
    "version": 1,
    "title": "Shop",
    "students": 2,
    "kubernetes": {"cluster": "existing:campus", "base": "k8s/"},
    "checks": [CHECK],
}
MACHINES = {"db": {"type": "debian", "memory": "64MiB", "disk": "256MiB"}}
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: web
          image: "IMAGE"
          envFrom: [{secretRef: {name: flag}}]
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: flag}
stringData: {flag: "{{ secret('flag') }}"}
"""
GOOD = "example.org/shop:1"
SHOP = "/apis/apps/v1/namespaces/{}/deployments/shop"


@dataclass
class Campus:
    """The installation: `events` is what the stages said."""

    lxd: FakeLxd
    repository: Repository
    events: list = field(default_factory=list)

    @property
    def root(self):
        return self.repository.root

    @property
    def workspace(self):
        return Workspace(Repository.open(self.root), self.events.append)

    def write(self, image=GOOD, **changes):
        """Write the spec and its base; nothing is committed."""
        files = {
            f"labs/{LAB}.lab.yaml": yaml.safe_dump({**SPEC, **changes}, sort_keys=False),
            "labs/cloud101/k8s/kustomization.yaml": "resources: [shop.yaml.j2, flag.yaml.j2]\n",
            "labs/cloud101/k8s/shop.yaml.j2": DEPLOYMENT.replace("IMAGE", image),
            "labs/cloud101/k8s/flag.yaml.j2": SECRET,
        }
        self.repository.write({path: text.encode() for path, text in files.items()})

    def pipeline(self):
        return run_pipeline(self.workspace, LAB, lambda _: None)

    def said(self, state, seat="-"):
        return [event.detail for event in self.events if (event.state, event.seat) == (state, seat)]


def open_campus(folder: Path, lxd: FakeLxd, kubeconfig: Path, **platform) -> Campus:
    """Return a campus whose lab is written."""
    repository = init(folder / "labs")
    document = {
        "installation": INSTALLATION,
        "professor_internet": "none",
        "lxd": {"socket": str(lxd.path)},
        "kubernetes": {"clusters": {"campus": {"kubeconfig": str(kubeconfig)}}},
        **platform,
    }
    files = {
        f"environments/{name}/platform.yaml": yaml.safe_dump({**document, "addresses": area}).encode()
        for name, area in AREAS.items()
    }
    repository.commit(files, "Settle where the tests work")
    repository.publish()
    lxd.world.add_image(image_properties(load_catalogue()["debian"], INSTALLATION), IMAGE)
    campus = Campus(lxd, repository)
    campus.write()
    return campus


def spaces(stand_in):
    """Return the namespaces on the cluster by environment and seat."""
    found = [one["metadata"] for one in stand_in.send("GET", "/api/v1/namespaces")["items"]]
    places = [one["annotations"]["practicum/marker"].split("/") for one in found]
    return {(place[1], place[4]): one["name"] for place, one in zip(places, found, strict=True)}
