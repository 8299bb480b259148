"""A problem in an input file: where it stands, what is wrong, and what to do."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file. Lines and columns count from 1; the end is exclusive in columns."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


@dataclass(frozen=True)
class Diagnostic:
    """One problem. `path` is the place in the document (`machines.web.type`); `file` is relative to the repository."""

    code: str
    message: str
    file: str
    position: Position = Position()
    path: str = ""
    hint: str = ""
    severity: Severity = "error"

    @property
    def docs(self) -> str:
        """The documentation page and anchor that explains the code."""
        return f"docs/reference/diagnostics.md#{self.code.lower()}"

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order by file and place, then by code and text."""
        return (self.file, self.position.line, self.position.column, self.code, self.message)
