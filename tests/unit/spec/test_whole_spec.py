"""Everything that a spec can say, with the real catalogue.

whole.lab.yaml is the full example of the handbook's interfaces.md, with a whole sha256 in place of its first digits.
"""

from pathlib import Path

from generator.catalogue.load import load_catalogue
from generator.schema_files import read_schema
from generator.spec.load import load_lab, load_platforms
from generator.spec.sources import MappingSources

TEXT = (Path(__file__).parent / "whole.lab.yaml").read_bytes()
PATH = "labs/net101/firewalls.lab.yaml"
FILES = ("files/index.html.j2", "files/prepare.sh", "files/role.sh.j2", "files/solve.sh", "k8s/kustomization.yaml")
BASE = b"""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - name: app
          image: nginx:1.27
          resources: {requests: {cpu: 100m, memory: 64Mi}}
"""
CONTENT = {f"labs/net101/{name}": b"#!/bin/sh\ntrue\n" for name in FILES}
CONTENT |= {"labs/net101/k8s/kustomization.yaml": b"resources: [app.yaml]\n", "labs/net101/k8s/app.yaml": BASE}
CONTENT |= {PATH: TEXT, "labs/net101/students.csv": b"login,name,email,group\nada,Ada,ada@example.org,A\n"}


def test_the_whole_spec_is_good():
    sources = MappingSources(CONTENT)
    loaded = load_lab(sources, PATH, load_catalogue(), load_platforms(sources).platforms)
    assert loaded.diagnostics == ()
    assert [machine.name for machine in loaded.lab.machines] == ["web", "router", "desk", "legacy"]
    assert [(machine.kind, machine.forward) for machine in loaded.lab.machines[1::2]] == [
        ("container", True),
        ("vm", False),
    ]
    assert (loaded.lab.checks[0].machine, loaded.lab.checks[0].origin) == ("web", None)
    assert [check.kind for check in loaded.lab.checks[:4]] == ["http", "tcp", "exec", "kubernetes"]


def test_the_whole_spec_has_every_top_level_key():
    keys = {line.split(b":")[0].decode() for line in TEXT.splitlines() if line[:1].isalpha()}
    assert keys == set(read_schema("lab")["properties"])
