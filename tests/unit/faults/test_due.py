"""What is due comes from what is: nothing is lost by killed, skipped or merged runs, and no decision is undone."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from contextlib import ExitStack

import pytest
import yaml
from laboratory import LAB, open_laboratory

from practicum.stages.pipeline import STAGES

OF_DEV = ["provision dev", "smoke dev", "checkpoint and pilot", "promote"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A laboratory with a clean checkout of a spec that somebody merged, as a pipeline finds it."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("practicum.lxd.endpoints.SOCKETS", ("/nonexistent/lxd.socket",))
        opened = open_laboratory(tmp_path_factory.mktemp("due"), stack)
        merge(opened)
        opened.keep("merged")
        stage(opened, "generate")
        opened.keep("generated")
        for name in OF_DEV:
            stage(opened, name)
        opened.keep("promoted")
        stage(opened, "deliver")
        opened.keep("delivered")
        yield opened


def merge(lab, **changes):
    """Commit a spec as people do: Practicum is not asked."""
    lab.write_spec(**changes)
    git = ["git", "-C", str(lab.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "add", "labs"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Edit the lab"], check=True)
    subprocess.run([*git, "push", "-q", "origin", "main"], check=True)


def stage(lab, name, *options):
    """Run one stage as a job does: `generate` for all labs."""
    place = () if name == "generate" else (LAB,)
    return lab.done("pipeline", *place, "--stage", name, *options)


def due(lab, *options):
    ended = lab.run("--json", "pipeline", "--due", *options)
    assert ended.code == 0, ended.words
    return [(one["environment"], one["why"]) for one in json.loads(ended.words)]


def test_the_stages_are_told_in_the_order_in_which_they_run(lab):
    told = json.loads(lab.done("--json", "pipeline", "--stages").words)
    assert [one["name"] for one in told] == [one.name for one in STAGES]
    assert [one["environment"] for one in told] == ["main", *["dev"] * 4, "prod"]
    assert [one["name"] for one in told if one["probes"]] == ["smoke dev", "checkpoint and pilot", "deliver"]


def test_a_merged_spec_is_due_in_dev_once_it_is_generated(lab):
    lab.back("merged")
    assert due(lab) == []
    stage(lab, "generate")
    assert due(lab) == [("dev", "never finished")]
    before = lab.repository.head()
    stage(lab, "generate")
    assert lab.repository.head() == before


def test_dev_stays_due_until_its_last_stage_ended_well(lab):
    lab.back("generated")
    for name in OF_DEV:
        assert due(lab, "--env", "dev") != []
        stage(lab, name)
    assert due(lab) == [("prod", "never finished")]
    stage(lab, "deliver")
    assert due(lab) == []


def test_a_new_spec_a_new_checkpoint_and_a_new_release_are_due(lab):
    lab.back("delivered")
    lab.done("checkpoint", LAB)
    assert due(lab) == [("dev", "another checkpoint")]
    stage(lab, "promote")
    assert due(lab) == [("prod", "another checkpoint")]
    merge(lab, students=3)
    stage(lab, "generate")
    # Dev has no students; their seats come with the next promotion.
    assert due(lab) == [("prod", "another checkpoint")]
    merge(lab, title="Another title")
    stage(lab, "generate")
    assert due(lab, "--env", "dev") == [("dev", "the definitions changed")]


def test_a_spec_that_was_merged_while_a_build_ran_is_still_due(lab):
    lab.back("generated")
    for name in OF_DEV[:-1]:
        stage(lab, name)
    merge(lab, title="Merged meanwhile")
    stage(lab, "generate")
    stage(lab, "promote")
    assert due(lab, "--env", "dev") == [("dev", "never finished")]


def test_stopped_and_destroyed_labs_are_not_due(lab):
    lab.back("generated")
    lab.done("provision", LAB)
    lab.done("stop", LAB)
    assert due(lab) == []
    lab.done("destroy", LAB, "--env", "dev")
    assert due(lab) == []


def test_a_lab_that_was_started_again_is_due_once_more(lab):
    lab.back("delivered")
    lab.done("stop", LAB, "--env", "prod")
    assert due(lab) == []
    lab.done("start", LAB, "--env", "prod")
    assert due(lab) == [("prod", "never finished")]
    stage(lab, "deliver")
    assert due(lab) == []


def test_a_class_that_waits_for_a_time_is_not_due(lab):
    lab.back("delivered")
    merge(lab, update="keep", machines={"web": {"type": "webserver", "memory": "96MiB", "disk": "256MiB"}})
    for name in ["generate", "provision dev"]:
        stage(lab, name)
    lab.done("checkpoint", LAB)
    stage(lab, "promote")
    assert due(lab) == [("prod", "the definitions changed")]
    lab.done("deliver", LAB, "--when", "2100-01-01T00:00Z")
    assert due(lab) == []


def test_a_proposal_is_a_branch_and_leaves_main_alone(lab):
    lab.back("generated")
    for name in OF_DEV[:-1]:
        stage(lab, name)
    before = lab.repository.head()
    stage(lab, "promote", "--propose")
    assert lab.repository.head() == before
    assert due(lab) == []
    refs = subprocess.run(["git", "-C", lab.root, "ls-remote", "origin"], capture_output=True, text=True, check=True)
    assert f"refs/heads/promote/{LAB}" in refs.stdout
    assert f"merge promote/{LAB} into main" in lab.done("promote", LAB, "--propose").words
    lab.repository.merge(f"promote/{LAB}", "Deploy it")
    assert due(lab) == [("prod", "never finished")]


def test_a_broken_spec_on_main_stops_no_other_lab(lab):
    lab.back("merged")
    other = "labs/net101/other.lab.yaml"
    lab.repository.commit({other: b"version: 1\ntitle: Other\nstudents: 1\nmachines: 7\n"}, "Edit another")
    lab.repository.publish()
    ended = lab.run("pipeline", "--stage", "generate")
    assert (ended.code, other in ended.words) == (65, True)
    assert due(lab) == [("dev", "never finished")]


def test_reports_are_written_before_a_failure_is_told(lab, tmp_path):
    lab.back("generated")
    stage(lab, "provision dev", "--junit", str(tmp_path / "none.xml"))
    assert not (tmp_path / "none.xml").exists()
    merge(lab, checks=[{"name": "never", "tcp": {"machine": "web", "port": 81}, "wait": "0s"}])
    stage(lab, "generate")
    stage(lab, "provision dev")
    ended = lab.run("pipeline", LAB, "--stage", "smoke dev", "--junit", str(tmp_path / "reports" / "smoke.xml"))
    assert (ended.code, "checks failed in dev" in ended.words) == (1, True)
    report = ElementTree.parse(tmp_path / "reports" / "smoke.xml")
    assert [one.get("name") for one in report.iter("testcase") if one.find("failure") is not None] == ["never"]


def test_an_lxd_that_does_not_answer_is_told_for_each_lab_and_once_by_the_exit_code(lab):
    lab.back("delivered")
    gone = yaml.safe_dump({"installation": "faultlab", "lxd": {"socket": "/nonexistent"}, "addresses": "10.64.0.0/13"})
    lab.repository.commit({"environments/dev/platform.yaml": gone.encode()}, "Move dev")
    lab.repository.publish()
    ended = lab.run("pipeline", "--due")
    assert ended.code == 69
    assert f"{LAB} in dev: " in ended.words
    assert "unknown" in ended.words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--due", "--stages"), "exclude each other"),
        ((), "name the lab"),
        ((LAB, "--propose"), "--propose is for"),
        ((LAB, "--stage", "deliver", "--propose"), "--propose is for"),
        ((LAB, "--junit", "x.xml"), "--junit is for"),
        ((LAB, "--env", "dev"), "--env for"),
        (("--stage", "deliver"), "is one of a lab"),
        ((LAB, "--stage", "celebrate"), "stages: generate, provision dev"),
    ],
)
def test_what_cannot_be_meant_is_told(lab, arguments, said):
    ended = lab.run("pipeline", *arguments)
    assert (ended.code, said in ended.words) == (2, True), ended.words


def test_one_lab_of_which_nobody_knows_hides_no_other(lab):
    lab.back("generated")
    torn = f"environments/prod/{LAB}/lxd/shared.yaml"
    lab.repository.commit({torn: b"format: 0\n"}, "Tear a definition")
    lab.repository.publish()
    ended = lab.run("pipeline", "--due")
    assert ended.code == 1
    assert "never finished" in ended.words
    assert f"{LAB} in prod: the definitions were generated by another version" in ended.words
