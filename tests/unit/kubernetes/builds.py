"""Kustomize as it is, and a small Kubernetes lab in memory."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import yaml

from generator.catalogue.load import load_catalogue
from generator.generate import find_labs, read_edition, render
from generator.spec.sources import MappingSources

KUBECTL = Path(sys.executable).with_name("kubectl")
CATALOGUE = load_catalogue()
TODAY = date(2026, 9, 1)
COURSE = "labs/cloud101"
SPEC = "version: 1\ntitle: Shop\nstudents: 2\nkubernetes: {base: k8s/}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - {name: app, image: "nginx:1.27"}
"""


def sources_of(files):
    """Return a repository given by its texts, or bytes, by path."""
    return MappingSources({path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()})


def edition_of(files):
    """Read a valid repository."""
    sources = sources_of(files)
    found = read_edition(sources, CATALOGUE, find_labs(sources), TODAY)
    assert [problem for problem in found.diagnostics if problem.severity == "error"] == []
    return found


def tree_of(base, spec=SPEC, environment="prod", platform="", more=None):
    """Return the Kubernetes files of cloud101/shop by path below its folder. `base` are files, or a manifest."""
    base = {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": base} if isinstance(base, str) else base
    files = {f"{COURSE}/shop.lab.yaml": spec, **{f"{COURSE}/k8s/{name}": text for name, text in base.items()}}
    files |= {f"environments/{environment}/platform.yaml": platform} if platform else {}
    found = edition_of({**files, **(more or {})})
    folder = f"environments/{environment}/cloud101/shop/kubernetes/"
    tree = render(found, found.labs[0], environment)
    return {path.removeprefix(folder): data for path, data in tree.items() if path.startswith(folder)}


def kustomize(folder):
    """Return the objects that Kustomize makes of a folder."""
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return list(yaml.safe_load_all(done.stdout))
