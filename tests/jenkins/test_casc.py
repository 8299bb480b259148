"""Jenkins as code: every variable is looked at, secrets stay in their folders, and every job that it makes runs."""

import json
import re
import subprocess

import pytest
import yaml
from job_runs import HARNESS, JARS, LIBRARY, ROOT, need_parts

from practicum.jenkins.expected import AGENTS, BRANCH_JOBS, CREDENTIALS, JOBS

CASC = LIBRARY / "casc"
NAMES = sorted(
    {
        name
        for path in ("jenkins.yaml", "jobs.groovy")
        for name in re.findall(r"PRACTICUM_[A-Z_]+", (CASC / path).read_text())
    }
)
VALUES = dict.fromkeys(NAMES, "x") | {
    "PRACTICUM_PROJECT": "teaching/courses/labs",
    "PRACTICUM_READ_TOKEN": "glpat-read",
    "PRACTICUM_COMMENT_TOKEN": "glpat-comment",
    **{f"PRACTICUM_{name}_TOKEN": f"glpat-{name.lower()}" for name in ("MAIN", "DEV", "PROD")},
}
CONFIGURATION = yaml.safe_load((CASC / "jenkins.yaml").read_text())
EMPTY = ("NAME", "CPU", "MEMORY", "DISK", "WHEN", "BY")
TYPED = {"LAB": "net101/x", "MESSAGE": "m", "TYPE": "webserver", **dict.fromkeys(EMPTY, "")}


def check(**environment):
    done = subprocess.run(
        [CASC / "check-environment.sh"], env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True
    )
    return done.returncode, done.stderr.splitlines()


def test_a_whole_environment_passes():
    assert len(NAMES) > 8
    assert check(**VALUES) == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_is_named_before_jenkins_starts(name):
    assert check(**{**VALUES, name: ""}) == (78, [f"{name} is not set"])


@pytest.mark.parametrize("value", ["a'b", 'a"b', "a${b}", "a b", "a\nb", "a\\b"])
def test_a_value_that_could_end_its_text_is_refused(value):
    code, said = check(**{**VALUES, "PRACTICUM_PROD_TOKEN": value})
    assert (code, said) == (78, ["PRACTICUM_PROD_TOKEN has characters that a configuration must not be made of"])


def test_the_library_is_pinned_and_runs_in_the_sandbox():
    unclassified = CONFIGURATION["unclassified"]
    assert "globalLibraries" not in unclassified
    (library,) = unclassified["globalUntrustedLibraries"]["libraries"]
    assert (library["name"], library["allowVersionOverride"], library["implicit"]) == ("practicum", False, False)
    assert library["retriever"]["modernSCM"]["libraryPath"] == "jenkins/"


def test_people_start_and_read_and_do_not_configure():
    entries = CONFIGURATION["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    (group,) = (one["group"] for one in entries if "group" in one)
    assert group["name"] == "authenticated"
    assert [
        one for one in group["permissions"] if re.search("Configure|Admin|Replay|Credentials|Create|Delete", one)
    ] == []


def test_agents_with_lxd_take_no_job_of_a_merge_request():
    nodes = {one["permanent"]["name"]: one["permanent"] for one in CONFIGURATION["jenkins"]["nodes"]}
    for name in ("practicum-dev", "practicum-prod"):
        (wall,) = nodes[name]["nodeProperties"]
        pattern = wall["jobRestrictionProperty"]["jobRestriction"]["regexNameRestriction"]["regexExpression"]
        assert re.fullmatch(pattern, "practicum/main/labs/main")
        assert re.fullmatch(pattern, "practicum/dev/lab")
        assert not re.fullmatch(pattern, "practicum/verify/labs/MR-1")
    assert CONFIGURATION["jenkins"]["numExecutors"] == 0


def test_no_secret_stands_in_a_file():
    text = (CASC / "jenkins.yaml").read_text()
    secrets = re.findall(r"^\s*(?:password|token|secretToken): (.*)$", text, re.MULTILINE)
    assert len(secrets) == 3
    assert [one for one in secrets if not re.fullmatch(r'"\$\{\w+\}"', one)] == []


@pytest.fixture(scope="module")
def jobs():
    """What jobs.groovy asks job-dsl for, by name."""
    need_parts()
    groovy = next((JARS / "cps").glob("groovy-all-*.jar"))
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{groovy}:{HARNESS}", "groovy.ui.GroovyMain"]
    arguments = [HARNESS / "Jobs.groovy", CASC / "jobs.groovy"]
    environment = {"PATH": "/usr/bin:/bin", **VALUES}
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {one["given"][0]: one for one in json.loads(done.stdout)}


def within(call, *names):
    """Return the calls of a name inside of a call, at any depth."""
    found = [one for one in call["inside"] if one["name"] in names]
    return found + [deeper for one in call["inside"] for deeper in within(one, *names)]


def given(call, name):
    return [value for one in within(call, name) for value in one["given"]]


def test_only_the_folder_of_merge_requests_has_no_token_that_pushes(jobs):
    folders = {name: one for name, one in jobs.items() if one["name"] == "folder"}
    assert {name: given(one, "password") + given(one, "secret") for name, one in folders.items()} == {
        "practicum": [],
        "practicum/verify": ["glpat-read", "glpat-comment"],
        "practicum/main": ["glpat-main"],
        "practicum/dev": ["glpat-dev"],
        "practicum/prod": ["glpat-prod"],
    }


def test_merge_requests_and_main_are_jobs_of_their_own(jobs):
    verify, main = jobs["practicum/verify/labs"], jobs["practicum/main/labs"]
    assert [one["name"] for one in within(verify, "traits")[0]["inside"]] == ["originMergeRequestDiscoveryTrait"]
    assert [one["name"] for one in within(main, "traits")[0]["inside"]] == [
        "gitLabBranchDiscovery",
        "headWildcardFilter",
    ]
    assert given(main, "includes") == ["main"]
    assert (given(main, "projectOwner"), given(main, "projectPath")) == (
        ["teaching/courses"],
        ["teaching/courses/labs"],
    )


def test_every_job_calls_the_library_with_parameters_that_it_has(jobs, site):
    pipelines = {name: one for name, one in jobs.items() if one["name"] == "pipelineJob"}
    assert len(pipelines) == 11
    site.answer("", "[]")
    for path, job in pipelines.items():
        (script,) = given(job, "script")
        names = [*given(job, "name"), *(one["given"][0] for one in within(job, "booleanParam"))]
        typed = {name: TYPED.get(name, "net101/x" if name == "CONFIRM" else False) for name in names}
        assert given(job, "sandbox") == ["true"]
        assert script.startswith("@Library('practicum') _\n")
        # The stand-in knows no @Library; what is behind it is what the job runs.
        end = site.run(script.split("\n", 1)[1], params=typed)
        assert end.result == "SUCCESS", (path, end.failure)


def test_the_jobs_are_those_that_drift_and_diagnose_know(jobs):
    made = {name: one for name, one in jobs.items() if one["name"] == "pipelineJob"}
    scripts = {name: given(one, "script") for name, one in made.items()}
    assert scripts == {name: [job.script] for name, job in JOBS.items()}
    named = {
        name: given(one, "name") + [box["given"][0] for box in within(one, "booleanParam")]
        for name, one in made.items()
    }
    assert named == {name: list(job.parameters) for name, job in JOBS.items()}
    assert {name for name, one in jobs.items() if one["name"] == "multibranchPipelineJob"} == set(BRANCH_JOBS)
    folders = {name: given(one, "id") for name, one in jobs.items() if one["name"] == "folder" and "/" in name}
    assert folders == {name: list(identities) for name, identities in CREDENTIALS.items()}
    assert {one["permanent"]["name"] for one in CONFIGURATION["jenkins"]["nodes"]} == set(AGENTS)


def test_what_main_starts_is_there(jobs):
    started = re.findall(r'build\(job: "(.*?)"', (LIBRARY / "vars/practicumMain.groovy").read_text())
    assert started == ["${options.folder}/${environment}/lab"]
    assert {"practicum/dev/lab", "practicum/prod/lab"} <= set(jobs)


def test_plugins_are_named_once_and_without_versions():
    lines = [line for line in (ROOT / "jenkins/plugins.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(set(lines))
    assert [line for line in lines if not re.fullmatch("[a-z-]+", line)] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--lxd"], 2),
        (["/nonexistent/practicum-0.1.0-py3-none-any.whl"], 2),
        (["./evil.whl"], 2),
        (["a", "b"], 2),
    ],
)
def test_the_agent_script_does_nothing_without_a_wheel(arguments, code):
    done = subprocess.run([LIBRARY / "agent/install-agent.sh", *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr.startswith("install-agent.sh: ")) == (code, True)


def test_the_page_names_every_variable_and_every_job(jobs):
    page = (ROOT / "docs/how-to/run-in-jenkins.md").read_text()
    assert [name for name in NAMES if f"{name}=" not in page] == []
    wanted = [name for name, one in jobs.items() if one["name"] != "folder"]
    assert [name for name in wanted if name not in page and f"`{name.rsplit('/', 1)[1]}`" not in page] == []
