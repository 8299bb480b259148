"""The gateway against every way of Jenkins and python-jenkins that was seen to go wrong."""

import time

import pytest
from jenkins_server import PASSWORD, TOKEN, USER, Job

from practicum.errors import PermissionsError, TryAgainError, UnavailableError, UsageError
from practicum.jenkins.console import lines
from practicum.jenkins.gateway import JenkinsGateway

LAB = "practicum/dev/lab"
GIVEN = {"LAB": "net101/firewalls"}


@pytest.fixture
def server(server):
    server.jobs[LAB] = Job({"LAB": None})
    return server


def start(gateway, job=LAB, parameters=GIVEN, seconds=10.0):
    told = []
    item = gateway.trigger(job, parameters)
    return gateway.wait_for_start(job, item, time.monotonic() + seconds, told.append), told


def test_a_build_is_started_waited_for_and_read(server, gateway):
    server.patience = 3
    assert start(gateway) == (1, ["Waiting for next available executor"])
    assert list(gateway.follow(LAB, 1)) == ["done"]
    assert gateway.result(LAB, 1) == "SUCCESS"


def test_parameters_are_in_no_address(server, gateway):
    start(gateway)
    assert [one for one in server.seen if "firewalls" in one] == []


def test_an_identical_build_that_waits_is_the_one_that_is_followed(server, gateway):
    first = gateway.trigger(LAB, GIVEN)
    assert gateway.trigger(LAB, GIVEN) == first
    assert gateway.trigger(LAB, {"LAB": "net101/other"}) != first


def test_a_queue_item_that_was_forgotten_is_found_by_its_build(server, gateway):
    server.forgetful = True
    assert start(gateway)[0] == 1
    assert start(gateway, parameters={"LAB": "net101/other"})[0] == 2


def test_a_queue_item_that_never_was_is_told(server, gateway):
    with pytest.raises(UnavailableError, match="item 77"):
        gateway.wait_for_start(LAB, 77, time.monotonic() + 5, print)


def test_a_cancelled_item_and_one_that_does_not_start_are_told(server, gateway):
    item = gateway.trigger(LAB, GIVEN)
    server.items[item].cancelled = True
    with pytest.raises(UnavailableError, match="was cancelled"):
        gateway.wait_for_start(LAB, item, time.monotonic() + 5, print)
    server.patience = 10**9
    with pytest.raises(TryAgainError, match="has not started yet") as told:
        start(gateway, parameters={"LAB": "net101/other"}, seconds=0.0)
    assert told.value.details == "Waiting for next available executor"


def test_a_stale_crumb_is_renewed_once(server):
    with_password = JenkinsGateway(server.url, USER, PASSWORD, pause=lambda _seconds: None)
    assert start(with_password)[0] == 1
    server.new_session()
    assert start(with_password, parameters={"LAB": "net101/other"})[0] == 2


def test_a_token_needs_no_crumb_that_is_fresh(server, gateway):
    start(gateway)
    server.new_session()
    assert start(gateway, parameters={"LAB": "net101/other"})[0] == 2


def test_a_scan_is_done_although_jenkins_answers_with_a_redirection(server, gateway):
    server.jobs["practicum/main/labs"] = Job(multibranch=True)
    gateway.scan("practicum/main/labs")
    assert server.scans == ["practicum/main/labs"]


def test_a_branch_with_a_slash_is_one_job(server, gateway):
    server.jobs["practicum/main/labs/feature%252Fx"] = Job(config="<x/>")
    assert gateway.configuration("practicum/main/labs/feature%2Fx") == "<x/>"


def test_a_restart_in_between_is_waited_out_for_what_changes_nothing(server, gateway):
    server.broken = 2
    assert gateway.version() == "2.555.3"
    server.broken = 99
    with pytest.raises(UnavailableError, match="HTTP 502"):
        gateway.version()


@pytest.mark.parametrize(
    ("change", "parameters", "error", "words"),
    [
        ({"disabled": True}, {}, UnavailableError, "disabled"),
        ({}, {}, UsageError, "does not understand a build"),
        ({"parameters": {"LAB": ["a"]}}, GIVEN, UnavailableError, "HTTP 500"),
    ],
)
def test_errors_are_told_in_words_without_pages_and_secrets(server, gateway, change, parameters, error, words):
    for name, value in change.items():
        setattr(server.jobs[LAB], name, value)
    with pytest.raises(error, match=words) as told:
        gateway.trigger(LAB, parameters)
    assert TOKEN not in str(vars(told.value))
    assert "<" not in told.value.details


def test_an_illegal_choice_is_not_called_a_failed_sign_in(server, gateway):
    server.jobs[LAB].parameters = {"LAB": ["a"]}
    with pytest.raises(UnavailableError) as told:
        gateway.trigger(LAB, GIVEN)
    assert told.value.details == "Oops! Illegal choice; asked with ***"


def test_a_wrong_token_and_an_unknown_job_are_told_apart(server, gateway):
    with pytest.raises(PermissionsError, match="refuses its version") as told:
        JenkinsGateway(server.url, USER, "wrong").version()
    assert "PRACTICUM_JENKINS_TOKEN" in told.value.resolution
    with pytest.raises(UnavailableError, match="nothing for a build of practicum/dev/nothing"):
        gateway.trigger("practicum/dev/nothing", GIVEN)
    assert gateway.configuration("practicum/dev/nothing") is None


def test_what_is_no_jenkins_is_told():
    with pytest.raises(UnavailableError, match="does not answer"):
        JenkinsGateway("http://127.0.0.1:9", USER, TOKEN).version()


NOTE = "\x1b[8mha:////4AbC==\x1b[0m"
TEXT = f"{NOTE}Started by ünïcode ✓\r\n{NOTE}[Pipeline] stage\nno end"


@pytest.mark.parametrize("size", [2, 7, 1000])
def test_a_log_is_whole_however_it_is_cut(server, gateway, size):
    data = TEXT.encode()
    server.jobs[LAB].log = [data[at : at + size] for at in range(0, len(data), size)]
    start(gateway)
    assert list(gateway.follow(LAB, 1)) == ["Started by ünïcode ✓", "[Pipeline] stage", "no end"]


def test_bytes_that_are_no_text_do_not_end_a_log():
    assert list(lines([b"a\xff\nb"])) == ["a\ufffd", "b"]
