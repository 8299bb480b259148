"""Two editions of a lab's definitions, compared in words."""

from datetime import date

import pytest

from generator.catalogue.load import load_catalogue
from generator.generate import generate, read_edition, read_seat_book, render
from generator.spec.sources import MappingSources
from practicum.stages.differences import Definition, differences, ranges, read_definition

LAB = "net101/firewalls"
TEXT = "version: 1\ntitle: T\nstudents: {students}\nmachines:\n  web:\n    type: {type}\n{more}"
FILES = {
    "labs/net101/a.txt": b"a\n",
    "labs/net101/a.j2": b"{{ student.id }}\n",
    "labs/net101/x.sh": b"#!/bin/sh\n",
    "labs/net101/roster.csv": b"login,name,email,group\nann,,,\nbob,,,\n",
    "labs/net101/fewer.csv": b"login,name,email,group\nann,,,\n",
    "labs/net101/k8s/app.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {ports: [{port: 80}]}\n",
    "labs/net101/k8s/kustomization.yaml": b"resources: [app.yaml]\n",
}
CATALOGUE = load_catalogue()


def definition(more="", students="2", kind="webserver", files=(), on_main=None):
    """Return a definition; with what main has generated before, ids are those of its book."""
    spec = TEXT.format(students=students, type=kind, more=more).encode()
    content = {**(on_main or {}), **FILES, **dict(files), f"labs/{LAB}.lab.yaml": spec}
    sources = MappingSources(content)
    edition = read_edition(sources, CATALOGUE, [LAB], date(2026, 9, 1))
    assert [problem for problem in edition.diagnostics if problem.severity == "error"] == []
    changed = {path: data for path, data in generate(edition).items() if data is not None}
    tree = render(edition, edition.labs[0], "dev")
    book = read_seat_book(MappingSources({**content, **changed}), LAB)
    return read_definition(tree, book), {path: data for path, data in changed.items() if path.endswith("seats.yaml")}


def told(before, after):
    """Return the sentences from one edition to the other, each given as the arguments of `definition`."""
    old, books = definition(**before)
    new, _ = definition(**after, on_main=books)
    return [f"{one.who}: {one.told(lambda name: f'<{name}>')}" for one in differences(old, new)]


ALL, LATER = "your copy, s001–s002", "your copy; the class with its next checkpoint"
UNUSED = "is not used any more; its files are not deleted"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("    packages: [curl]\n", f"{LATER}: package <curl> on <web> is new"),
        ("    files: [{from: a.txt, to: /srv/a}]\n", f"{LATER}: file </srv/a> on <web> is new"),
        ("    files: [{from: a.j2, to: /srv/a}]\n", f"{ALL}: file </srv/a> on <web> is new"),
        ("    run: [x.sh]\n", f"{LATER}: script <labs/net101/x.sh> on <web> is new"),
        ("    setup: [x.sh]\n", f"{ALL}: setup script <labs/net101/x.sh> on <web> is new"),
        ("    cpu: 3\n", f"{ALL}: machine <web> gets 3 cores instead of 1"),
        ("    memory: 2GiB\n", f"{ALL}: machine <web> gets 2GiB of memory instead of 512MiB"),
        ("    kind: vm\n    disk: 9GiB\n", f"{ALL}: machine <web> is of another type or kind, and is made anew"),
        (
            "  db: {type: debian, cpu: 1, memory: 1GiB}\n",
            f"{ALL}: machine <db> is new: 1 core, 1GiB of memory, 5GiB of disk",
        ),
        ("network: {internet: full}\n", "s001–s002: what may be reached on the internet changes"),
        ("networks: {lan: {}, dmz: {}}\n", f"{ALL}: the networks between machines change"),
        ("volumes: {work: {size: 2GiB, mount: /work}}\n", f"{ALL}: volume <work> of 2GiB at </work> is new"),
        ("schedule: {due: 2026-12-01T23:59:00+01:00}\n", f"{ALL}: the due time is now <2026-12-01T23:59:00+01:00>"),
        ("update: rebuild\n", "s001–s002: what a delivery replaces changes: update is rebuild"),
        ("checks:\n- {name: p, http: {machine: web, port: 80}}\n", f"{ALL}: check <p> is new"),
        ("kubernetes: {cluster: lab, base: k8s/}\n", f"{ALL}: the Kubernetes part changes"),
    ],
)
def test_what_is_new(more, words):
    assert words in told({}, {"more": more})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("    packages: [curl]\n", f"{LATER}: package <curl> on <web> is gone; what it did stays"),
        ("  db: {type: debian}\n", f"{ALL}: machine <db> is removed"),
        (
            "volumes: {work: {size: 2GiB, mount: /w}}\n",
            f"{ALL}: volume <work> is not used any more; its files are not deleted",
        ),
        ("schedule: {due: 2026-12-01T23:59:00+01:00}\n", f"{ALL}: there is no due time any more"),
        ("checks:\n- {name: p, http: {machine: web, port: 80}}\n", f"{ALL}: check <p> is gone"),
    ],
)
def test_what_is_gone(more, words):
    assert words in told({"more": more}, {})


def test_a_volume_that_grows_keeps_its_files():
    old, new = ({"more": f"volumes: {{work: {{size: {size}GiB, mount: /w}}}}\n"} for size in (1, 2))
    assert told(old, new) == [f"{ALL}: volume <work> has 2GiB at </w>; its files stay"]


def test_a_file_with_other_content_changes():
    more = {"more": "    files: [{from: a.txt, to: /srv/a}]\n"}
    assert told(more, {**more, "files": {"labs/net101/a.txt": b"b\n"}.items()}) == [
        f"{LATER}: file </srv/a> on <web> changes"
    ]


def test_students_who_come_and_go():
    assert told({}, {"students": "4"}) == ["s003–s004: 2 new students"]
    gone = told({"students": "roster.csv"}, {"students": "fewer.csv"})
    assert gone == ["s002: 1 student on no list any more: stopped, kept for thirty days, then archived"]


def test_another_type_is_told():
    assert f"{ALL}: machine <web> is of another type or kind, and is made anew" in told({}, {"kind": "debian"})


def test_a_difference_without_words_of_its_own_is_never_called_none():
    old, _ = definition()
    new = Definition({**old.shared, "keep": {"web": ["/x"]}}, old.professor, old.student, "", old.students)
    assert [one.told() for one in differences(old, new)] == ["details of the definitions that nobody notices"]


def test_the_same_is_no_difference():
    assert told({}, {}) == []


@pytest.mark.parametrize(
    ("seats", "words"),
    [
        ([], ""),
        (["s001"], "s001"),
        (["s010", "s002", "s001", "s003"], "s001–s003, s010"),
        (["s999", "s1000"], "s999–s1000"),
    ],
)
def test_ranges(seats, words):
    assert ranges(seats) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("", "{count: 3}", ["the lab's cluster is new: 3 nodes with 2 cores, 2GiB of memory, 10GiB of disk"]),
        ("{count: 3}", "{count: 1}", ["the lab's cluster is 1 node with 2 cores, 2GiB of memory, 10GiB of disk"]),
        (
            "{count: 2}",
            "{count: 2, cpu: 4}",
            ["the lab's cluster is 2 nodes with 4 cores, 2GiB of memory, 10GiB of disk"],
        ),
        ("{count: 2}", "{count: 2}", []),
        ("{count: 2}", "", ["the lab has no cluster of its own any more"]),
    ],
)
def test_nodes_of_the_labs_own_cluster_are_told_and_are_no_machine_of_a_copy(before, after, words):
    def more(nodes):
        return f"kubernetes: {{cluster: lab, nodes: {nodes}}}\n" if nodes else ""

    found = told({"more": more(before)}, {"more": more(after)})
    assert [text.removeprefix(f"{ALL}: ") for text in found if "cluster" in text or "node" in text] == words
