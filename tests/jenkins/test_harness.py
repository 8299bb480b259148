"""The stand-ins are strict: what would fail on a real controller fails here."""

import pytest


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("shh 'true'", "No such DSL method 'shh' found"),
        ("node('practicum-dev') { sh(script: 'true', quiet: true) }", "unknown [quiet]"),
        ("node('practicum-dev') { String lab = 'x'; sh(script: \"echo ${lab}\") }", "was put together from data"),
        ("sh(script: 'true')", "needs a node"),
        ("node('nowhere') { }", "no agent has the label nowhere"),
        ("node('practicum-dev') { lock(resource: 'x') { } }", "an executor would be held"),
        ("def found = ('a' =~ /a/); echo('x'); echo(found.toString())", "NotSerializableException"),
        ("echo(['b', 'a'].sort { x, y -> x <=> y }.toString())", "expected to call"),
        (
            "withCredentials([gitUsernamePassword(credentialsId: 'prod', gitToolName: 'Default')]) { }",
            "no credentials [prod]",
        ),
        ("currentBuild.colour = 'red'", "No such property: colour"),
        ("node('practicum-dev') { junit(testResults: 'none.xml') }", "no test reports"),
    ],
)
def test_what_jenkins_refuses_is_refused(site, program, words):
    end = site.run(program)
    assert (end.result, words in end.failure) == ("FAILURE", True), end.failure


@pytest.mark.parametrize(
    "program",
    [
        "for (String one in ['a', 'b']) { echo(one) }",
        "for (String one in [a: 1, b: 2].keySet()) { echo(one) }",
        "['a', 'b'].each { echo(it) }",
        "['a', 'b'].collect { echo(it); it }",
        "try { error('a') } catch (Exception gone) { echo('b') } finally { echo('c') }",
    ],
)
def test_loops_and_failures_go_on_after_the_program_was_saved(site, program):
    end = site.run(program)
    assert end.result == "SUCCESS", end.failure
    assert len(end.record) == (2 if "error" not in program else 3)


def test_retry_is_for_lost_agents_only(site):
    end = site.run("retry(count: 3, conditions: [agent(), nonresumable()]) { error('no') }")
    assert (end.result, end.outline) == ("FAILURE", ["error"])


def test_a_call_of_cps_code_from_other_code_is_refused(site):
    end = site.run("@com.cloudbees.groovy.cps.NonCPS def tell() { echo('x') }\ntell()")
    assert (end.result, "expected to call" in end.failure) == ("FAILURE", True)
