"""Diagnostics as people and editors want them: files relative to the working directory."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from generator.diagnostics.diagnostic import Diagnostic
from generator.diagnostics.report import report


def diagnostics_text(
    root: Path, problems: Sequence[Diagnostic], form: str = "text", files: Iterable[str] = (), *, colour: bool = False
) -> str:
    """Return a report of problems in the repository at `root`; GitLab's forms keep paths relative to the repository."""
    if form == "codequality":
        return report(form, problems, files=files)

    def here(path: str) -> str:
        return os.path.relpath(root / path)

    def read(path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except OSError:
            return None

    moved = [replace(problem, file=here(problem.file)) for problem in problems]
    return report(form, moved, read=read, files=[here(path) for path in files], colour=colour)
