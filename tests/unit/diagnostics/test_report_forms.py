"""The forms for machines hold their schemas, and the caret stands below what is meant."""

import json
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.diagnostics.report import report

NUMBER = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
FULL = {"type": "string", "minLength": 1}


def group(**properties):
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


JSON = group(
    diagnostics={
        "type": "array",
        "items": group(
            code={"type": "string", "pattern": "^PRA[0-9]{3}$"},
            severity={"enum": ["error", "warning"]},
            file=FULL,
            line=NUMBER,
            column=NUMBER,
            end_line=NUMBER,
            end_column=NUMBER,
            path=TEXT,
            message=FULL,
            hint=TEXT,
            docs={"type": "string", "pattern": r"^docs/reference/diagnostics\.md#pra[0-9]{3}$"},
        ),
    }
)
# docs.gitlab.com/ci/testing/code_quality, "Code Quality report format".
CODE_QUALITY = {
    "type": "array",
    "items": group(
        description=FULL,
        check_name=FULL,
        fingerprint={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        severity={"enum": ["info", "minor", "major", "critical", "blocker"]},
        location=group(path={"type": "string", "pattern": "^[^/]"}, lines=group(begin=NUMBER)),
    ),
}
PROBLEMS = [
    Diagnostic("PRA064", "the login 'a' stands here twice (first in line 3)", "labs/a/b.csv", Position(5, 1, 5, 2)),
    Diagnostic("PRA064", "the login 'a' stands here twice (first in line 3)", "labs/a/b.csv", Position(7, 1, 7, 2)),
    Diagnostic("PRA079", "forwards", "labs/a/b.lab.yaml", Position(2, 1, 2, 3), "machines.a", severity="warning"),
    Diagnostic("PRA006", "this file is empty", "labs/a/c.lab.yaml"),
]


@pytest.mark.parametrize(("form", "schema"), [("json", JSON), ("codequality", CODE_QUALITY)])
@pytest.mark.parametrize("problems", [[], PROBLEMS], ids=["none", "some"])
def test_the_report_holds_its_schema(form, schema, problems):
    Draft202012Validator(schema).validate(json.loads(report(form, problems)))


def test_fingerprints_are_unique_and_know_no_lines():
    def fingerprints(problems):
        return [issue["fingerprint"] for issue in json.loads(report("codequality", problems))]

    moved = [
        Diagnostic(item.code, item.message.replace("line 3", "line 9"), item.file, Position(11 + number, 1, 11, 2))
        for number, item in enumerate(PROBLEMS[:2])
    ]
    assert len(set(fingerprints(PROBLEMS))) == len(PROBLEMS)
    assert fingerprints(moved) == fingerprints(PROBLEMS[:2])


def test_junit_counts_what_it_holds():
    root = ElementTree.fromstring(report("junit", PROBLEMS, files=["labs/a/good.lab.yaml"]))  # our own text
    suites = root.findall("testsuite")
    assert root.get("tests") == str(len(root.findall("testsuite/testcase"))) == "5"
    assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure"))) == "3"
    for suite in suites:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))


@pytest.mark.parametrize(
    ("line", "position", "carets"),
    [
        ("title: 日本 x", Position(1, 11, 1, 12), "       " + "     " + "^"),
        ("title: 日本 x", Position(1, 8, 1, 10), "       ^^^^"),
        ("e\u0301x: y", Position(1, 3, 1, 4), " ^"),
        ("\ta: b", Position(1, 2, 1, 3), "\t^"),
    ],
)
def test_the_caret_stands_below_what_is_meant(line, position, carets):
    text = report("text", [Diagnostic("PRA001", "m", "f", position)], read=lambda _file: line.encode())
    assert text.splitlines()[2] == f"      | {carets}"
