"""`practicum review` and `plan --offline`: the answer to a change, from git alone."""

import json
import subprocess

import pytest
from university import AREAS, GOOD, PLATFORM

from practicum.git.repository import Repository

LAB = "net101/firewalls"
BOUNDS = "capacity: {cpu: 8, memory: 4GiB, overcommit: 1}\n"


def git(university, *words):
    subprocess.run(["git", "-C", str(university.root), *words], check=True, capture_output=True)


@pytest.fixture
def request_(university):
    """A lab that main has, and a branch for a merge request."""
    university.deployed()
    git(university, "push", "origin", "HEAD:main")
    git(university, "switch", "--quiet", "--create", "change")

    def change(text=GOOD, **files):
        university.lab(text, **files)
        university.commit()
        return university("review")

    return change


def test_what_changes_is_told_for_whom(university, request_):
    text = GOOD.replace("students: 2", "students: 4").replace("{type: webserver}", "{type: webserver, memory: 2GiB}")
    said = request_(text + "checks:\n  - {name: page, http: {machine: web, port: 80}}\n")
    assert said.code == 0
    assert said.out.startswith("<!-- practicum review -->\n\n### Practicum: valid\n\n#### `net101/firewalls`\n")
    assert "| s003–s004 | 2 new students |" in said.out
    assert "| your copy, s001–s004 | machine `web` gets 2GiB of memory instead of 512MiB |" in said.out
    assert "check `page` is new" in said.out
    assert "5 copies × 1 machine = 5 cores, 10.0 GiB of memory" in said.out
    assert "volumes and kept paths stay" in said.out
    assert university("review", "--output", university.root.parent / "review.md").out == said.out
    assert (university.root.parent / "review.md").read_text() == said.out


def test_how_long_a_class_takes_is_told_where_a_pilot_was_measured(university, request_):
    assert "expected" not in request_(GOOD.replace("students: 2", "students: 9")).out
    release = {
        "checkpoint": 1, "spec_commit": university.head, "images": {"web": "0" * 64}, "volumes": {},
        "volume_project": "p", "tree": "sha256:" + "0" * 64,
        "pilot": {"seconds": 26.0, "machines": 1, "at_once": 4},
    }  # fmt: skip
    Repository.open(university.root).tag("release/net101/firewalls/1", json.dumps(release))
    assert "volumes and kept paths stay; expected 1 min 5 s." in university("review").out
    assert "volumes and kept paths stay; expected 1 min 5 s\n" in university("plan", LAB, "--offline").err


def test_errors_stand_with_their_lines_and_links(request_):
    said = request_(GOOD.replace("webserver", "webservr"))
    assert said.code == 65
    assert "### Practicum: not valid, 1 error\n" in said.out
    assert "labs/net101/firewalls.lab.yaml:5:15: PRA012" in said.out
    assert "did you mean 'webserver'?" in said.out
    assert "\n           |" not in said.out.split("```")[2]


def test_links_lead_to_lines_and_to_the_pipeline(university, request_):
    request_(GOOD.replace("webserver", "webservr"))
    said = university(
        "review", "--project", "https://git.example.org/a/b", "--link", "pipeline=https://ci.example.org/7"
    )
    place = f"https://git.example.org/a/b/-/blob/{university.head}/labs/net101/firewalls.lab.yaml#L5"
    assert f"[`labs/net101/firewalls.lab.yaml:5`](<{place}>)" in said.out
    assert "[pipeline](<https://ci.example.org/7>)" in said.out


@pytest.mark.parametrize(
    "link", ["pipeline=javascript:alert(1)", "a](b=https://x.example", "x=https://me:pw@x.example"]
)
def test_a_link_that_is_none_is_refused(university, request_, link):
    assert university("review", "--link", link).code == 2


def test_what_authors_write_stays_text(request_):
    name = "a|b` <img src=x> @all /close ](https://evil.example)"
    said = request_(GOOD + f"checks:\n  - {{name: '{name}', http: {{machine: web, port: 80}}}}\n")
    assert said.code == 0
    assert "check <code>a&#124;b&#96; &#60;img" in said.out
    assert "<img" not in said.out
    assert "@all" not in said.out


def test_a_lab_that_nobody_touched_is_only_counted(university, request_):
    university.lab(name="net101/other")
    university.commit()
    said = university("review")
    assert "#### `net101/other`, a new lab" in said.out
    assert "1 other lab stays as before." in said.out


def test_a_lab_whose_spec_is_gone_is_told(university, request_):
    (university.root / f"labs/{LAB}.lab.yaml").unlink()
    university.commit()
    said = university("review")
    assert "its machines stay" in said.out.lower()
    assert "practicum destroy net101/firewalls --env all" in said.out


def test_without_room_for_all_labs_it_says_so_and_ends_with_1(university, request_):
    university.deployed(name="net101/other")
    university.write("environments/prod/platform.yaml", PLATFORM.format(AREAS["prod"]) + BOUNDS)
    for lab in ("firewalls", "other"):  # as promotion leaves them
        for path, data in list(university.files().items()):
            if path.startswith(f"environments/dev/net101/{lab}/lxd"):
                university.write(path.replace("/dev/", "/prod/"), data)
    university.commit()
    git(university, "push", "origin", "HEAD:main")
    said = request_(GOOD.replace("students: 2", "students: 7"))
    assert said.code == 1
    assert "valid, but there is not enough room" in said.out
    assert "does not fit: cpu: 9 cores promised" in said.out
    offline = university("plan", LAB, "--offline")
    assert offline.code == 69
    assert "prod: cpu: 9 cores promised, 8 cores × 1 allowed" in offline.err


def test_room_is_judged_for_all_labs_of_a_request_together(university, request_):
    university.write("environments/prod/platform.yaml", PLATFORM.format(AREAS["prod"]) + BOUNDS)
    university.lab(GOOD.replace("students: 2", "students: 4"), "net101/other")
    said = request_(GOOD.replace("students: 2", "students: 4"))
    assert said.code == 1
    assert said.out.count("does not fit: cpu: 10 cores promised, 8 cores × 1 allowed") == 2


def test_with_room_the_numbers_are_told(university, request_):
    university.write("environments/prod/platform.yaml", PLATFORM.format(AREAS["prod"]) + BOUNDS)
    said = request_(GOOD.replace("students: 2", "students: 3"))
    assert "fits: 4 of 8 cores promised, 2.0 GiB of 4.0 GiB of memory" in said.out


def test_plan_offline_needs_no_lxd(university, request_):
    university.lab(GOOD.replace("{type: webserver}", "{type: webserver, memory: 2GiB}"))
    said = university("plan", LAB, "--offline")
    assert said.code == 0
    assert "machine web gets 2GiB of memory instead of 512MiB" in said.out
    assert "the class gets it by a checkpoint and a deployment" in said.err
    university.lab(GOOD)
    assert f"nothing changes for {LAB}" in university("plan", LAB, "--offline").err


def test_plan_offline_refuses_what_it_cannot_mean(university, request_):
    assert university("plan", LAB, "--offline", "--seat", "s001").code == 2
    assert university("plan", "net101/nothing", "--offline").code == 2
    assert university("plan", LAB, "--offline", "--against", "nowhere").code == 2
    assert university("plan", LAB, "--offline", "--against", "--all").code == 2
    university.lab(GOOD.replace("webserver", "webservr"))
    assert university("plan", LAB, "--offline").code == 65


def test_it_compares_with_where_the_branch_began(university, request_):
    base = university.head
    git(university, "switch", "--quiet", "main")
    university.deployed(GOOD.replace("students: 2", "students: 9"))
    git(university, "push", "origin", "HEAD:main")
    git(university, "switch", "--quiet", "change")
    assert "no lab changes" in university("review").out
    assert "no lab changes" in university("review", "--against", base).out


def test_a_shallow_clone_is_told_with_the_way_out(university, request_, practicum, tmp_path):
    request_(GOOD.replace("students: 2", "students: 3"))
    git(university, "push", "origin", "change")
    clone = tmp_path / "shallow"
    origin = f"file://{university.root}.git"
    subprocess.run(["git", "clone", "-q", "--depth=1", "--no-single-branch", "-b", "change", origin, clone], check=True)
    said = practicum("-C", clone, "review")
    assert said.code == 2
    assert "GIT_DEPTH: 0" in said.err
