"""A YAML document in memory that remembers where each key and each value stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Position, Severity

__all__ = ["Document", "Path", "ReadResult", "path_text"]

Path = tuple[str | int, ...]


def path_text(path: Path) -> str:
    """Return a path as people write it: `checks[2].http.port`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


@dataclass(frozen=True)
class Document:
    """The plain data of a file, with the positions of all keys and values by document path.

    `texts` are numbers, truth values and nothings as the author wrote them: `1.10` is not 1.1 to a person.
    """

    file: str
    data: Any
    keys: Mapping[Path, Position] = field(default_factory=dict)
    values: Mapping[Path, Position] = field(default_factory=dict)
    texts: Mapping[Path, str] = field(default_factory=dict)

    def key(self, path: Path) -> Position:
        """Return where the key (or list item) of `path` stands; for the root, its first key."""
        if path in self.keys:
            return self.keys[path]
        return self.value(path) if path else min(self.keys.values(), default=Position())

    def value(self, path: Path) -> Position:
        """Return where the value of `path` stands, or the nearest value around it that exists."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Position())

    def problem(
        self, code: str, message: str, path: Path, *, on_key: bool = False, hint: str = "", severity: Severity = "error"
    ) -> Diagnostic:
        """Return a diagnostic that points at the value of `path`, or with `on_key` at its key."""
        position = self.key(path) if on_key else self.value(path)
        return Diagnostic(code, message, self.file, position, path_text(path), hint, severity)


@dataclass(frozen=True)
class ReadResult:
    """What reading a file gave: a document, or None when the text is not YAML, and the problems found."""

    document: Document | None
    diagnostics: tuple[Diagnostic, ...] = ()
