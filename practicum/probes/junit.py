"""Probe results as a JUnit report, as Jenkins and GitLab read it."""

from collections.abc import Sequence
from xml.etree import ElementTree

from practicum.probes.model import ProbeResult, printable


def junit(lab: str, environment: str, results: Sequence[ProbeResult]) -> bytes:
    """Return the report: one suite a seat, one case a probe; times in seconds."""
    root = ElementTree.Element("testsuites", name=f"{lab} {environment}")
    for seat in dict.fromkeys(result.seat for result in results):
        _suite(root, seat, [result for result in results if result.seat == seat])
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(root: ElementTree.Element, seat: str, results: list[ProbeResult]) -> None:
    failures = sum(not result.ok and result.known for result in results)
    skipped = sum(not result.ok and not result.known for result in results)
    seconds = sum(result.seconds for result in results)
    numbers = {"tests": str(len(results)), "failures": str(failures), "skipped": str(skipped), "time": f"{seconds:.3f}"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": seat, **numbers})
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{seat}.{result.group}",
            name=printable(result.name),
            time=f"{result.seconds:.3f}",
        )
        if not result.ok and not result.known:
            ElementTree.SubElement(case, "skipped", message=printable(result.detail))
        elif not result.ok:
            ElementTree.SubElement(case, "failure", message=printable(result.detail))
