"""`practicum create` and the spec that it adds a machine to; deploying it is for the tests on LXD.

There is no LXD here, so a machine that was added ends with exit code 69, its spec committed.
"""

import pytest
import yaml
from university import GOOD

SPEC = "labs/net101/firewalls.lab.yaml"
BY_HAND = b"""\xef\xbb\xbfversion: 1\r
title: 'Packet filtering'   # a working title\r
students: 2\r
machines:\r
    # What everybody sees.\r
    web:\r
        type: webserver\r
        # memory: 1GiB\r
\r
# What must hold.\r
checks:\r
-   name: ssh\r
    tcp: {machine: web, port: 22}"""


def create(university, *arguments, lab="net101/firewalls"):
    return university("create", "debian", *arguments, "--lab", lab)


def test_a_spec_written_by_hand_keeps_all_that_its_author_wrote(university):
    university.lab(BY_HAND)
    said = create(university, "--name", "desk", "--memory", "256MiB")
    assert said.code == 69, said.err
    added = b"    desk:\r\n        type: debian\r\n        memory: 256MiB\r\n"
    before, heading, after = BY_HAND.partition(b"\r\n# What must hold.")
    assert university.files()[SPEC] == before + added + heading + after


def test_a_machine_gets_the_name_of_its_type_and_a_number(university):
    university.lab(GOOD)
    assert [create(university).code for _ in range(2)] == [69, 69]
    added = "  debian: {type: debian}\n  debian2: {type: debian}\n"
    assert university.files()[SPEC].decode() == GOOD + added


def test_a_scratch_lab_begins_with_its_first_machine(university):
    assert university("create", "debian", "--cpu", "2").code == 69
    text = university.files()["labs/scratch/machines.lab.yaml"].decode()
    assert text.endswith("students: 1\nmachines:\n  debian: {type: debian, cpu: 2}\n")


def test_a_name_that_is_taken_changes_nothing(university):
    university.lab(GOOD)
    files = university.files()
    said = create(university, "--name", "web")
    assert said.code == 2
    assert "there is a machine 'web' already" in said.err
    assert "choose another with --name" in said.err
    assert university.files() == files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "title: Twice\n", ["PRA003", f"{SPEC}:6:1"]),
        (GOOD.replace("{type: webserver}", "[type"), [SPEC]),
        ("version: 1\ntitle: A\nstudents: 2\nmachines: 3\n", ["no machine can be added", "under 'machines:'"]),
        (GOOD.replace("machines:", "machines: &all"), ["an anchor (&name)", "under 'machines:'"]),
    ],
)
def test_a_spec_that_cannot_be_edited_stays_as_it_is(university, text, words):
    university.lab(text)
    files = university.files()
    said = create(university)
    assert said.code == 65
    assert [word for word in words if word not in said.out + said.err] == []
    assert university.files() == files


def test_a_machine_that_is_not_valid_is_taken_back(university):
    university.deployed()
    files = university.files()
    assert create(university, "--memory", "1MiB").code == 65
    assert university.files() == files


def test_a_scratch_lab_whose_first_machine_is_not_valid_is_not_begun(university):
    files = university.files()
    assert university("create", "debian", "--memory", "1MiB").code == 65
    assert university.files() == files


K3S = "kubernetes: {k3s: {path: /srv/k3s, sha256: " + "a" * 64 + "}}\n"


@pytest.fixture
def with_k3s(university):
    """Return a university whose operator provides k3s."""
    path = university.root / "environments/dev/platform.yaml"
    path.write_text(path.read_text() + K3S)
    university.commit()
    return university


def test_a_cluster_without_k3s_is_refused_and_nothing_changes(university):
    files = university.files()
    said = university("create", "kubernetes")
    assert said.code == 69
    assert "kubernetes.k3s" in said.err
    assert university.files() == files


def test_a_cluster_comes_with_machines_to_work_from(with_k3s):
    sizes = ("--nodes", "2", "--memory", "3GiB")
    said = with_k3s("create", "kubernetes", *sizes, "--with", "webserver", "--with", "debian")
    assert said.code == 69, said.err
    spec = yaml.safe_load(with_k3s.files()["labs/scratch/machines.lab.yaml"])
    assert spec["kubernetes"] == {"cluster": "lab", "nodes": {"count": 2, "memory": "3GiB"}}
    assert list(spec["machines"]) == ["webserver", "debian"]


def test_a_lab_has_one_cluster(with_k3s):
    with_k3s.lab(GOOD + "kubernetes: {cluster: lab}\n")
    files = with_k3s.files()
    said = with_k3s("create", "kubernetes", "--lab", "net101/firewalls")
    assert said.code == 2
    assert "has 'kubernetes:' already" in said.err
    assert with_k3s.files() == files


@pytest.mark.parametrize(
    "arguments",
    [("debian", "--nodes", "2"), ("debian", "--with", "debian"), ("kubernetes", "--name", "x"), ("kubernetes", "--vm")],
)
def test_options_of_the_other_kind_are_refused(with_k3s, arguments):
    files = with_k3s.files()
    assert with_k3s("create", *arguments).code == 2
    assert with_k3s.files() == files


@pytest.mark.parametrize(("option", "value"), [("--with", "nothing"), ("--memory", "much")])
def test_a_cluster_with_an_unknown_type_or_size_changes_nothing(with_k3s, option, value):
    files = with_k3s.files()
    said = with_k3s("create", "kubernetes", option, value)
    assert (said.code, value in said.err) == (2, True)
    assert with_k3s.files() == files


def test_a_virtual_machine_is_asked_for_by_an_option(university):
    assert university("create", "debian", "--vm", "--disk", "8GiB").code == 69
    spec = yaml.safe_load(university.files()["labs/scratch/machines.lab.yaml"])
    assert spec["machines"]["debian"]["kind"] == "vm"
