"""Patches do what Kustomize does with them; where kubectl is installed, its own Kustomize says so."""

import shutil
import subprocess

import pytest
import yaml
from test_errors_of_base import DEPLOYMENT

POD = "/spec/template/spec"
FULL = DEPLOYMENT + (
    "          env: [{name: A, value: '1'}, {name: B, value: '2'}]\n"
    "          args: [one, two]\n"
    "        - name: side\n"
    "          image: busybox:1.36\n"
    "      volumes: [{name: data, emptyDir: {}}]\n"
)
HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n"


def operations(*lines):
    return "patches:\n  - target: {kind: Deployment, name: app}\n    patch: |-\n" + "".join(
        f"      - {line}\n" for line in lines
    )


def merge(text):
    return "patches:\n  - patch: |-\n" + "".join(f"      {line}\n" for line in (HEAD + text).splitlines())


PATCHES = {
    "merge by name": merge("spec: {template: {spec: {containers: [{name: side, image: 'busybox:1.37'}]}}}"),
    "add a container": merge("spec: {template: {spec: {containers: [{name: third, image: 'busybox:1.37'}]}}}"),
    "delete a container": merge("spec: {template: {spec: {containers: [{name: side, $patch: delete}]}}}"),
    "replace a list": merge("spec: {template: {spec: {containers: [{name: app, args: [three]}]}}}"),
    "merge env": merge(
        "spec: {template: {spec: {containers: [{name: app, env: [{name: B, value: '3'}, {name: C}]}]}}}"
    ),
    "delete by null": merge("spec: {template: {spec: {volumes: null}}}"),
    "replace a group": merge("spec: {selector: {$patch: replace, matchLabels: {app: app}}}"),
    "delete the object": merge("$patch: delete"),
    "new group": merge("spec: {strategy: {type: Recreate}}"),
    "another volume": merge("spec: {template: {spec: {volumes: [{name: more, emptyDir: {}}]}}}"),
    "operation add": operations(f"{{op: add, path: {POD}/hostname, value: a}}"),
    "operation add at the end": operations(f"{{op: add, path: {POD}/containers/0/args/-, value: three}}"),
    "operation add in between": operations(f"{{op: add, path: {POD}/containers/0/args/1, value: half}}"),
    "operation replace": operations(f"{{op: replace, path: {POD}/containers/0/image, value: 'nginx:1.28'}}"),
    "operation remove": operations(f"{{op: remove, path: {POD}/containers/0/args/0}}"),
    "operation move": operations(f"{{op: move, from: {POD}/containers/0/args, path: {POD}/containers/0/command}}"),
    "operation copy": operations(f"{{op: copy, from: {POD}/containers/0/env, path: {POD}/containers/1/env}}"),
    "operation test": operations("{op: test, path: /kind, value: Deployment}", "{op: remove, path: /spec/selector}"),
    "operation with escapes": operations(
        "{op: add, path: /metadata/labels, value: {}}", "{op: add, path: /metadata/labels/a~1b, value: c}"
    ),
    "images": "images:\n  - {name: nginx, newName: example.org/nginx, newTag: '2'}\n",
    "image digests": "images:\n  - {name: busybox, digest: 'sha256:ab'}\n",
    "replace a list whole": merge(
        "spec: {template: {spec: {volumes: [{$patch: replace}, {name: more, emptyDir: {}}]}}}"
    ),
    "delete one and add one": merge(
        "spec: {template: {spec: {volumes: [{name: data, $patch: delete}, {name: more}]}}}"
    ),
    "replicas": "replicas:\n  - {name: app, count: 3}\n",
    "names": "namePrefix: a-\nnameSuffix: -b\n",
    "target by pattern": operations("{op: remove, path: /spec/selector}").replace("Deployment", "Deploy.*"),
}


@pytest.fixture
def ours(built):
    def run(patch):
        files = {"kustomization.yaml": f"resources: [a.yaml, b.yaml]\n{patch}", "a.yaml": FULL, "b.yaml": OTHER}
        return {title: manifest.node.plain() for title, manifest in built(files).items()}

    return run


OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n"


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("name", PATCHES)
def test_kustomize_does_the_same(tmp_path, ours, name):
    (tmp_path / "kustomization.yaml").write_text(f"resources: [a.yaml, b.yaml]\n{PATCHES[name]}")
    (tmp_path / "a.yaml").write_text(FULL)
    (tmp_path / "b.yaml").write_text(OTHER)
    done = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    theirs = {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(done.stdout)}
    assert ours(PATCHES[name]) == theirs


def test_what_each_kind_of_patch_does(ours):
    deployment = ("Deployment", "app")
    pods = {
        name: ours(PATCHES[name])[deployment]["spec"]["template"]["spec"] for name in ("merge by name", "merge env")
    }
    assert [one["image"] for one in pods["merge by name"]["containers"]] == ["busybox:1.37", "nginx:1.27"]
    assert [one.get("value") for one in pods["merge env"]["containers"][0]["env"]] == ["3", None, "1"]
    assert deployment not in ours(PATCHES["delete the object"])
    assert "selector" not in ours(PATCHES["operation test"])[deployment]["spec"]
    assert ("ConfigMap", "a-other-b") in ours(PATCHES["names"])


@pytest.mark.parametrize(
    "line",
    [
        "{op: remove, path: /spec/nothing}",
        "{op: replace, path: /spec/nothing, value: 1}",
        f"{{op: add, path: {POD}/containers/9, value: {{}}}}",
        f"{{op: add, path: {POD}/containers/-1, value: {{}}}}",
        "{op: add, path: /nothing/here, value: 1}",
        "{op: test, path: /kind, value: Pod}",
        "{op: copy, from: /nothing, path: /spec/a}",
        "{op: add, path: spec, value: 1}",
        "{op: add, path: /, value: 1, x: [}",
        f"{{op: add, path: {'/a' * 40}, value: 1}}",
        "{op: 5, path: /kind}",
        "{path: /kind}",
        "just text",
        "{op: add, path: [a], value: 1}",
    ],
)
def test_operations_that_cannot_be_applied(told, line):
    files = {"kustomization.yaml": f"resources: [a.yaml]\n{operations(line)}", "a.yaml": FULL}
    ((code, number),) = told(files)
    assert (code in ("PRA106", "PRA001"), number) == (True, 5)


def test_copies_of_copies_end(told):
    doubled = [f"{{op: copy, from: /metadata, path: /metadata/a{number}}}" for number in range(60)]
    files = {"kustomization.yaml": f"resources: [a.yaml]\n{operations(*doubled)}", "a.yaml": FULL}
    assert [code for code, _line in told(files)] == ["PRA106"]


def test_a_deletion_takes_the_reason_with_it(told):
    bad = FULL.replace("emptyDir: {}", "hostPath: {path: /}")
    files = {"kustomization.yaml": f"resources: [a.yaml]\n{PATCHES['delete by null']}", "a.yaml": bad}
    assert told(files) == []
    assert [code for code, _line in told({**files, "kustomization.yaml": "resources: [a.yaml]"})] == ["PRA125"]
