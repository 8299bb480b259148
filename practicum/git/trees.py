"""The trees of files that the generator reads: the working tree on disk, or a commit."""

import os
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path, PurePosixPath

from generator.spec.sources import Status
from practicum.git.failures import disk_failure
from practicum.git.objects import LINK, Entry, blobs, entries
from practicum.git.plumbing import Plumbing

_LINKS_FOLLOWED = 40  # as Linux does, path_resolution(7)


class _Tree(ABC):
    """Sources over a tree with symbolic links, which hold only inside the `labs/COURSE` folder of a path."""

    def status(self, path: str) -> Status:
        """Say what stands at `path`; `outside` for absolute paths, `..`, and links that lead out."""
        real, inside = self._resolve(path)
        return self._kind(real) if inside else "outside"

    def read(self, path: str) -> bytes:
        """Return the bytes of the file at `path`; KeyError unless its status is `file`."""
        real, inside = self._resolve(path)
        if not inside or self._kind(real) != "file":
            raise KeyError(path)
        return self._bytes(real)

    def files(self, folder: str) -> list[str]:
        """Return the sorted paths of all files below `folder`.

        A symbolic link is listed as itself, as git does, and not entered: ask `status` whether it can be read.
        """
        if self.status(folder) != "folder":
            return []
        real, _ = self._resolve(folder)
        shown = str(PurePosixPath(folder))
        prefix = "" if shown == "." else f"{shown}/"
        return sorted(prefix + name for name in self._below(real))

    @abstractmethod
    def _link(self, path: str) -> str | None:
        """Return the target of the link at `path`, None when there is no link."""

    @abstractmethod
    def _kind(self, path: str) -> Status:
        """Say what stands at a path free of links."""

    @abstractmethod
    def _bytes(self, path: str) -> bytes:
        """Return the content of a file at a path free of links."""

    @abstractmethod
    def _below(self, folder: str) -> list[str]:
        """Return the files and links below a folder free of links, relative to it."""

    def _resolve(self, path: str) -> tuple[str, bool]:
        """Follow links; returns the path they lead to and whether that is inside the borders of `path`."""
        if path.startswith("/") or "\0" in path or ".." in path.split("/"):
            return path, False
        real = self._followed(path)
        return real or "", real is not None and _within(real, _border(path))

    def _followed(self, path: str) -> str | None:
        """Return `path` with every link replaced, None when a link leaves the tree."""
        pending, done, links = path.split("/")[::-1], list[str](), 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    return None
                done.pop()
                continue
            done.append(part)
            target = self._link("/".join(done))
            if target is None:
                continue
            links += 1
            if links > _LINKS_FOLLOWED:
                return "/".join(done)  # the link itself, which is no file
            if target.startswith("/"):
                return None
            done.pop()
            pending.extend(target.split("/")[::-1])
        return "/".join(done)


class WorkingTree(_Tree):
    """The files on disk below `root`, read when asked for; git's own folder is not among them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _link(self, path: str) -> str | None:
        try:
            return str((self.root / path).readlink())
        except (OSError, ValueError):
            return None

    def _kind(self, path: str) -> Status:
        target = self.root / path
        try:
            if target.is_dir():
                return "folder"
            return "file" if target.is_file() else "missing"
        except OSError as error:
            if isinstance(error, PermissionError):
                raise disk_failure(target, error) from error
            return "missing"

    def _bytes(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise KeyError(path) from None
        except OSError as error:
            raise disk_failure(self.root / path, error) from error

    def _below(self, folder: str) -> list[str]:
        def refuse(error: OSError) -> None:
            raise disk_failure(Path(error.filename or start), error) from error

        start, found = self.root / folder, []
        for here, folders, names in os.walk(start, onerror=refuse):
            links = [name for name in folders if Path(here, name).is_symlink()]
            folders[:] = [name for name in folders if name != ".git"]
            found += [Path(here, name).relative_to(start).as_posix() for name in (*names, *links) if name != ".git"]
        return found


class CommitTree(_Tree):
    """The files of one commit, given by its id."""

    def __init__(self, git: Plumbing, commit: str) -> None:
        self.commit = commit
        self._git = git

    @cached_property
    def _entries(self) -> dict[str, str]:
        return {path: entry.oid for path, entry in self._all.items() if entry.mode != LINK}

    @cached_property
    def _links(self) -> dict[str, str]:
        oids = {path: entry.oid for path, entry in self._all.items() if entry.mode == LINK}
        targets = blobs(self._git, oids.values())
        return {path: os.fsdecode(targets[oid]) for path, oid in oids.items()}

    @cached_property
    def _all(self) -> dict[str, Entry]:
        return entries(self._git, self.commit)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(str(parent) for path in self._all for parent in PurePosixPath(path).parents) | {"", "."}

    def _link(self, path: str) -> str | None:
        return self._links.get(path)

    def _kind(self, path: str) -> Status:
        if path in self._entries:
            return "file"
        return "folder" if path in self._folders else "missing"

    def _bytes(self, path: str) -> bytes:
        return self._git.run("cat-file", "blob", self._entries[path])

    def _below(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        return [path.removeprefix(prefix) for path in self._all if path.startswith(prefix)]


def _border(path: str) -> str:
    """Return the folder that links of `path` may not leave: its `labs/COURSE`, else the repository."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts[:2]) if parts[:1] == ["labs"] and len(parts) > 1 else ""


def _within(path: str, border: str) -> bool:
    return ".git" not in path.split("/") and (not border or path == border or path.startswith(f"{border}/"))
