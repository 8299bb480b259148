"""The jobs of main, of merge requests, of people and of the timer."""

import pytest

LAB = "net101/firewalls"
MAIN = {"BRANCH_NAME": "main"}
PAGE = "https://jenkins.example.org/job/practicum/job/verify/job/labs/job/MR-12/7/"
HOSTILE_BRANCH = "x'; touch owned; $(touch owned) `touch owned` ${env} \\u0022"
DUE_IN_DEV = "--json pipeline --due --env dev"
DUE_IN_PROD = "--json pipeline --due --env prod"


def due(*labs):
    return [{"lab": lab, "why": "the definitions changed"} for lab in labs]


@pytest.fixture
def main(site):
    site.answer("pipeline --stage generate")
    site.answer(DUE_IN_DEV, due(LAB, "net101/routing"))
    site.answer(DUE_IN_PROD, due(LAB))
    return site


def test_main_generates_once_and_starts_what_is_due_on_the_agents_that_can_tell(main):
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.result, end.description) == ("SUCCESS", "3 labs started")
    assert [(one["job"], one["parameters"]) for one in end.builds] == [
        ("/practicum/dev/lab", {"LAB": LAB}),
        ("/practicum/dev/lab", {"LAB": "net101/routing"}),
        ("/practicum/prod/lab", {"LAB": LAB}),
    ]
    assert {one["options"]["wait"] for one in end.steps("build")} == {False}
    asked = [one["agent"] for one in end.steps("sh")]
    assert asked == ["practicum-dev", "practicum-dev", "practicum-prod"]
    assert main.calls_with_credentials == main.calls


def test_main_with_nothing_due_starts_nothing(main):
    main.answer("--json pipeline --due", [])
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.description, end.builds) == ("nothing was due", [])


def test_a_broken_spec_on_main_is_told_and_keeps_no_other_lab_back(main):
    main.answer("pipeline --stage generate", code=65)
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.result, len(end.builds)) == ("UNSTABLE", 3)


def test_nothing_is_started_when_nothing_could_be_generated(main):
    main.answer("pipeline --stage generate", code=75)
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.result, end.stages, end.builds) == ("FAILURE", ["generate"], [])


def test_a_lab_of_which_nobody_knows_keeps_no_other_back(main):
    main.answer(DUE_IN_PROD, [*due(LAB), {"lab": "net101/torn", "why": "unknown"}], code=1)
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.result, len(end.builds)) == ("UNSTABLE", 3)
    assert "net101/torn" in end.steps("unstable")[0]["options"]["message"]


def test_a_question_that_failed_is_no_answer(main):
    main.answer(DUE_IN_PROD, [], code=75)
    end = main.run("practicumPipeline()", env=MAIN)
    assert (end.result, len(end.builds)) == ("FAILURE", 2)


def test_an_agent_of_prod_that_is_lost_is_asked_again_and_dev_is_started_once(main):
    end = main.run("practicumPipeline()", env=MAIN, faults={3: "lost"})
    assert (end.result, len(end.builds)) == ("SUCCESS", 3)


def test_only_the_verification_of_merge_requests_aborts_what_runs(main, site):
    site.answer("")
    of_main = main.run("practicumPipeline()", env=MAIN).steps("properties")
    of_request = site.run("practicumPipeline()", env={"CHANGE_ID": "12"}).steps("properties")
    aborts = [one["options"]["properties"][0].get("abortPrevious", False) for one in (*of_main, *of_request)]
    assert aborts == [False, True]


def test_a_branch_that_is_neither_has_nothing_to_run(site):
    end = site.run("practicumPipeline()", env={"BRANCH_NAME": HOSTILE_BRANCH})
    assert (end.result, end.outline, "owned" in end.failure) == ("FAILURE", ["error"], False)


@pytest.fixture
def request_of(site):
    """A merge request on which the command line finds nothing wrong."""
    site.answer("validate")
    site.answer("validate --format junit", "<testsuites/>")
    site.answer("generate --preview")
    site.answer("review")
    return site


def test_a_merge_request_is_answered_validated_and_previewed_with_a_token_that_comments_only(request_of, site):
    hostile = {"CHANGE_ID": "12", "CHANGE_BRANCH": HOSTILE_BRANCH, "CHANGE_TITLE": HOSTILE_BRANCH, "BUILD_URL": PAGE}
    end = site.run("practicumPipeline()", env=hostile, credentials=("practicum-comment",))
    assert (end.result, end.stages) == ("SUCCESS", ["review", "validate", "preview"])
    assert {one["options"]["label"] for one in end.steps("node")} == {"practicum-verify"}
    review = ["review", "--output", "practicum-reports/review.md", "--link", f"Pipeline={PAGE}", "--comment"]
    assert site.calls == [
        review,
        ["validate", "--format", "junit"],
        ["validate"],
        ["generate", "--preview", "practicum-reports/preview"],
    ]
    assert site.calls_with_credentials == [review]
    archived = [one["options"]["artifacts"] for one in end.steps("archiveArtifacts")]
    assert archived == ["practicum-reports/review.md", "practicum-reports/preview/**"]
    assert (site.folder / "practicum-verify/practicum-reports/validate.xml").read_text() == "<testsuites/>\n"
    assert "owned" not in str(end.record)
    assert list(site.folder.rglob("owned")) == []


def test_problems_of_a_merge_request_are_answered_and_published_before_it_fails(site):
    site.answer("validate", code=65)
    site.answer("review", code=65)
    end = site.run("practicumVerify()")
    assert (end.result, end.stages, end.outline.count("junit")) == ("FAILURE", ["review", "validate"], 1)


@pytest.mark.parametrize(
    ("code", "result", "stages"),
    [
        (2, "UNSTABLE", ["review", "validate", "preview"]),
        (1, "FAILURE", ["review"]),
        (69, "UNSTABLE", ["review", "validate", "preview"]),
        (75, "UNSTABLE", ["review", "validate", "preview"]),
        (77, "UNSTABLE", ["review", "validate", "preview"]),
    ],
)
def test_an_answer_that_gitlab_does_not_take_is_told_and_one_that_says_no_fails(request_of, site, code, result, stages):
    site.answer("review", code=code)
    end = site.run("practicumVerify()")
    assert (end.result, end.stages, f"ended with {code}" in f"{end.record} {end.failure}") == (result, stages, True)
    assert "practicum-reports/review.md" in [one["options"]["artifacts"] for one in end.steps("archiveArtifacts")]


def test_without_a_token_the_answer_is_in_the_log(request_of, site):
    end = site.run("practicumPipeline(comment: '')", env={"CHANGE_ID": "12"}, credentials=())
    assert (end.result, site.calls[0]) == ("SUCCESS", ["review", "--output", "practicum-reports/review.md"])


def test_the_token_for_comments_is_no_business_of_main(main):
    end = main.run("practicumPipeline(comment: 'other')", env=MAIN)
    assert (end.result, len(end.builds)) == ("SUCCESS", 3)


WORDS = {
    "checkpoint": ["checkpoint", LAB, "-m", 'it\'s "ready"; $(reboot)'],
    "create": ["create", "webserver", "--lab", LAB, "--cpu", "2"],
    "deploy": ["promote", LAB],
    "destroy": ["--yes", "destroy", LAB, "--env", "prod", "--keep-volumes"],
    "rollback": ["promote", LAB, "--rollback"],
    "undo": ["--yes", "undo", LAB],
}
TYPED = {
    "LAB": LAB,
    "MESSAGE": 'it\'s "ready"; $(reboot)',
    "CONFIRM": LAB,
    "KEEP_VOLUMES": True,
    "TYPE": "webserver",
    "CPU": "2",
}


@pytest.mark.parametrize("verb", WORDS)
def test_what_people_start_is_one_command_line_with_what_they_typed(site, verb):
    site.answer("")
    end = site.run(f"practicumCommand(verb: '{verb}', environment: 'prod')", params=TYPED)
    assert (end.result, end.description) == ("SUCCESS", f"{verb} {LAB}: done")
    assert site.calls == [WORDS[verb]]
    assert [one["options"]["resource"] for one in end.steps("lock")] == [f"practicum-prod-{LAB}"]


def test_nothing_is_destroyed_that_was_not_named_twice(site):
    destroy = "practicumCommand(verb: 'destroy', environment: 'dev')"
    end = site.run(destroy, params={**TYPED, "CONFIRM": "net101/firewall"})
    assert (end.result, "must repeat" in end.failure, site.calls) == ("FAILURE", True, [])


@pytest.mark.parametrize("message", ["/etc/host*", "[a-z]*", "  two  spaces ", "-n", "$HOME", "~", "\\t", "ü\u200b✓"])
def test_what_people_type_arrives_as_it_is(site, message):
    site.answer("checkpoint")
    end = site.run("practicumCommand(verb: 'checkpoint', environment: 'dev')", params={**TYPED, "MESSAGE": message})
    assert (end.result, site.calls) == ("SUCCESS", [["checkpoint", LAB, "-m", message]])
    assert site.left_in_environment == []


def test_an_argument_of_several_lines_is_refused(site):
    end = site.run("practicumCommand(verb: 'checkpoint', environment: 'dev')", params={**TYPED, "MESSAGE": "a\nb"})
    assert (end.result, "more than one line" in end.failure, site.calls) == ("FAILURE", True, [])


def test_the_timer_runs_what_is_due_by_time(site):
    site.answer("schedule")
    end = site.run("practicumSchedule()")
    assert (end.result, end.stages, site.calls) == ("SUCCESS", ["schedule"], [["schedule"]])


def test_a_timer_whose_agent_is_lost_takes_another(site):
    site.answer("schedule")
    end = site.run("practicumSchedule()", faults={1: "lost"})
    assert (end.result, end.outline.count("node")) == ("SUCCESS", 2)


def test_the_night_reports_and_starts_what_was_left(main, site):
    for verb in ("schedule", "status", "orphans", "disk", "backup"):
        site.answer(verb, f"report of {verb}")
    site.answer("orphans", "3 left", code=1)
    end = site.run("practicumSchedule(nightly: true, backup: true)")
    assert (end.result, len(end.builds)) == ("UNSTABLE", 3)
    assert end.stages == ["schedule", "reports", "backup", "due in dev", "due in prod"]
    assert (site.folder / "practicum-prod/practicum-reports/orphans.txt").read_text() == "3 left\n"
