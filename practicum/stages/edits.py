"""Edits of a lab's files before they are made: what is wrong with them, and what they change."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.sources import Sources, Status
from practicum.stages.validate import validate
from practicum.stages.workspace import Workspace

__all__ = ["difference", "problems_of"]


@dataclass(frozen=True)
class _Edited:
    """A repository's files as they would be after an edit."""

    inner: Sources
    changes: Mapping[str, bytes]

    def status(self, path: str) -> Status:
        if path in self.changes:
            return "file"
        below = any(name.startswith(f"{path.rstrip('/')}/") for name in self.changes)
        return "folder" if below else self.inner.status(path)

    def read(self, path: str) -> bytes:
        return self.changes[path] if path in self.changes else self.inner.read(path)

    def files(self, folder: str) -> list[str]:
        new = [name for name in self.changes if name.startswith(f"{folder.rstrip('/')}/")]
        return sorted({*self.inner.files(folder), *new})


def problems_of(workspace: Workspace, lab: str, changes: Mapping[str, bytes]) -> list[Diagnostic]:
    """Return what `validate` would say of a lab after an edit; nothing is written."""
    return validate(workspace, _Edited(workspace.repository.sources(None), changes), [lab])


def difference(workspace: Workspace, changes: Mapping[str, bytes]) -> list[str]:
    """Return the lines of the unified difference that an edit makes to the files of a repository."""
    lines: list[str] = []
    for path, after in sorted(changes.items()):
        place = workspace.repository.root / path
        before = place.read_bytes() if place.exists() else b""
        old, new = (data.decode("utf-8-sig", "replace").splitlines() for data in (before, after))
        lines += unified_diff(old, new, path if before else "/dev/null", path, lineterm="")
    return lines
