"""Provisioning reads what is committed, and nothing else."""

import json

import pytest

from practicum.errors import InputError, UnavailableError
from practicum.stages.deployment import Operation, load_deployment, operation_file, read_operation, release_file

LAB = "net101/firewalls"
SPEC = "version: 1\ntitle: T\nstudents: 2\nmachines:\n  web: {type: debian, files: [{from: a.txt, to: /a}]}\n"
FILES = {"a.txt": b"hello\n"}
FOLDER = "environments/dev/net101/firewalls"
RELEASE = {
    "checkpoint": 3,
    "message": "",
    "taken": "2026-09-01T12:00:00+00:00",
    "practicum": "0.1.0",
    "spec_commit": "5" * 40,
    "tree": "sha256:" + "9" * 64,
    "images": {"web": "2" * 64},
    "volumes": {"home": "c3-home"},
    "volume_project": "p",
}


def test_a_deployment_is_what_was_committed(workspace, deploy):
    head = deploy(SPEC, FILES)
    found = load_deployment(workspace, LAB, "dev")
    assert found.commit == head
    assert sorted(found.seats) == ["pilot", "prof"]
    assert found.shared["marker"] == "k3v9t2qa/dev/net101/firewalls/-"
    assert (found.operation, found.release) == (Operation(), None)
    (digest,) = [step["sha256"] for step in found.seats["prof"]["instances"][0]["steps"]]
    assert found.file(digest) == b"hello\n"


def test_what_stands_in_the_working_tree_only_does_not_count(workspace, deploy):
    deploy(SPEC, FILES)
    before = load_deployment(workspace, LAB, "dev")
    path = workspace.repository.root / FOLDER / "lxd/prof.yaml"
    path.write_text(path.read_text().replace("running", "stopped"))
    (workspace.repository.root / FOLDER / "operation.yaml").write_text("life: destroyed\n")
    assert load_deployment(workspace, LAB, "dev") == before


def test_an_older_commit_can_be_read(workspace, deploy):
    old = deploy(SPEC, FILES)
    deploy(SPEC.replace("web:", "box:"), FILES)
    assert "prof-web" in str(load_deployment(workspace, LAB, "dev", old).seats)
    assert "prof-web" not in str(load_deployment(workspace, LAB, "dev").seats)


def test_the_scope_comes_from_the_definitions_and_not_from_a_platform_file_that_changed(workspace, deploy):
    deploy(SPEC, FILES)
    path = "environments/dev/platform.yaml"
    workspace.repository.commit({path: b"installation: another\n"}, "Edit")
    assert load_deployment(workspace, LAB, "dev").scope.installation == "k3v9t2qa"


def test_operation_and_release_are_read_and_change_no_digest(workspace, deploy):
    deploy(SPEC, FILES)
    before = load_deployment(workspace, LAB, "dev")
    operation = Operation("active", "stopped", "none")
    changes = operation_file("dev", LAB, operation) | release_file("dev", LAB, RELEASE)
    workspace.repository.commit(changes, "Operate")
    after = load_deployment(workspace, LAB, "dev")
    assert after.operation == operation
    assert after.release["checkpoint"] == 3
    assert after.digest == before.digest
    assert sorted(after.seats) == ["pilot", "prof"]


def test_the_digest_is_of_every_generated_file(workspace, deploy):
    deploy(SPEC, FILES)
    digests = {load_deployment(workspace, LAB, "dev").digest}
    for path, data in workspace.repository.committed(FOLDER).items():
        workspace.repository.commit({path: data + b"\n"}, "Edit by hand")
        digests.add(load_deployment(workspace, LAB, "dev").digest)
    assert len(digests) == 5


def test_an_operation_file_that_says_nothing_means_the_defaults():
    assert read_operation(None) == read_operation(b"# nothing\n") == Operation("active", "running", "spec")


def test_every_operation_reads_back():
    for operation in (Operation(), Operation("destroyed", "stopped", "none"), Operation(power="stopped")):
        (data,) = operation_file("prod", LAB, operation).values()
        assert read_operation(data) == operation


def test_a_lab_that_is_not_there_is_a_usage_error_and_one_not_generated_is_unavailable(workspace):
    with pytest.raises(InputError, match="no lab") as caught:
        load_deployment(workspace, LAB, "dev")
    assert caught.value.exit_code == 2
    workspace.repository.commit({f"labs/{LAB}.lab.yaml": SPEC.encode()}, "Edit")
    with pytest.raises(UnavailableError, match="no committed definitions"):
        load_deployment(workspace, LAB, "dev")
    with pytest.raises(UnavailableError, match="never promoted"):
        load_deployment(workspace, LAB, "prod")


def test_a_lab_may_be_called_lxd(workspace, deploy):
    deploy(SPEC, FILES, "net101/lxd")
    workspace.repository.commit(operation_file("dev", "net101/lxd", Operation(power="stopped")), "Stop")
    assert sorted(load_deployment(workspace, "net101/lxd", "dev").seats) == ["pilot", "prof"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("operation.yaml", b"pause: yes\n"),
        ("operation.yaml", b"<<<<<<< HEAD\n: x\n"),
        ("release.json", b"<<<<<<< HEAD\n"),
        ("release.json", b"[]"),
        ("release.json", b"{}"),
        ("release.json", json.dumps({**RELEASE, "checkpoint": "3"}).encode()),
        ("release.json", json.dumps({**RELEASE, "images": {"web": "latest"}}).encode()),
        ("release.json", json.dumps({**RELEASE, "image": {}}).encode()),
    ],
)
def test_a_broken_file_of_commands_is_bad_input(workspace, deploy, name, text):
    deploy(SPEC, FILES)
    workspace.repository.commit({f"{FOLDER}/{name}": text}, "Break")
    with pytest.raises(InputError, match=name):
        load_deployment(workspace, LAB, "dev")


@pytest.mark.parametrize("key", ["checkpoint", "spec_commit", "tree", "images", "volumes", "volume_project"])
def test_a_release_without_a_pin_is_never_written(key):
    with pytest.raises(InputError) as caught:
        release_file("dev", LAB, {name: value for name, value in RELEASE.items() if name != key})
    assert f"'{key}' is a required property" in caught.value.details
