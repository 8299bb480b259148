"""Diagnostics for machines: JSON, JUnit for any CI, and GitLab's code-quality report."""

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # writes XML, reads none

from generator.diagnostics.codes import hint_of
from generator.diagnostics.diagnostic import Diagnostic

__all__ = ["codequality_report", "json_report", "junit_report"]

_SEVERITIES = {"error": "major", "warning": "minor"}
# Messages that name another line, such as "first in line 3".
_LINE = re.compile(r"\bline [0-9]+")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def json_report(diagnostics: Sequence[Diagnostic], _files: Iterable[str] = ()) -> str:
    """Return `{"diagnostics": [...]}` with the keys that the handbook promises."""
    return _json({"diagnostics": [_entry(diagnostic) for diagnostic in diagnostics]})


def _entry(diagnostic: Diagnostic) -> dict[str, Any]:
    position = diagnostic.position
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "file": diagnostic.file,
        "line": position.line,
        "column": position.column,
        "end_line": position.end_line,
        "end_column": position.end_column,
        "path": diagnostic.path,
        "message": diagnostic.message,
        "hint": hint_of(diagnostic),
        "docs": diagnostic.docs,
    }


def junit_report(diagnostics: Sequence[Diagnostic], files: Iterable[str] = ()) -> str:
    """Return a JUnit report with one test case for each problem, and one that passes for each file without any."""
    errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    root = Element("testsuites", {"failures": str(errors)})
    for file in sorted({*files, *(diagnostic.file for diagnostic in diagnostics)}):
        _suite(root, file, [diagnostic for diagnostic in diagnostics if diagnostic.file == file])
    root.set("tests", str(len(root.findall("testsuite/testcase"))))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, file: str, problems: Sequence[Diagnostic]) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    counts = {"tests": str(max(len(problems), 1)), "failures": str(len(errors))}
    suite = SubElement(root, "testsuite", {"name": _xml(file), **counts})
    if not problems:
        SubElement(suite, "testcase", {"classname": _xml(file), "name": "is valid", "file": _xml(file)})
    for problem in problems:
        name = f"{problem.code} {problem.path or f'line {problem.position.line}'}"
        case = SubElement(suite, "testcase", {"classname": _xml(file), "name": _xml(name), "file": _xml(file)})
        kind = "failure" if problem.severity == "error" else "system-out"
        place = f"{problem.file}:{problem.position.line}:{problem.position.column}"
        attributes = {"message": _xml(problem.message), "type": problem.code} if kind == "failure" else {}
        text = f"{place}: {problem.message}\nhint: {hint_of(problem)}\ndocs: {problem.docs}"
        SubElement(case, kind, attributes).text = _xml(text)


def _xml(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("�", text)


def codequality_report(diagnostics: Sequence[Diagnostic], _files: Iterable[str] = ()) -> str:
    """Return GitLab's code-quality report (docs.gitlab.com/ci/testing/code_quality, "Code Quality report format").

    Fingerprints do not hold line numbers, so that an edit further up does not make old problems new.
    """
    seen: dict[str, int] = {}
    return _json([_issue(diagnostic, seen) for diagnostic in diagnostics])


def _issue(diagnostic: Diagnostic, seen: dict[str, int]) -> dict[str, Any]:
    message = _LINE.sub("line", diagnostic.message)
    identity = "\n".join((diagnostic.code, diagnostic.file, diagnostic.path, message))
    seen[identity] = seen.get(identity, 0) + 1
    fingerprint = sha256(f"{identity}\n{seen[identity]}".encode(errors="replace")).hexdigest()
    return {
        "description": f"{diagnostic.code} {diagnostic.message}",
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {"path": diagnostic.file, "lines": {"begin": diagnostic.position.line}},
    }
