"""What the pure core may read: a tree of source files that an outer room provides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["file", "folder", "missing", "outside"]


class Sources(Protocol):
    """Files of a GitOps repository, by POSIX path relative to its root (`labs/net101/firewalls.lab.yaml`)."""

    def status(self, path: str) -> Status:
        """Say what stands at `path`; `outside` when a symbolic link leads out of its `labs/COURSE` folder."""

    def read(self, path: str) -> bytes:
        """Return the file's bytes; KeyError when there is no such file."""

    def files(self, folder: str) -> list[str]:
        """Return the sorted paths of all files below `folder`."""


@dataclass(frozen=True)
class MappingSources:
    """Sources held in memory: for tests and for previews of edits."""

    content: Mapping[str, bytes]

    def status(self, path: str) -> Status:
        if path in self.content:
            return "file"
        return "folder" if self.files(path) else "missing"

    def read(self, path: str) -> bytes:
        return self.content[path]

    def files(self, folder: str) -> list[str]:
        return sorted(name for name in self.content if name.startswith(folder.rstrip("/") + "/"))
