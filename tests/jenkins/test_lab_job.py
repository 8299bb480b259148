"""The job of one lab: its stages, and how it ends when something goes wrong."""

import itertools

import pytest

from practicum.stages.pipeline import STAGES

LAB = "net101/firewalls"
DEV = f"practicumLab(environment: 'dev', lab: '{LAB}')"
DUE = [{"lab": LAB, "environment": "dev", "why": "never finished", "commit": "c0ffee", "error": None}]


@pytest.fixture
def site(site):
    """A lab that is due in dev and prod, and whose stages all pass."""
    listed = [{"name": one.name, "environment": one.environment, "probes": one.probes} for one in STAGES]
    site.answer("--json pipeline --stages", listed)
    site.answer("--json pipeline --due", DUE)
    site.answer(f"pipeline {LAB} --stage")
    site.answer(f"status {LAB}", "all seats run")
    return site


def of(environment):
    return [one.name for one in STAGES if one.environment == environment]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_stages_are_those_of_the_command_line_in_its_order(site, environment):
    end = site.run(f"practicumLab(environment: '{environment}')", params={"LAB": LAB})
    assert (end.result, end.failure) == ("SUCCESS", None)
    assert end.stages == of(environment)
    assert end.description == f"{LAB} in {environment}: done"
    assert end.name == f"#7 {LAB}"
    assert {one["options"]["label"] for one in end.steps("node")} == {f"practicum-{environment}"}
    ran = [words[3] for words in site.calls if words[:1] == ["pipeline"]]
    assert ran == of(environment)


def test_stages_that_probe_publish_their_report_and_only_promote_proposes(site):
    end = site.run(DEV)
    reports = [one["options"]["testResults"] for one in end.steps("junit")]
    assert reports == ["practicum-reports/smoke-dev.xml", "practicum-reports/checkpoint-and-pilot.xml"]
    assert ["--propose" in words for words in site.calls if words[:1] == ["pipeline"]] == [False, False, False, True]
    assert (site.folder / "practicum-dev/practicum-reports/status.txt").read_text() == "all seats run\n"
    assert [one["options"]["artifacts"] for one in end.steps("archiveArtifacts")] == ["practicum-reports/**"]


@pytest.mark.parametrize(
    ("typed", "added"),
    [
        ({}, []),
        ({"WHEN": "", "BY": ""}, []),
        ({"WHEN": "22:30", "BY": ""}, ["--when", "22:30"]),
        ({"WHEN": "idle", "BY": "04:00"}, ["--when", "idle", "--by", "04:00"]),
    ],
)
def test_only_the_delivery_is_told_when_systems_are_replaced(site, typed, added):
    end = site.run("practicumLab(environment: 'prod')", params={"LAB": LAB, **typed})
    assert end.result == "SUCCESS"
    ran = {words[3]: words[6:] for words in site.calls if words[:1] == ["pipeline"]}
    assert ran == {name: added if name == "deliver" else [] for name in of("prod")}


def test_nothing_is_held_while_something_is_waited_for(site):
    outline = site.run(DEV).outline
    assert outline[:3] == ["timeout", "lock", "node"]


def test_a_lab_that_is_not_due_any_more_has_nothing_to_do(site):
    site.answer("--json pipeline --due", [])
    end = site.run(DEV)
    assert (end.result, end.stages, end.description) == ("SUCCESS", [], f"{LAB} in dev: nothing was due")
    assert site.calls == [["--json", "pipeline", "--due", "--env", "dev", LAB]]


def test_a_lab_of_which_nobody_knows_whether_it_is_due_fails(site):
    site.answer("--json pipeline --due", [{**DUE[0], "why": "unknown"}], code=69)
    end = site.run(DEV)
    assert (end.result, end.stages) == ("FAILURE", [])
    assert "practicum ended with 69" in end.failure


def test_a_failing_smoke_test_ends_the_way_and_still_tells_all_of_it(site):
    site.answer(f"pipeline {LAB} --stage smoke dev", code=1)
    end = site.run(DEV)
    assert (end.result, "exit code 1" in end.failure) == ("FAILURE", True)
    assert end.stages == ["provision dev", "smoke dev"]
    assert end.description == f"{LAB} in dev: smoke dev"
    assert [one["options"]["testResults"] for one in end.steps("junit")] == ["practicum-reports/smoke-dev.xml"]
    assert end.outline.count("archiveArtifacts") == 1


def test_a_status_that_fails_hides_nothing(site):
    site.answer(f"status {LAB}", code=69)
    assert site.run(DEV).result == "SUCCESS"


@pytest.mark.parametrize("number", range(1, 8))
def test_a_lost_agent_is_taken_once_more_and_the_stages_begin_anew(site, number):
    end = site.run(DEV, faults={number: "lost"})
    assert (end.result, end.description) == ("SUCCESS", f"{LAB} in dev: done")
    assert end.outline.count("node") == 2
    assert end.stages[-4:] == of("dev")


def test_an_agent_that_is_lost_again_fails_the_build(site):
    end = site.run(DEV, faults={3: "lost", 5: "lost", 6: "lost", 7: "lost"})
    assert (end.result, "went away" in end.failure) == ("FAILURE", True)
    assert end.outline.count("node") == 2


def test_an_abort_ends_the_command_and_nothing_follows(site):
    started = site.folder / "started"
    site.answer(f"pipeline {LAB} --stage provision dev", started=str(started))
    end = site.run(DEV, faults={3: "abort"}, started=str(started))
    assert (end.result, end.stages) == ("ABORTED", ["provision dev"])
    assert end.description == f"{LAB} in dev: provision dev"
    assert "smoke dev" not in [word for words in site.calls for word in words]


def test_two_builds_of_one_lab_run_one_after_the_other_and_the_second_has_nothing_to_do(site):
    site.answer("--json pipeline --due", DUE, after=["finished", "[]"])
    site.answer(f"pipeline {LAB} --stage promote", marks="finished")
    ends = sorted(site.run_together(site.task(DEV), site.task(DEV)), key=lambda end: len(end.stages))
    assert [end.description for end in ends] == [f"{LAB} in dev: nothing was due", f"{LAB} in dev: done"]
    assert [words[3] for words in site.calls if words[0] == "pipeline"] == of("dev")


def test_builds_of_different_labs_run_side_by_side(site):
    other = "net101/routing"
    site.answer("--json pipeline --due --env dev net101/routing", [{**DUE[0], "lab": other}])
    site.answer(f"pipeline {other} --stage")
    site.answer(f"status {other}")
    ends = site.run_together(site.task(DEV), site.task(DEV.replace(LAB, other)))
    assert [(end.failure, end.stages) for end in ends] == [(None, of("dev"))] * 2
    locks = {one["options"]["resource"] for end in ends for one in end.steps("lock")}
    assert locks == {f"practicum-dev-{LAB}", f"practicum-dev-{other}"}


def test_every_stage_has_a_commit_status_where_gitlab_is_connected(site):
    end = site.run(f"practicumLab(environment: 'dev', lab: '{LAB}', gitlab: 'labs')")
    statuses = end.steps("gitlabCommitStatus")
    assert [one["options"]["name"] for one in statuses] == of("dev")
    assert {one["options"]["connection"]["name"] for one in statuses} == {"labs"}


HOSTILE = [
    "net101/x; touch owned",
    "net101/$(touch owned)",
    "net101/`touch owned`",
    "net101/x\ntouch owned",
    "net101/x' || touch owned '",
    "../../etc",
    "-net101/x",
    "net101/${currentBuild}",
    "net101/x/y",
    "",
    "n" * 80 + "/x",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_none_is_refused_before_anything_and_not_repeated(site, name):
    end = site.run("practicumLab(environment: 'dev')", params={"LAB": name})
    assert (end.result, site.calls, end.outline) == ("FAILURE", [], ["error"])
    assert "owned" not in end.failure


@pytest.mark.parametrize("name", HOSTILE[:4])
def test_a_name_from_a_changed_command_line_starts_nothing_either(site, name):
    site.answer("--json pipeline --due", [{**DUE[0], "lab": name}])
    end = site.run("practicumMain(generate: false)")
    assert (end.result, end.builds) == ("FAILURE", [])


def test_what_is_misspelt_is_refused_by_name(site):
    end = site.run("practicumLab(enviroment: 'dev')")
    assert "practicumLab knows no 'enviroment'; it takes environment, lab, git, gitlab, minutes" in end.failure
    assert "practicumLab needs 'environment'" in site.run("practicumLab(lab: 'net101/x')").failure
    assert "must be one of dev, prod" in site.run("practicumLab(environment: 'test', lab: 'net101/x')").failure


def test_credentials_are_there_for_git_and_for_nothing_else(site):
    site.run(DEV)
    without = [words for words in site.calls if words not in site.calls_with_credentials]
    assert sorted(words[0] for words in without) == ["--json", "status"]
    assert "--stages" in next(itertools.chain(without))
