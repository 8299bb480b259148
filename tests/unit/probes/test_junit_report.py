"""The JUnit report of probes: what Jenkins and GitLab count."""

from xml.etree import ElementTree

from practicum.probes.junit import junit
from practicum.probes.model import ProbeResult

RESULTS = [
    ProbeResult("s001", "web answers", "check", True, "200", 0.25),
    ProbeResult("s001", "the host is closed", "isolation", False, "s001-web reaches 10.0.0.1:22", 1.5),
    ProbeResult("s002", "web answers", "check", True, "200", 0.5),
    ProbeResult("s001", '<odd> & "quoted" ü', "check", False, "a\x1b[31m\nb\x00", 0.0),
]


def parsed(results):
    return ElementTree.fromstring(junit("net101/firewalls", "prod", results))


def test_a_seat_is_a_suite_with_its_counts():
    root = parsed(RESULTS)
    assert (root.tag, root.get("name")) == ("testsuites", "net101/firewalls prod")
    suites = {suite.get("name"): suite.attrib for suite in root}
    assert list(suites) == ["s001", "s002"]
    assert suites["s001"] == {"name": "s001", "tests": "3", "failures": "2", "skipped": "0", "time": "1.750"}
    assert suites["s002"] == {"name": "s002", "tests": "1", "failures": "0", "skipped": "0", "time": "0.500"}


def test_what_was_not_tried_is_skipped_and_no_failure():
    root = parsed([ProbeResult("s001", "page", "check", False, "not tried: web does not answer", 0.0, known=False)])
    assert {"failures": "0", "skipped": "1"}.items() <= root[0].attrib.items()
    assert root[0][0].find("failure") is None
    assert root[0][0].find("skipped").get("message") == "not tried: web does not answer"


def test_a_probe_is_a_case_and_a_failure_says_what_was_seen():
    cases = list(parsed(RESULTS).iter("testcase"))
    assert len(cases) == 4
    assert (cases[1].get("classname"), cases[1].get("name")) == ("s001.isolation", "the host is closed")
    assert cases[1].find("failure").get("message") == "s001-web reaches 10.0.0.1:22"
    assert cases[0].find("failure") is None


def test_what_machines_print_cannot_break_the_report():
    case = list(parsed(RESULTS).iter("testcase"))[2]
    assert case.get("name") == '<odd> & "quoted" ü'
    message = case.find("failure").get("message")
    assert message.startswith("a")
    assert message.isprintable()


def test_what_a_spec_calls_a_check_cannot_break_the_report():
    assert parsed([ProbeResult("s001", "bell\x07", "check", True, "", 0.0)])


def test_no_results_are_an_empty_report():
    assert list(parsed([])) == []


def test_the_report_is_xml_with_a_declaration_and_ends_in_a_line():
    data = junit("net101/firewalls", "prod", RESULTS)
    assert data.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n")
    assert data.endswith(b"</testsuites>\n")
