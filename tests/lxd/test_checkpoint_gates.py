"""What stands between the professor's machines and the class: the search for secrets, clean copies, the solution."""

import hashlib
from typing import Any

import pytest
from classroom import FILES, LONE, Classroom
from lxd_fixtures import OpenClassroom

from practicum.lxd.client import Lxd
from practicum.lxd.secret_search import Secret, search
from practicum.stages.checkpoint import Proof, releases
from practicum.stages.checkpoint_view import checkpoints
from practicum.stages.pipeline import commit_lab
from practicum.stages.promote import promote

pytestmark = pytest.mark.lxd

TASK = {"name": "port is shut", "exec": {"machine": "web", "run": "test -e /etc/shut"}, "when": "progress"}
LESSON: dict[str, Any] = {
    **LONE,
    "machines": {"web": {**LONE["machines"]["web"], "files": [{"from": "files/me.txt.j2", "to": "/etc/me.txt"}]}},
    "volumes": {"home": {"size": "32MiB", "mount": "/home/student", "machines": ["web"]}},
    "checks": [{**TASK, "wait": "1s"}],
    "solution": {"web": "files/solve.sh"},
}
SOLUTION = "#!/bin/sh\nid -u > /etc/shut\n"


@pytest.fixture(scope="module")
def lab(open_shared: OpenClassroom) -> Classroom:
    """Return a lab whose professor has a per-student file with a secret."""
    classroom = open_shared(LESSON)
    change(classroom)
    assert classroom.read("dev", "prof-web", "cat /etc/me.txt").startswith("prof ")
    return classroom


@pytest.fixture(scope="module")
def proof(lab: Classroom) -> Proof:
    """Return what the pilot of a first checkpoint, which is promoted, said."""
    said = lab.checkpoint()
    promote(lab.workspace, lab.lab)
    return said


def change(classroom: Classroom, solution: str = SOLUTION, **spec: Any) -> None:
    """Write and provision the lesson with changes."""
    classroom.write_spec({**LESSON, **spec}, {**FILES, "solve.sh": solution})
    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")


def of_checkpoints(classroom: Classroom) -> set[str]:
    """Return the images and volumes of checkpoints, and copies of machines in their project."""
    return {key for key in classroom.documents() if key.startswith("image ") or "-checkpoints-" in key}


def test_a_solution_is_proved_on_the_pilot_and_reaches_nobody(lab: Classroom, proof: Proof) -> None:
    assert proof.release == 1
    assert [(one.name, one.ok) for one in proof.results if one.group == "solution"] == [
        ("port is shut, before the solution", True),
        ("labs/net101/files/solve.sh on web", True),
        ("port is shut, after the solution", True),
    ]
    digest = hashlib.sha256(SOLUTION.encode()).hexdigest()
    assert [path for path in lab.repository.committed(f"environments/dev/{lab.lab}") if path.endswith(digest)]
    for path, data in lab.repository.committed(f"environments/prod/{lab.lab}").items():
        assert digest not in path
        assert b"solve.sh" not in data, path
    assert lab.run("dev", "prof-web", "test -e /etc/shut")[0] == 1
    assert [key for key in lab.documents() if key.startswith("instance ") and "pilot" in key] == []


def test_a_secret_in_the_copy_is_refused_with_machine_and_path_and_never_its_value(lab: Classroom) -> None:
    secret = lab.read("dev", "prof-web", "cut -d' ' -f3 /etc/me.txt")
    key = (lab.repository.root / ".practicum/secret.key").read_text().strip()
    before = of_checkpoints(lab)
    # In a text, behind a zero byte, in a file of an odd name on the volume, and compressed, which is not seen.
    lab.read("dev", "prof-web", f"mkdir /srv/app; echo 'flag={secret}' > /srv/app/config; echo {secret} | gzip > /a.gz")
    lab.read(
        "dev", "prof-web", f"truncate -s 100M /home/student/sparse; printf 'x\\000{key}\\000y' > '/home/student/-a b'"
    )
    try:
        asked = lab.say("checkpoint", lab.lab)
        assert asked.returncode == 1
        assert "web: /srv/app/config holds secret('flag') of your copy" in asked.stderr
        assert "web: /home/student/-a b holds the operator's .practicum/secret.key" in asked.stderr
        assert asked.stderr.count(" holds ") == 2
        assert secret not in asked.stderr + asked.stdout
        assert key not in asked.stderr + asked.stdout
        assert of_checkpoints(lab) == before
    finally:
        lab.read("dev", "prof-web", "rm -r /srv/app /a.gz /home/student/*")


def test_the_search_leaves_no_trace_of_what_it_looks_for(lab: Classroom) -> None:
    project, secret = lab.project("dev"), "0123456789abcdef0123"
    found = search(lab.lxd, project, "prof-web", "web", [Secret("a", secret), Secret("b", "certainly-not-there")])
    assert found == []
    assert lab.read("dev", "prof-web", "ls /dev | grep practicum || true") == ""
    lab.read("dev", "prof-web", f"echo {secret} > /etc/one; ln /etc/one /etc/two")
    found = search(lab.lxd, project, "prof-web", "web", [Secret("b", "certainly-not-there"), Secret("a", secret)])
    assert [(one.machine, one.path, one.secret) for one in found] == [
        ("web", "/etc/one", "a"),
        ("web", "/etc/two", "a"),
    ]
    lab.read("dev", "prof-web", "rm /etc/one /etc/two")


def test_what_is_attached_by_hand_is_told_first_and_left_out(lab: Classroom, proof: Proof, lxd: Lxd) -> None:
    project = lab.project("dev")
    volumes = ("storage-pools", lab.pool, "volumes", "custom")
    lxd.post(*volumes, body={"name": "scratch", "type": "custom", "config": {}}, project=project)
    disk = {"type": "disk", "pool": lab.pool, "source": "scratch", "path": "/mnt/extra"}
    root = {"root": {"type": "disk", "path": "/", "pool": lab.pool}}
    body = {"name": "prof-db", "profiles": [], "devices": root, "source": {"type": "none"}}
    lxd.post("instances", body=body, project=project)
    lxd.patch("instances", "prof-web", body={"devices": {"extra": disk}}, project=project)
    before = of_checkpoints(lab)
    try:
        lab.read("dev", "prof-web", "echo important > /mnt/extra/data")
        asked = lab.say("checkpoint", lab.lab)
        assert asked.returncode == 69
        assert "machine prof-db is in no definition" in asked.stderr
        assert "prof-web: the volume scratch, attached by hand at /mnt/extra: its data" in asked.stderr
        assert of_checkpoints(lab) == before
        agreed = lab.say("checkpoint", lab.lab, "--yes")
        assert agreed.returncode == 0, agreed.stderr
        assert "students do not get it: machine prof-db" in agreed.stderr
        assert lab.read("dev", "prof-web", "cat /mnt/extra/data") == "important"
    finally:
        lxd.delete("instances", "prof-db", project=project)
        lab.provision("dev")
        lxd.delete(*volumes, "scratch", project=project)


def test_a_solution_that_fails_and_a_check_that_holds_without_it_fail_the_pilot(lab: Classroom, proof: Proof) -> None:
    tags = releases(lab.workspace, lab.lab)
    lab.read("dev", "prof-web", "touch /etc/shut")
    change(lab, "#!/bin/sh\necho no >&2\nexit 3\n")
    try:
        asked = lab.say("checkpoint", lab.lab)
    finally:
        lab.read("dev", "prof-web", "rm /etc/shut")
        change(lab)
    assert asked.returncode == 1
    assert "port is shut, before the solution: it holds on a seat that nobody touched" in asked.stderr
    rows = [line.split() for line in asked.stdout.splitlines() if "solve.sh on web" in line]
    assert [row for row in rows if "failed" in row], asked.stdout
    assert "exit code 3" in asked.stderr
    assert releases(lab.workspace, lab.lab) == tags


def test_prune_frees_what_nothing_needs_and_says_what_stays(lab: Classroom, proof: Proof) -> None:
    # The first is the class's; each of the others was the newest once.
    while len(checkpoints(lab.workspace, lab.lab)) < 3:
        lab.read("dev", "prof-web", "date > /etc/number")
        assert lab.checkpoint().release
    known = checkpoints(lab.workspace, lab.lab)
    first, middle, last = map(str, known)
    assert known[int(last)]["size"] > 2**20
    assert lab.say("checkpoint", "prune", lab.lab, "--keep", "2").stderr.endswith("no other checkpoint is on LXD\n")
    said = lab.say("checkpoint", "prune", lab.lab, "--yes")
    assert said.returncode == 0, said.stderr
    assert f"stays: checkpoint {last}: your copy\nstays: checkpoint {first}: the class\n" in said.stderr
    assert said.stdout.splitlines()[1].startswith(f"{middle} ")
    left = {one["properties"].get("practicum.checkpoint") for key, one in lab.documents().items() if "image " in key}
    assert left - {None} == {first, last}
