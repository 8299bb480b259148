"""Shows diagnostics to people and to machines, in one of four forms."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from generator.diagnostics.diagnostic import Diagnostic
from generator.diagnostics.machine_report import codequality_report, json_report, junit_report
from generator.diagnostics.text_report import text_report

__all__ = ["FORMATS", "ReadFile", "report"]

ReadFile = Callable[[str], bytes | None]
"""Gives the bytes of a file that a diagnostic names, or None."""

_MACHINE: Mapping[str, Callable[[Sequence[Diagnostic], Iterable[str]], str]] = {
    "json": json_report,
    "junit": junit_report,
    "codequality": codequality_report,
}
FORMATS = ("text", *_MACHINE)


def report(
    form: str,
    diagnostics: Iterable[Diagnostic],
    *,
    read: ReadFile = lambda _file: None,
    files: Iterable[str] = (),
    colour: bool = False,
) -> str:
    """Return the report in one of `FORMATS`, sorted by file and place; empty text for nothing to say.

    `read` gives the source lines of the text form; `files` are all that was checked, for the test cases of JUnit.
    KeyError for an unknown form.
    """
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    if form == "text":
        return text_report(ordered, read, colour=colour)
    # Names of files may hold bytes that are no text, and what reads these forms takes text only.
    return _MACHINE[form](ordered, files).encode(errors="replace").decode()
