"""Where the names in a kustomization lead: a file, a folder, or a reason why it cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import normpath
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.kustomization import Kustomization
from generator.spec.document import Path
from generator.spec.sources import Sources
from generator.spec.words import did_you_mean, nearest, shown

__all__ = ["Files"]

_REMOTE = ("://", "github.com/", "gitlab.com/", "bitbucket.org/", "?ref=", "git@", "git::")
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Files:
    """The files of a course, as its bases may use them. `values` are those of a stand-in student."""

    sources: Sources
    course: str
    values: Mapping[str, Any]

    def find(self, origin: Kustomization, name: str, path: Path, *, folder: bool = False) -> str | Diagnostic:
        """Return the repository path of a file, or with `folder` of a folder, that a kustomization names at `path`."""
        if any(word in name for word in _REMOTE):
            message = f"{shown(name)} is on another server"
            return origin.problem("PRA102", message, path)
        place = _joined(origin.folder, name)
        if place is None or not f"{place}/".startswith(f"{self.course}/"):
            return origin.problem("PRA101", f"{shown(name)} is outside the lab's folder {self.course}", path)
        status = self.sources.status(place)
        if status == "outside":
            return origin.problem("PRA101", f"{shown(name)} is outside the lab's folder {self.course}", path)
        if status == "missing":
            near = nearest(place, [*self.sources.files(origin.folder)][:1000])
            meant = near.removeprefix(f"{origin.folder}/") if near else None
            return origin.problem("PRA100", f"there is no '{place}'{did_you_mean(meant)}", path)
        if folder and status == "file":
            return origin.problem("PRA114", f"{shown(name)} is a file, and a folder is needed here", path)
        if status == "file" and not place.startswith(f"{origin.folder}/"):
            message = f"{shown(name)} is above the folder of this kustomization"
            hint = "Kustomize reads files of its own folder only; name the other folder, or copy the file."
            return origin.problem("PRA101", message, path, hint=hint)
        return place

    def find_file(self, origin: Kustomization, name: str, path: Path) -> str | Diagnostic:
        """Return the repository path of a file; a folder is a problem."""
        place = self.find(origin, name, path)
        if isinstance(place, str) and self.sources.status(place) == "folder":
            return origin.problem("PRA053", f"'{place}' is a folder, not a file", path)
        return place


def _joined(folder: str, name: str) -> str | None:
    """Return the path of a name below a folder; None when no file can have it."""
    if name.startswith("/") or "\x00" in name or len(name) > _LONGEST_NAME * 8:
        return None
    try:
        longest = max(len(part.encode()) for part in name.split("/"))
    except UnicodeEncodeError:
        return None
    return normpath(f"{folder}/{name}") if longest <= _LONGEST_NAME else None
