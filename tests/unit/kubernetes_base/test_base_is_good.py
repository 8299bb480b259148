"""A realistic base is built without a word, and its objects know where they come from."""

from pathlib import Path

import pytest
from test_errors_of_base import DEPLOYMENT

from generator.catalogue.load import load_catalogue
from generator.kubernetes_base.build import build_base
from generator.spec.load import load_lab, load_platforms
from generator.spec.sources import MappingSources

SHOP = Path(__file__).parent / "shop"
VALUES = {"student": {"id": "s001"}, "seat": {"id": "s001", "address": "", "addresses": {}}}


def repository():
    files = (path for path in SHOP.rglob("*") if path.is_file())
    return MappingSources({path.relative_to(SHOP).as_posix(): path.read_bytes() for path in files})


@pytest.fixture(scope="module")
def base():
    return build_base(repository(), "labs/cloud101", "labs/cloud101/k8s", VALUES)


def find(base, kind):
    return next(manifest for manifest in base.objects if manifest.kind == kind)


def test_nothing_is_said_about_it():
    sources = repository()
    spec = "labs/cloud101/shop.lab.yaml"
    loaded = load_lab(sources, spec, load_catalogue(), load_platforms(sources).platforms)
    assert loaded.diagnostics == ()
    assert loaded.lab.kubernetes.base == "labs/cloud101/k8s"


def test_all_its_objects_are_there(base):
    assert [manifest.title for manifest in base.objects] == [
        "Deployment 'shop'",
        "Service 'shop'",
        "PersistentVolumeClaim 'data'",
        "Job 'fill'",
        "Secret 'flag'",
        "ConfigMap 'shop-config'",
        "Secret 'shop-secret'",
    ]
    assert base.folders == ("labs/cloud101/k8s", "labs/cloud101/k8s/data", "labs/cloud101/k8s/limits")


def test_what_was_changed_stands_where_it_was_changed(base):
    deployment = find(base, "Deployment").node
    container = ("spec", "template", "spec", "containers", 0)
    places = {
        ("spec", "replicas"): ("kustomization.yaml", 2),
        (*container, "image"): ("kustomization.yaml", "nginx:1.27"),
        (*container, "resources", "requests", "cpu"): ("kustomization.yaml", "150m"),
        (*container, "resources", "requests", "memory"): ("shop.yaml", "64Mi"),
        (*container, "resources", "limits", "memory"): ("limits/kustomization.yaml", "128Mi"),
        (*container, "env", 0, "value"): ("patch.yaml", "lab"),
    }
    for path, (file, value) in places.items():
        node = deployment.find(*path)
        assert node.value == value
        assert node.place.file == f"labs/cloud101/k8s/{file}"
        line = (SHOP / node.place.file).read_text().splitlines()[node.place.value.line - 1]
        written = str(value).rpartition(":")[2]
        assert line[node.place.value.column - 1 :].strip('"').startswith(written)


def test_secrets_stand_as_references_only(base):
    flag = next(manifest for manifest in base.objects if manifest.name == "flag")
    assert flag.node.text("stringData", "flag") == "((practicum:secret flag))"
    assert flag.node.text("stringData", "owner") == "s001"


GOOD_PODS = [
    "      securityContext: {runAsUser: 1000, fsGroup: 0, seccompProfile: {type: RuntimeDefault}}\n",
    "      hostNetwork: false\n",
    "      securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}\n",
    "      volumes: [{name: a, emptyDir: {}}, {name: b, configMap: {name: c}}]\n",
    "      automountServiceAccountToken: false\n",
]
GOOD_CONTAINERS = [
    "          securityContext: {privileged: false, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n",
    "          securityContext: {privileged: null, capabilities: {add: [NET_BIND_SERVICE]}}\n",
    "          ports: [{containerPort: 80, hostPort: 0}]\n",
    "          readinessProbe: {httpGet: {port: 80, path: /}}\n",
    "          resources: {requests: {cpu: 0.5, memory: 1073741824}, limits: {cpu: 1e0, memory: 1Gi}}\n",
]


@pytest.mark.parametrize("lines", [*GOOD_PODS, *GOOD_CONTAINERS])
def test_what_the_level_permits(told, lines):
    head, _, tail = DEPLOYMENT.partition("      containers:\n")
    text = f"{head}{lines}      containers:\n{tail}" if lines in GOOD_PODS else DEPLOYMENT + lines
    assert told(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: 'a:b'}\n"
        "rules: [{apiGroups: [''], resources: [pods, resourcequotas], verbs: [get, list, watch]}]\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n"
        "subjects: [{kind: ServiceAccount, name: default}]\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP, ports: [{port: 80}]}\n",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
        "\ufeffapiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\n---\r\n---\r\n",
        '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}',
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n",
    ],
)
def test_objects_that_stay_in_their_copy(told, text):
    assert told(text) == []
