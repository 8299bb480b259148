"""What an overlay makes of a base: walls, the restricted level, per-student values, and what never stands in git."""

import re

import pytest
import yaml
from builds import CATALOGUE, COURSE, DEPLOYMENT, SPEC, TODAY, sources_of, tree_of
from pod_security import violations

from generator.generate import read_edition
from generator.seats.names import Scope

TEMPLATE = """\
apiVersion: v1
kind: Secret
metadata: {name: flag, annotations: {note: "of {{ student.id }}"}}
stringData: {flag: "{{ secret('flag') }}"}
"""
MACHINES = "machines: {db: {type: database}, desk: {type: debian}}\n"
WITH_PORT = DEPLOYMENT.replace('"nginx:1.27"}', '"nginx:1.27", ports: [{containerPort: 8080}]}')


def find(objects, kind, seat="s001", name=None):
    """Return the only object of a kind in a seat's namespace."""
    metadata = [(found, found["metadata"]) for found in objects if found["kind"] == kind]
    spaces = [(found, meta.get("namespace") or meta["name"], meta["name"]) for found, meta in metadata]
    (found,) = [found for found, space, known in spaces if space.endswith(f"-{seat}") and name in (None, known)]
    return found


def test_a_namespace_is_restricted_and_pinned_to_the_platforms_version(built):
    shards = built(tree_of(DEPLOYMENT, platform='kubernetes: {version: "1.31"}\n'))
    labels = find(shards["00"], "Namespace", "s002")["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.31"
    assert labels["practicum/seat"] == "s002"
    options = find(shards["00"], "Namespace")["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert options == "Prune=confirm,Delete=confirm"


def test_quota_and_limits_hold_what_the_spec_says(built):
    spec = SPEC.replace("k8s/}", "k8s/, quota: {cpu: 0.5, memory: 768MiB, pods: 4, storage: 3GiB}}")
    shard = built(tree_of(DEPLOYMENT, spec))["00"]
    hard = find(shard, "ResourceQuota")["spec"]["hard"]
    amounts = {"requests.cpu": "500m", "requests.memory": "768Mi", "requests.storage": "3072Mi", "pods": "4"}
    assert {key: hard[key] for key in amounts} == amounts
    assert {hard["services.nodeports"], hard["services.loadbalancers"]} == {"0"}
    container, claim = find(shard, "LimitRange")["spec"]["limits"]
    assert container["defaultRequest"] == {"cpu": "125m", "memory": "192Mi"}
    assert container["default"] == container["max"] == {"cpu": "500m", "memory": "768Mi"}
    assert claim["max"] == {"storage": "3072Mi"}


def test_a_base_whose_containers_may_use_more_for_a_moment_still_starts(built):
    resources = "resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 3, memory: 64Mi}}"
    shard = built(tree_of(DEPLOYMENT.replace('"nginx:1.27"}', f'"nginx:1.27", {resources}}}')))["00"]
    assert find(shard, "LimitRange")["spec"]["limits"][0]["max"]["cpu"] in (3, "3")


def test_pods_are_closed_both_ways_but_for_their_own_namespace_and_names(built):
    policy = find(built(tree_of(DEPLOYMENT))["00"], "NetworkPolicy")["spec"]
    assert policy["podSelector"] == {}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [{"from": [{"podSelector": {}}]}]
    own, names = policy["egress"]
    assert own == {"to": [{"podSelector": {}}]}
    assert {(port["protocol"], port["port"]) for port in names["ports"]} == {("TCP", 53), ("UDP", 53)}
    assert names["to"][0]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}


def test_pods_and_the_machines_of_the_same_seat_reach_each_others_declared_ports(built):
    shard = built(tree_of(WITH_PORT, SPEC + MACHINES))["00"]
    for seat, db, desk in (("s001", "10.72.1.2", "10.72.1.3"), ("s002", "10.72.1.66", "10.72.1.67")):
        policy = find(shard, "NetworkPolicy", seat)["spec"]
        ways = {
            rule["to"][0]["ipBlock"]["cidr"]: [port["port"] for port in rule["ports"]] for rule in policy["egress"][2:]
        }
        assert ways == {f"{db}/32": [22, 5432], f"{desk}/32": [22]}
        (back,) = policy["ingress"][1:]
        assert [block["ipBlock"]["cidr"] for block in back["from"]] == [f"{db}/32", f"{desk}/32"]
        assert back["ports"] == [{"protocol": "TCP", "port": 8080}]


def test_pods_without_ports_let_no_machine_in(built):
    policy = find(built(tree_of(DEPLOYMENT, SPEC + MACHINES))["00"], "NetworkPolicy")["spec"]
    assert len(policy["ingress"]) == 1


def test_no_pod_is_given_a_token_and_a_student_has_rights_over_the_own_namespace_only(built):
    shard = built(tree_of(DEPLOYMENT))["00"]
    for name in ("default", "practicum-student"):
        assert find(shard, "ServiceAccount", name=name)["automountServiceAccountToken"] is False
    binding = find(shard, "RoleBinding")
    assert binding["roleRef"]["kind"] == "Role"
    (subject,) = binding["subjects"]
    assert subject["namespace"] == binding["metadata"]["namespace"]
    rules = find(shard, "Role")["rules"]
    assert "*" not in str(rules)
    writing = {kind for rule in rules if "create" in rule["verbs"] for kind in rule["resources"]}
    assert not writing & {
        *("namespaces", "networkpolicies", "resourcequotas", "limitranges", "roles", "rolebindings"),
        *("serviceaccounts", "serviceaccounts/token", "nodes", "persistentvolumes"),
    }
    assert {"pods", "deployments", "services", "pods/exec"} <= writing


@pytest.mark.parametrize(
    "lines",
    [
        "      hostNetwork: false\n",
        "      securityContext: {fsGroup: 5}\n",
        "      securityContext: {runAsNonRoot: null, seccompProfile: {type: Localhost, localhostProfile: a.json}}\n",
        "      securityContext: null\n",
        "      initContainers: [{name: b, image: 'busybox:1.36', securityContext: {capabilities: {drop: [CHOWN]}}}]\n",
        "      initContainers: [{name: b, image: 'busybox:1.36', securityContext: {capabilities: {}}}]\n",
        "      ephemeralContainers: [{name: look, image: 'busybox:1.36'}]\n",
    ],
)
def test_what_a_base_leaves_unsaid_is_filled_in_so_that_its_pods_start(built, lines):
    head, _, tail = DEPLOYMENT.partition("      containers:\n")
    shard = built(tree_of(f"{head}{lines}      containers:\n{tail}"))["00"]
    assert violations(find(shard, "Deployment")) == []


@pytest.mark.parametrize("kind", ["Pod", "CronJob", "StatefulSet", "DaemonSet", "Job"])
def test_pods_of_every_kind_are_completed(built, kind):
    pod = {"containers": [{"name": "a", "image": "nginx:1.27"}], "restartPolicy": "Never"}
    template = {"metadata": {"labels": {"app": "a.b"}}, "spec": pod}
    spec = {"Pod": pod, "CronJob": {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": template}}}}
    selector = {} if kind == "Job" else {"selector": {"matchLabels": {"app": "a.b"}}}
    api = {"Pod": "v1", "CronJob": "batch/v1", "Job": "batch/v1"}.get(kind, "apps/v1")
    document = {"apiVersion": api, "kind": kind, "metadata": {"name": "a.b"}}
    shard = built(tree_of(yaml.safe_dump({**document, "spec": spec.get(kind, {**selector, "template": template})})))[
        "00"
    ]
    assert violations(find(shard, kind)) == []


def test_templates_are_rendered_for_each_student_and_secrets_wait_for_delivery(built):
    base = {"kustomization.yaml": "resources: [flag.yaml.j2, a.yaml]\nnamePrefix: my-\n", "flag.yaml.j2": TEMPLATE}
    using = DEPLOYMENT.replace('"nginx:1.27"}', '"nginx:1.27", envFrom: [{secretRef: {name: flag}}]}')
    tree = tree_of({**base, "a.yaml": using})
    shard = built(tree)["00"]
    assert [found for found in shard if found["kind"] == "Secret"] == []
    container = find(shard, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "my-flag"}}]
    secret = yaml.safe_load(tree["students/s002/secrets.yaml"])
    assert secret["metadata"]["name"] == "my-flag"
    assert secret["metadata"]["namespace"].endswith("-s002")
    assert secret["metadata"]["annotations"] == {"note": "of s002"}
    assert secret["stringData"] == {"flag": "((practicum:secret flag))"}


def test_the_keys_of_generated_objects_have_no_ending_of_a_template(built):
    kustomization = "configMapGenerator: [{name: motd, files: [motd.txt.j2, other=motd.txt.j2]}]\n"
    tree = tree_of({"kustomization.yaml": kustomization, "motd.txt.j2": "Hello {{ seat.id }}"})
    assert find(built(tree)["00"], "ConfigMap", "s002")["data"] == {"motd.txt": "Hello s002", "other": "Hello s002"}


def test_a_base_without_templates_stands_once():
    tree = tree_of(DEPLOYMENT)
    assert [path for path in tree if path.endswith("files/k8s/a.yaml")] == ["base/files/k8s/a.yaml"]
    assert tree["base/files/k8s/a.yaml"].decode() == DEPLOYMENT


def test_a_lab_without_a_base_has_its_walls(built):
    spec = "version: 1\ntitle: Empty\nstudents: 1\nkubernetes: {}\n"
    kinds = {found["kind"] for found in built(tree_of({}, spec))["00"]}
    assert {"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "Role"} <= kinds
    assert "Deployment" not in kinds


def test_folders_beside_the_base_come_along(built):
    base = {"kustomization.yaml": "resources: [../parts]\n"}
    more = {f"{COURSE}/parts/kustomization.yaml": "resources: [a.yaml]\n", f"{COURSE}/parts/a.yaml": DEPLOYMENT}
    more |= {f"{COURSE}/parts/unused.txt": "x", f"{COURSE}/private.txt": "x"}
    tree = tree_of(base, more=more)
    assert find(built(tree)["00"], "Deployment")["metadata"]["name"] == "app"
    assert not any("unused" in path or "private" in path for path in tree)


def test_who_leaves_is_at_rest_until_the_overlay_goes(built):
    book = "s002:\n  login: null\n  state: active\n  since: '2026-08-01'\n  until: null\n"
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "busybox:1.36"}]}}
    tick = {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": template}}}
    more = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": tick},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, **template},
    ]
    base = f"{DEPLOYMENT}---\n{yaml.safe_dump_all(more)}"
    spec = SPEC.replace("students: 2", "students: 1")
    shard = built(tree_of(base, spec, more={f"{COURSE}/shop.seats.yaml": book}))["00"]
    assert find(shard, "Deployment", "s002")["spec"]["replicas"] == 0
    assert find(shard, "CronJob", "s002")["spec"]["suspend"] is True
    assert find(shard, "ResourceQuota", "s002")["spec"]["hard"]["pods"] == "0"
    assert [found["metadata"]["namespace"][-4:] for found in shard if found["kind"] == "Pod"] == ["s001"]
    assert "replicas" not in find(shard, "Deployment", "s001")["spec"]


def test_a_cluster_for_each_student_is_a_shard_for_each():
    tree = tree_of(DEPLOYMENT, SPEC.replace("k8s/}", "k8s/, cluster: seat}"))
    assert {path for path in tree if path.startswith("shards/")} == {
        f"shards/{seat}/kustomization.yaml" for seat in ("prof", "s001", "s002")
    }


def test_a_template_that_fails_for_one_student_is_told_with_the_seat():
    files = {f"{COURSE}/shop.lab.yaml": SPEC.replace("students: 2", "students: 3")}
    files[f"{COURSE}/k8s/kustomization.yaml"] = "resources: [a.yaml.j2]\n"
    number = "{{ 1 / (student.id | replace('s', '') | int - 3) }}"
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: {number}\n"
    files[f"{COURSE}/k8s/a.yaml.j2"] = text
    (problem,) = read_edition(sources_of(files), CATALOGUE, ["cloud101/shop"], TODAY).diagnostics
    assert problem.file == f"{COURSE}/k8s/a.yaml.j2"
    assert "(in the seat s003)" in problem.message


def test_the_longest_names_are_within_what_kubernetes_allows():
    scope = Scope("k" * 40, "prod", "c" * 20, "l" * 30)
    assert len(scope.namespace("s9999")) <= 63
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", scope.namespace("s9999"))
    other = Scope("k" * 40, "prod", "c" * 20, "l" * 29 + "m")
    assert other.namespace("s9999") != scope.namespace("s9999")
