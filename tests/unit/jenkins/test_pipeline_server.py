"""`practicum jenkins`: what is missing is named with its fix, changed jobs are found, builds are followed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from jenkins_server import TOKEN, USER, Job

from practicum.cli.main import run
from practicum.git.repository import Repository
from practicum.jenkins.expected import AGENTS, BRANCH_JOBS, CREDENTIALS, JOBS, MAIN_JOB, PLUGINS, differences

ROOT = Path(__file__).parents[3]
LAB = "practicum/dev/lab"
STRING = "<hudson.model.StringParameterDefinition><name>{}</name></hudson.model.StringParameterDefinition>"
CONFIG = """<?xml version='1.1' encoding='UTF-8'?>
<flow-definition>
  <properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>{parameters}</parameterDefinitions>
  </hudson.model.ParametersDefinitionProperty></properties>
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>{script}</script>
  <sandbox>{sandbox}</sandbox></definition>
  <disabled>false</disabled>
</flow-definition>
"""


def config(job, sandbox="true"):
    parameters = "".join(STRING.format(name) for name in job.parameters)
    return CONFIG.format(parameters=parameters, script=job.script.replace("'", "&apos;"), sandbox=sandbox)


@pytest.fixture
def server(server):
    """A Jenkins that is as it should be."""
    server.plugins = dict.fromkeys(PLUGINS, "1.0")
    server.agents = {"Built-In Node": "", **dict.fromkeys(AGENTS, "")}
    server.jobs = {name: Job(dict.fromkeys(job.parameters), config(job)) for name, job in JOBS.items()}
    server.jobs |= {name: Job(multibranch=True) for name in BRANCH_JOBS}
    server.jobs |= {folder: Job() for folder in CREDENTIALS}
    server.jobs[MAIN_JOB] = Job(builds={7: 1})
    server.stores = {folder: list(names) for folder, names in CREDENTIALS.items()}
    return server


@pytest.fixture
def jenkins(server, tmp_path, monkeypatch, capsys):
    """Return what runs `practicum jenkins …` in a repository whose platform file names this Jenkins."""
    platform = json.dumps({"installation": "k3v9t2qa", "jenkins": {"url": server.url}}).encode()
    site = Repository.create(tmp_path / "site", {"environments/dev/platform.yaml": platform}, None, "Start")
    server.jobs[MAIN_JOB].revisions = ["0" * 40, site.head()]
    monkeypatch.setenv("PRACTICUM_JENKINS_USER", USER)
    monkeypatch.setenv("PRACTICUM_JENKINS_TOKEN", TOKEN)
    monkeypatch.setattr("practicum.jenkins.gateway.POLL_SECONDS", 0)

    def call(*words, before=()):
        code = run([*before, "-C", str(tmp_path / "site"), "jenkins", *words])
        said = capsys.readouterr()
        assert TOKEN not in said.out + said.err
        return code, said.out, said.err

    return call


def problems(jenkins):
    code, out, _ = jenkins("diagnose", before=["--json"])
    found = [(one["name"], one["state"], one["fix"]) for one in json.loads(out) if one["state"] != "ok"]
    return code, found


def test_a_jenkins_that_is_right_has_no_problem(jenkins):
    assert problems(jenkins) == (0, [])
    assert "all 12" in jenkins("diagnose")[1]
    assert jenkins("drift") == (0, "", "every job is as it was configured\n")


def test_everything_that_is_missing_is_named_with_its_fix(jenkins, server):
    del server.plugins["lockable-resources"]
    del server.jobs[LAB]
    server.agents["practicum-prod"] = "disconnected"
    server.stores["practicum/dev"] = []
    server.stores["practicum/verify"] = ["practicum-read", "practicum-comment", "practicum-git"]
    code, found = problems(jenkins)
    assert code == 1
    assert [name for name, _, _ in found] == ["plugins", "practicum-prod", "jobs", "practicum/verify", "practicum/dev"]
    assert all(fix for _, _, fix in found)


def test_what_waits_is_a_warning_with_its_reason(jenkins, server):
    server.queue(LAB, {})
    assert problems(jenkins) == (0, [(f"queue: {LAB}", "warning", "see its agent above")])


def test_a_library_that_cannot_be_loaded_is_told_in_jenkins_own_words(jenkins, server):
    main = server.jobs[MAIN_JOB]
    main.result = "FAILURE"
    main.log = [b"Started by GitLab push\nERROR: No version v9 found for library practicum\nFinished: FAILURE\n"]
    code, out, _ = jenkins("diagnose")
    assert (code, "build 7: FAILURE: ERROR: No version v9 found for library practicum" in out) == (1, True)


@pytest.mark.parametrize(
    ("change", "state"), [({"revisions": ["0" * 40]}, "warning"), ({"builds": {}}, "missing"), (None, "missing")]
)
def test_a_webhook_that_does_not_arrive_is_told(jenkins, server, change, state):
    if change is None:
        del server.jobs[MAIN_JOB]
    else:
        vars(server.jobs[MAIN_JOB]).update(change)
    (problem,) = problems(jenkins)[1]
    assert problem[:2] == (MAIN_JOB, state)
    assert "Webhooks" in problem[2]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (replace(JOBS[LAB], call="sh 'reboot'"), "its script is another one"),
        (replace(JOBS[LAB], parameters=("LAB", "MORE")), "its parameters are LAB, MORE, not LAB"),
    ],
)
def test_a_changed_job_is_found(jenkins, server, job, words):
    server.jobs[LAB].config = config(job)
    assert jenkins("drift")[:2] == (1, f"{LAB}: {words}\n")


def test_a_job_outside_of_the_sandbox_a_missing_and_a_strange_one_are_found(jenkins, server):
    server.jobs[LAB].config = config(JOBS[LAB], sandbox="false")
    del server.jobs["practicum/prod/undo"]
    server.jobs["practicum/prod/mine"] = Job()
    code, out, _ = jenkins("drift")
    assert (code, out.splitlines()) == (
        1,
        [
            f"{LAB}: it runs outside of the sandbox",
            "practicum/prod/undo is missing",
            "practicum/prod/mine is no job of Practicum",
        ],
    )


def test_a_configuration_that_is_none_is_told():
    with pytest.raises(Exception, match="is no XML"):
        differences(JOBS[LAB], "<html>")


def test_apply_reads_the_configuration_and_says_what_it_did_not_bring(jenkins, server):
    assert jenkins("apply")[0] == 0
    assert server.reloads == 1
    del server.jobs[LAB]
    code, _, err = jenkins("apply")
    assert (code, LAB in err) == (1, True)
    server.refuses_configuration = f"unknown symbol, and {TOKEN}"
    code, _, err = jenkins("apply")
    assert (code, "unknown symbol" in err) == (69, True)


@pytest.mark.parametrize(("result", "code"), [("SUCCESS", 0), ("UNSTABLE", 1), ("FAILURE", 1), ("ABORTED", 1)])
def test_a_build_is_followed_to_its_end(jenkins, server, result, code):
    server.jobs[LAB].result = result
    server.jobs[LAB].log = [b"one\ntw", b"o\n"]
    ended = jenkins("run", LAB, "-p", "LAB=net101/firewalls")
    assert ended[:2] == (code, "one\ntwo\n")
    assert ended[2].splitlines()[-2:] == [f"build 1 of {LAB}", f"{LAB} ended: {result}"]


def test_what_cannot_be_meant_is_told(jenkins, monkeypatch, server):
    assert jenkins("run", LAB, "-p", "LAB")[0] == 2
    assert jenkins("--url", "http://127.0.0.1:9", "diagnose")[0] == 69
    monkeypatch.setenv("PRACTICUM_JENKINS_TOKEN", "wrong")
    assert jenkins("diagnose")[0] == 77
    monkeypatch.delenv("PRACTICUM_JENKINS_TOKEN")
    assert "PRACTICUM_JENKINS_TOKEN" in jenkins("diagnose")[2]


def test_the_plugins_are_those_of_the_file():
    lines = (ROOT / "jenkins/plugins.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == list(PLUGINS)


def test_without_its_client_only_this_verb_is_missing(jenkins, monkeypatch):
    monkeypatch.setitem(sys.modules, "jenkins", None)
    for name in ("gateway", "failures"):
        monkeypatch.delitem(sys.modules, f"practicum.jenkins.{name}", raising=False)
    code, _, err = jenkins("diagnose")
    assert (code, "pip install 'practicum[jenkins]'" in err) == (69, True)
