"""Rules about a base at their bounds; the texts themselves are held by tests/errors."""

import itertools

import pytest
import yaml

from generator.diagnostics.codes import codes
from generator.kubernetes_base.manifest import facts

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
        - name: app
          image: nginx:1.27
"""
KINDS = facts("kinds")
BASELINE = facts("baseline")
API = {
    kind: (group, entry["versions"][-1])
    for group, entry in KINDS["groups"].items()
    for kind in entry.get("namespaced", ())
}


def at(path, value):
    """Return a value wrapped in groups and lists, as a rule's path leads to it."""
    for step in reversed(path):
        value = [value] if step == "*" and path[0] != "lifecycle" else {"preStop" if step == "*" else step: value}
    return value


def workload(kind, pod):
    """Return an object of a kind that makes a pod."""
    spec = pod
    for step in reversed(KINDS["pods"][kind]):
        labels = {"metadata": {"labels": {"app": "a"}}} if step == "spec" and spec is pod else {}
        spec = {step: spec, **labels}
    group, version = API[kind]
    document = {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind, **spec}
    document["metadata"] = {"name": "a"}
    if kind in KINDS["selecting"]:
        document["spec"]["selector"] = {"matchLabels": {"app": "a"}}
    return yaml.safe_dump(document)


CONTAINER = {"name": "a", "image": "nginx:1.27"}
FORBIDDEN = [("pod", rule) for rule in BASELINE["pod"]] + [("container", rule) for rule in BASELINE["container"]]


@pytest.mark.parametrize(
    ("scope", "rule"), FORBIDDEN, ids=lambda value: value if isinstance(value, str) else ".".join(value["path"])
)
def test_every_rule_of_the_baseline_refuses(told, scope, rule):
    part = at(rule["path"], 8080 if rule["path"][-1] == "hostPort" else "Other")
    pod = {"containers": [CONTAINER | (part if scope == "container" else {})], **(part if scope == "pod" else {})}
    codes = [code for code, _line in told(workload("Deployment", pod))]
    assert codes == [rule["code"]]


@pytest.mark.parametrize("kind", sorted(KINDS["pods"]))
@pytest.mark.parametrize("place", ["containers", "initContainers", "ephemeralContainers"])
def test_every_pod_of_every_kind_is_looked_at(told, kind, place):
    bad = {"name": "b", "image": "nginx:1.27", "securityContext": {"privileged": True}}
    pod = {"containers": [CONTAINER], place: [bad]}
    assert "PRA123" in [code for code, _line in told(workload(kind, pod))]


@pytest.mark.parametrize("value", ["true", '"true"', "1", "yes"])
def test_privileged_in_any_spelling(told, value):
    text = DEPLOYMENT + f"          securityContext: {{privileged: {value}}}\n"
    assert told(text) == [("PRA123", 12)]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("nginx", "PRA132"),
        ("nginx:latest", "PRA132"),
        ("registry.example.org:5000/app", "PRA132"),
        ("NGINX:1", "PRA132"),
        ("'a b:1'", "PRA132"),
        ("nginx:1.27", None),
        ("registry.example.org:5000/a/b:1.27-alpine", None),
        (f"nginx@sha256:{'0' * 64}", None),
        (f"nginx:latest@sha256:{'0' * 64}", None),
    ],
)
def test_images_have_a_tag(told, image, code):
    assert [found for found, _line in told(DEPLOYMENT.replace("nginx:1.27", image))] == ([code] if code else [])


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("registry.example.org/a:1", True),
        ("registry.example.org.evil.example/a:1", False),
        ("nginx:1.27", True),
        ("docker.io/nginx:1.27", True),
        ("docker.io/library/nginx:1.27", True),
        ("nginx:1.28", False),
        ("bitnami/nginx:1.27", False),
    ],
)
def test_the_list_of_images(told, image, good):
    platforms = {"prod": "images: {registry: registry.example.org, preloaded: ['nginx:1.27']}\n"}
    found = told(DEPLOYMENT.replace("nginx:1.27", image), platforms=platforms)
    assert [code for code, _line in found] == ([] if good else ["PRA133"])


def spec(kubernetes, students=20):
    return f"version: 1\ntitle: T\nstudents: {students}\nkubernetes:\n  base: k8s/\n{kubernetes}"


@pytest.mark.parametrize(
    ("students", "nodes", "cluster", "enough"),
    [
        (19, 5, "lab", True),
        (20, 5, "lab", False),
        (20, 6, "lab", True),
        (5000, 1, "seat", True),
        (5000, 1, "existing:campus", True),
    ],
)
def test_a_fixed_number_of_nodes_holds_the_quotas_and_one_more(told, students, nodes, cluster, enough):
    text = spec(f"  cluster: {cluster}\n  nodes: {{count: {nodes}, cpu: 4, memory: 64GiB}}\n", students)
    clusters = "kubernetes: {clusters: {campus: {kubeconfig: /etc/campus}}}\n"
    found = told(
        {"kustomization.yaml": "resources: [a.yaml]", "a.yaml": DEPLOYMENT}, text, {"dev": clusters, "prod": clusters}
    )
    assert found == ([] if enough else [("PRA137", 7)])


@pytest.mark.parametrize(("replicas", "cpu", "codes"), [(2, "500m", []), (3, "500m", ["PRA135"]), (1, 2, ["PRA135"])])
def test_what_runs_together_fits_the_quota(told, replicas, cpu, codes):
    text = DEPLOYMENT.replace("spec:\n", f"spec:\n  replicas: {replicas}\n", 1)
    text += f"          resources: {{requests: {{cpu: {cpu}}}}}\n"
    assert [code for code, _line in told(text)] == codes


def test_containers_that_run_first_count_once(told):
    first = "      initContainers:\n        - {name: i, image: 'busybox:1.36', resources: {requests: {cpu: 900m}}}\n"
    text = DEPLOYMENT.replace("      containers:\n", first + "      containers:\n")
    assert told(text + "          resources: {requests: {cpu: 900m}}\n") == []


def test_a_check_sees_names_with_their_prefix(told):
    files = {"kustomization.yaml": "namePrefix: my-\nresources: [a.yaml]\n", "a.yaml": DEPLOYMENT}
    for name, expected in (("my-app", []), ("app", ["PRA138"])):
        text = spec("") + f"checks:\n  - {{name: a, kubernetes: {{deployment: {name}}}}}\n"
        assert [code for code, _line in told(files, text)] == expected


def test_a_base_that_does_not_build_is_no_reason_to_doubt_checks(told):
    text = spec("") + "checks:\n  - {name: a, kubernetes: {deployment: other}}\n"
    assert [code for code, _line in told({"kustomization.yaml": "resources: [b.yaml]\n"}, text)] == ["PRA100"]


@pytest.mark.parametrize("name", ["kustomization.yml", "Kustomization"])
def test_other_names_of_the_kustomization(told, name):
    assert told({name: "resources: [a.yaml]", "a.yaml": DEPLOYMENT}) == []
    assert told({name: "resources: [a.yaml]", "kustomization.yaml": "resources: [a.yaml]", "a.yaml": DEPLOYMENT}) == [
        ("PRA114", 1)
    ]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../x.yaml", '"a\\0b"', '"\\ud800"', "a" * 300, "../k8s2/x.yaml"]
)
def test_names_that_no_file_can_have(told, name):
    ((code, line),) = told({"kustomization.yaml": f"resources:\n  - {name}\n"})
    assert code in ("PRA101", "PRA100", "PRA001")
    assert line == 2


def test_folders_that_are_included_again_and_again_end(told):
    files = {"kustomization.yaml": "resources: [n0, ./n0/]\n"}
    for number in range(40):
        following = f"resources: [../n{number + 1}, ../n{number + 1}/]\n"
        files[f"n{number}/kustomization.yaml"] = following
    files["n40/kustomization.yaml"] = "configMapGenerator: [{name: a}]\n"
    assert "PRA108" in [code for code, _line in told(files)]


@pytest.mark.parametrize("key", ["privileged", "hostNetwork", "image"])
def test_replacements_do_not_reach_what_is_judged(told, key):
    text = f"resources: [a.yaml]\nreplacements:\n  - targets:\n      - fieldPaths: [spec.template.spec.{key}]\n"
    assert told({"kustomization.yaml": text, "a.yaml": DEPLOYMENT}) == [("PRA112", 3)]


def test_rules_name_codes_that_exist():
    refused = facts("keys")["refused"].values()
    named = {rule["code"] for rule in itertools.chain(BASELINE["pod"], BASELINE["container"], refused)}
    assert named <= set(codes())
