"""Kustomize itself builds every shard of the golden trees, and what it makes is right for Kubernetes."""

import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from builds import kustomize
from pod_security import pod_of, violations

from generator.spec.platform import DEFAULT_KUBERNETES

GOLDEN = Path(__file__).parents[2] / "golden"
SHARDS = sorted(GOLDEN.glob("*/expected/environments/*/*/*/kubernetes/shards/*"))
LEVEL = "pod-security.kubernetes.io/enforce-version"


def names(folder):
    return "/".join((folder.relative_to(GOLDEN).parts[0], folder.parts[-6], folder.parts[-4], folder.name))


def test_there_are_shards_of_both_environments_and_of_more_than_fifty_students():
    assert {folder.parts[-6] for folder in SHARDS} == {"dev", "prod"}
    assert {"00", "01", "prof", "pilot"} <= {folder.name for folder in SHARDS}


# One test a shard: each is built once.
@pytest.mark.parametrize("folder", SHARDS, ids=names)
def test_a_shard_is_right(folder):
    objects = kustomize(folder)
    assert {"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy"} <= {found["kind"] for found in objects}
    assert_known_to_kubernetes(objects)
    assert [violations(found) for found in objects if pod_of(found) and violations(found)] == []
    assert_in_their_namespaces(folder, objects)
    for found in objects:
        assert found["metadata"]["labels"]["practicum/scope"].startswith("p")
        assert "practicum/" not in json.dumps(found.get("spec", {}).get("selector", {}))
    assert "((practicum:" not in json.dumps(objects)
    assert "Secret" not in {found["kind"] for found in objects}


def assert_known_to_kubernetes(objects):
    """Hold each object against the schema of the platform's version; those that differ in names only, once."""
    version = {found["metadata"]["labels"][LEVEL][1:] for found in objects if found["kind"] == "Namespace"}.pop()
    seen = set()
    for found in objects:
        text = json.dumps({**found, "metadata": sorted(found["metadata"])})
        if text not in seen:
            kubernetes_validate.validate(found, version, strict=True)
        seen.add(text)


def assert_in_their_namespaces(folder, objects):
    """Every object is in the namespace of one of the shard's seats, and every seat has one."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    spaces = {found["metadata"]["name"] for found in objects if found["kind"] == "Namespace"}
    environment, course, lab = folder.parts[-6:-3]
    assert sorted(name.partition("-")[2] for name in spaces) == sorted(
        f"{environment}-{course}-{lab}-{Path(path).name}" for path in listed
    )
    assert all(len(name) <= 63 for name in spaces)
    assert {found["metadata"].get("namespace") for found in objects if found["kind"] != "Namespace"} == spaces


def test_the_schemas_refuse_what_is_wrong():
    wrong = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a"}, "spec": {"limit": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, DEFAULT_KUBERNETES, strict=True)


def test_no_overlay_merges_by_schema():
    overlays = [*GOLDEN.glob("*/expected/environments/*/*/*/kubernetes/*/*/kustomization.yaml")]
    assert len(overlays) > 50
    for path in overlays:
        text = path.read_text()
        assert "patchesStrategicMerge" not in text
        assert "commonLabels" not in text
        assert "$patch" not in text
