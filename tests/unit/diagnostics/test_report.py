"""The four forms of a report."""

import json
from xml.etree import ElementTree

import pytest

from generator.diagnostics.codes import hint_of
from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.diagnostics.report import FORMATS, report

TYPE = Diagnostic(
    "PRA012",
    "unknown type 'webservr'; did you mean 'webserver'?",
    "a.lab.yaml",
    Position(2, 8, 2, 16),
    "machines.web.type",
)
EMPTY = Diagnostic("PRA006", "this file is empty", "b.lab.yaml", hint="Write <something>.")
WARNING = Diagnostic("PRA047", "two names", "a.lab.yaml", Position(1, 1, 1, 3), severity="warning")
FILES = {"a.lab.yaml": b"x: 1\n\ttype: webservr\n"}


def parse(report_text):
    return ElementTree.fromstring(report_text)  # our own text


def text(*diagnostics, **options):
    return report("text", diagnostics, read=FILES.get, **options)


def test_text_has_place_line_caret_hint_and_page():
    assert text(TYPE) == (
        "a.lab.yaml:2:8: PRA012 unknown type 'webservr'; did you mean 'webserver'?\n"
        "    2 | \ttype: webservr\n"
        "      | \t      ^^^^^^^^\n"
        "  hint: `practicum types` lists all types.\n"
        "  docs: docs/reference/diagnostics.md#pra012\n"
    )


def test_problems_are_sorted_and_apart():
    lines = text(EMPTY, TYPE, WARNING).splitlines()
    assert [line.split(" ")[0] for line in lines if "PRA0" in line] == [
        "a.lab.yaml:1:1:",
        "a.lab.yaml:2:8:",
        "b.lab.yaml:1:1:",
    ]
    assert lines.count("") == 2
    assert "PRA047 warning: two names" in lines[0]


def test_a_problem_of_the_whole_file_shows_no_line():
    assert text(EMPTY).splitlines()[1].startswith("  hint: Write <something>.")


def test_a_file_that_cannot_be_read_shows_no_line():
    assert "|" not in report("text", [TYPE])


def test_colour_changes_nothing_but_colour():
    import re

    coloured = text(TYPE, WARNING, colour=True)
    assert "\x1b[31;1m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text(TYPE, WARNING)


def test_a_file_cannot_steer_the_terminal_or_show_a_password():
    data = b"a: \x1b]0;x\x07 https://bot:hunter2@host/ ssh://u:pw@h\n"
    shown = report("text", [Diagnostic("PRA001", "bad \x1b[2J", "f", Position(1, 4, 1, 5))], read=lambda _file: data)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "hunter2" not in shown
    assert "pw@" not in shown


def test_a_long_line_is_cut_around_the_caret():
    data = b"x" * 5000
    lines = report(
        "text", [Diagnostic("PRA001", "m", "f", Position(1, 3000, 1, 3002))], read=lambda _file: data
    ).splitlines()
    assert len(lines[1]) < 200
    assert lines[2].endswith("^^")
    assert len(lines[2]) < len(lines[1])


@pytest.mark.parametrize("position", [Position(9, 1, 9, 2), Position(1, 900, 1, 901), Position(1, 2, 7, 1)])
def test_places_beyond_the_file_do_no_harm(position):
    assert "PRA001" in report("text", [Diagnostic("PRA001", "m", "a.lab.yaml", position)], read=FILES.get)


def test_json_has_the_promised_keys():
    (entry,) = json.loads(report("json", [TYPE]))["diagnostics"]
    assert entry == {
        "code": "PRA012",
        "severity": "error",
        "file": "a.lab.yaml",
        "line": 2,
        "column": 8,
        "end_line": 2,
        "end_column": 16,
        "path": "machines.web.type",
        "message": TYPE.message,
        "hint": hint_of(TYPE),
        "docs": "docs/reference/diagnostics.md#pra012",
    }


def test_junit_has_a_case_for_each_problem_and_each_good_file():
    tree = parse(report("junit", [TYPE, EMPTY, WARNING], files=["a.lab.yaml", "good.lab.yaml"]))
    suites = {suite.get("name"): suite for suite in tree}
    assert {name: suite.get("failures") for name, suite in suites.items()} == {
        "a.lab.yaml": "1",
        "b.lab.yaml": "1",
        "good.lab.yaml": "0",
    }
    assert suites["a.lab.yaml"].get("tests") == "2"
    assert suites["b.lab.yaml"].find("testcase/failure").get("message") == EMPTY.message
    assert "Write <something>." in suites["b.lab.yaml"].find("testcase/failure").text


def test_junit_survives_characters_that_xml_cannot_hold():
    bad = Diagnostic("PRA001", "bad \x00\ud800", "f\x01")
    assert parse(report("junit", [bad])) is not None


def test_codequality_is_what_gitlab_reads():
    issues = json.loads(report("codequality", [TYPE, WARNING]))
    assert [issue["severity"] for issue in issues] == ["minor", "major"]
    assert issues[1]["location"] == {"path": "a.lab.yaml", "lines": {"begin": 2}}
    assert issues[1]["check_name"] == "PRA012"


def test_a_fingerprint_survives_an_edit_above_and_tells_twins_apart():
    from dataclasses import replace

    moved = replace(TYPE, position=Position(9, 8, 9, 16))
    (before,), (after,) = (json.loads(report("codequality", [item])) for item in (TYPE, moved))
    assert before["fingerprint"] == after["fingerprint"]
    twins = json.loads(report("codequality", [TYPE, moved]))
    assert len({issue["fingerprint"] for issue in twins}) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_say_is_said_in_every_form(form):
    assert report(form, []) in (
        "",
        '{\n  "diagnostics": []\n}\n',
        "[]\n",
        '<?xml version="1.0" encoding="utf-8"?>\n<testsuites failures="0" tests="0" />\n',
    )
