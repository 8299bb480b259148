"""Change the working tree: write files atomically, commit exactly them, move it to another commit."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from practicum.errors import PracticumError, UsageError
from practicum.git.failures import disk_failure
from practicum.git.objects import (
    EXECUTABLE,
    FILE,
    LINK,
    Changes,
    Entry,
    changed_paths,
    changed_tree,
    entries,
    refresh_index,
    resolve,
    staged,
    tree_of,
    update_index,
    write_commit,
)
from practicum.git.plumbing import Plumbing

MAIN = "main"


def branch(git: Plumbing) -> str:
    """Return the name of the branch that is checked out, empty when there is none."""
    return git.answer("symbolic-ref", "--quiet", "--short", "HEAD") or ""


def identity(git: Plumbing) -> str:
    """Return `NAME <ADDRESS>` of the user's own configuration; empty when one of them was never set."""
    name, address = (git.answer("config", "--get", f"user.{key}") for key in ("name", "email"))
    return f"{name} <{address}>" if name and address else ""


def require_main(git: Plumbing) -> None:
    """Raise UsageError unless main is checked out."""
    if branch(git) != MAIN:
        raise UsageError(
            f"{git.root} has {branch(git) or 'no branch'} checked out, and releases are made on {MAIN}",
            resolution=f"git -C {git.root} switch {MAIN}",
        )


def uncommitted(git: Plumbing, folder: str = "") -> list[str]:
    """Return the sorted paths below `folder` that differ from HEAD, without ignored ones."""
    below = [folder.strip("/")] if folder.strip("/") else []
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
    return sorted({line[3:] for line in git.fields("status", *options, "--", *below)})


def commit(git: Plumbing, changes: Changes, message: str) -> str | None:
    """Write the changes into the working tree and commit exactly them; None when HEAD has them already.

    The order makes a killed run repeatable: files, then index, then the branch; what cannot be signed changes nothing.
    """
    head = resolve(git, "HEAD")
    require_safe(git.root, changes)
    new = staged(git, head, changes, git.root)
    tree = changed_tree(git, head, new)
    if tree == tree_of(git, head):
        return None
    made = write_commit(git, tree, [head], message)
    write(git.root, changes, {path for path, entry in new.items() if entry and entry.mode == EXECUTABLE})
    update_index(git, new)
    refresh_index(git)
    move_branch(git, "HEAD", made, head, message)
    return made


def move_branch(git: Plumbing, ref: str, new: str, old: str, why: str) -> None:
    """Point `ref` to `new`; TryAgainError when it no longer points to `old`."""
    reason = why.splitlines()[0] if why else ref
    git.run("update-ref", "-m", f"practicum: {reason}", ref, new, old)


def advance(git: Plumbing, old: str, new: str) -> None:
    """Move the checked-out main, its index and its working tree from `old` to `new`.

    What the user changed elsewhere stays. PracticumError, and nothing done, when it is in the way.
    """
    wanted = moving(git, old, new)
    refuse_uncommitted(git, wanted)
    written = wanted.keys() & set(uncommitted(git))  # by a run that was killed before it moved main
    update_index(git, {path: wanted[path] for path in written})
    refresh_index(git)
    git.run("read-tree", "-m", "-u", old, new)
    move_branch(git, f"refs/heads/{MAIN}", new, old, f"advance to {new}")


def moving(git: Plumbing, old: str, new: str) -> dict[str, Entry | None]:
    """Return the entries at `new`, None where deleted, of the paths that differ from `old`."""
    after = entries(git, new)
    return {path: after.get(path) for path in changed_paths(git, old, new)}


def refuse_uncommitted(git: Plumbing, wanted: Mapping[str, Entry | None]) -> None:
    """Raise PracticumError when a path of `wanted` has changes that are neither committed nor the entry wanted."""
    paths = sorted(wanted.keys() & set(uncommitted(git)))
    changed = [path for path in paths if _on_disk(git.root / path, wanted[path]) != wanted[path]]
    if changed:
        raise PracticumError(
            f"{git.root} has changes that are not committed in files that this command writes",
            details="\n".join(changed),
            resolution=f"Commit them, or put them aside: git -C {git.root} stash push -u -- {changed[0]}",
        )


def write(root: Path, changes: Changes, executable: Iterable[str] = ()) -> None:
    """Write and delete files below `root`, each atomically; folders that deletions leave empty go."""
    run = set(executable)
    for path, data in sorted(changes.items(), key=lambda item: (item[1] is not None, item[0])):
        try:
            if data is None:
                _delete(root, path)
            else:
                _replace(root / path, data, path in run)
        except OSError as error:
            raise disk_failure(root / path, error) from error


def require_safe(root: Path, paths: Iterable[str]) -> None:
    """Raise PracticumError when a path leaves `root`, by its words or through a link, or enters git's folder."""
    for path in paths:
        parts = path.split("/")
        strange = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or "\0" in path
        if strange or any((root / parent).is_symlink() for parent in PurePosixPath(path).parents):
            raise PracticumError(
                f"refusing to write {path!r}: it does not stand inside the repository {root}",
                resolution="Remove the symbolic link on the way to it.",
            )


def _replace(target: Path, data: bytes, executable: bool) -> None:
    if not target.is_symlink() and target.is_file() and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name[:200]}.new")  # the same name each time: a killed run leaves one at most
    new.unlink(missing_ok=True)
    with new.open("xb") as stream:
        stream.write(data)
    if executable:
        new.chmod(new.stat().st_mode | 0o111)
    new.replace(target)


def _delete(root: Path, path: str) -> None:
    try:
        (root / path).unlink(missing_ok=True)
    except NotADirectoryError:
        return  # a file stands where its folder was
    for parent in PurePosixPath(path).parents:
        folder = root / parent
        if folder == root or (folder.is_dir() and any(folder.iterdir())):
            return
        if folder.is_dir():
            folder.rmdir()


def _on_disk(path: Path, like: Entry | None) -> Entry | None:
    """Return the entry of what stands at `path`, its id made as that of `like`."""
    if path.is_symlink():
        mode, data = LINK, os.fsencode(path.readlink())
    elif path.is_file():
        mode, data = EXECUTABLE if path.stat().st_mode & 0o100 else FILE, path.read_bytes()
    else:
        return None
    digest = hashlib.sha256 if like and len(like.oid) == 64 else hashlib.sha1
    return Entry(mode, digest(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest())
