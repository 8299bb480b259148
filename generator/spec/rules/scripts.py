"""Rules about scripts: the kernel of a machine can start them."""

import codecs
from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic, Severity
from generator.spec.document import Path
from generator.spec.rules.context import Context
from generator.spec.rules.files import file_problem, resolve

__all__ = ["scripts", "solution"]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ELF = b"\x7fELF"


def scripts(context: Context) -> Iterator[Diagnostic]:
    """The scripts that a machine runs once."""
    for name in context.group("machines"):
        for key in ("run", "setup"):
            for index, script in context.items("machines", name, key):
                yield from _script(context, script, ("machines", name, key, index), text=key == "setup")


def solution(context: Context) -> Iterator[Diagnostic]:
    """The scripts of the reference solution, each for a machine of the lab; they prove checks of progress."""
    for machine, script in context.group("solution").items():
        path = ("solution", machine)
        yield from context.unknown_machine(machine, path, on_key=True)
        if script is not None:
            yield from _script(context, script, path, text=False)
    graded = [check for _index, check in context.items("checks") if check.get("when", "smoke") != "smoke"]
    misspelt = any(path == ("checks",) or (path[:1] == ("checks",) and path[-1] == "when") for path in context.excused)
    told = misspelt or ("checks" in context.data and context.get("checks") is None)
    if context.group("solution") and not graded and not told:
        message = "a solution proves the checks of progress, and this lab has none"
        yield context.document.problem("PRA077", message, ("solution",), on_key=True, severity="warning")


def _script(context: Context, name: str, path: Path, *, text: bool) -> Iterator[Diagnostic]:
    problems = list(file_problem(context, name, path, "script"))
    place = resolve(context.folder, name)
    if problems or place is None:
        yield from problems
        return
    data = context.sources.read(place)
    fault = _not_text(data) if text and not name.endswith(".j2") else None
    if fault or data.startswith(_UTF16):
        yield context.document.problem("PRA007", f"the script '{name}' is not UTF-8 text", path)
    elif told := _fault(data, rendered=name.endswith(".j2")):
        message, hint, severity = told
        message = f"the script '{name}' {message}"
        yield context.document.problem("PRA057", message, path, hint=hint, severity=severity)


def _not_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def _fault(data: bytes, *, rendered: bool) -> tuple[str, str, Severity] | None:
    """Return message, hint and severity for a script that does not do what it says."""
    first = data.partition(b"\n")[0]
    if not data.strip():
        return "is empty", "Write it, or take its entry out.", "warning"
    if rendered or data.startswith(_ELF):
        return None
    if data.startswith(codecs.BOM_UTF8):
        hint = "Save it as UTF-8 without a byte-order mark (BOM)."
        return "begins with an invisible byte-order mark, so it would not run", hint, "error"
    if b"\r\n" in data and (first.endswith(b"\r") or not first.startswith(b"#!") or b"sh" in first):
        hint = "Save it with Unix line ends (LF); `sed -i 's/\\r$//' FILE` does it too."
        return "has Windows line ends (CRLF), so it would not run", hint, "error"
    if not first.startswith(b"#!"):
        return "does not begin with '#!', so sh runs it", "Begin it with #!/bin/sh, or #!/bin/bash.", "warning"
    return None
