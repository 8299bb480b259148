"""Read and write git's blobs, trees and commits without touching a working tree."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from practicum.errors import PracticumError, UsageError
from practicum.git.plumbing import Plumbing

# A setting of git. The user's own `commit.gpgSign` may ask for a passphrase, and is for the user's commits.
SIGNING_KEY = "practicum.signingKey"
FILE = "100644"
EXECUTABLE = "100755"
LINK = "120000"

Changes = Mapping[str, bytes | None]  # repository-relative path → new content; None deletes


@dataclass(frozen=True)
class Entry:
    """A path's mode and object id in a tree or index."""

    mode: str
    oid: str


@dataclass(frozen=True)
class Change:
    """A commit as people speak of it. `date` is its day; `merge` says that it joined a branch."""

    sha: str
    author: str
    date: str
    subject: str
    merge: bool


def resolve(git: Plumbing, revision: str) -> str:
    """Return the full commit id of `revision`; UsageError when there is no such commit."""
    commit = _commit(git, revision)
    if not commit:
        raise UsageError(
            f"there is no commit {revision!r} in {git.root}",
            resolution="A new repository needs a first commit; otherwise look for the name with: git log --all",
        )
    return commit


def is_known(git: Plumbing, revision: str) -> bool:
    """Say whether `revision` is a commit that is here."""
    return bool(_commit(git, revision))


def _commit(git: Plumbing, revision: str) -> str | None:
    if revision.startswith("-") or not revision:
        return None
    return git.answer("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def entries(git: Plumbing, commit: str, folder: str = "") -> dict[str, Entry]:
    """Return the files and links below `folder` (all when empty) at `commit`, by path."""
    below = [f"{folder.strip('/')}/"] if folder.strip("/") else []
    found = {}
    for line in git.fields("ls-tree", "-r", "-z", "--full-tree", commit, "--", *below):
        about, path = line.split("\t", 1)
        mode, kind, oid = about.split()
        if kind == "blob":
            found[path] = Entry(mode, oid)
    return found


def last_change(git: Plumbing, commit: str, paths: Iterable[str]) -> Change | None:
    """Return the last commit up to `commit` that changed one of the paths; see Repository.last_change."""
    form = "--format=%h%x00%an%x00%as%x00%s%x00%P%x00"
    found = git.fields("log", "-1", "--diff-merges=first-parent", "--no-patch", form, commit, "--", *paths)
    if not found:
        return None
    sha, author, date, subject, parents = found[:5]
    return Change(sha.strip(), author, date, subject, len(parents.split()) > 1)


def blobs(git: Plumbing, oids: Iterable[str]) -> dict[str, bytes]:
    """Return the contents of blobs by object id, read by one process."""
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    output, position, contents = git.run("cat-file", "--batch", stdin="\n".join(wanted).encode() + b"\n"), 0, {}
    for oid in wanted:
        end = output.index(b"\n", position)
        words = output[position:end].decode().split()
        if len(words) != 3:
            raise PracticumError(
                f"git has lost the object {oid}", resolution=f"Check the repository: git -C {git.root} fsck"
            )
        start, size = end + 1, int(words[2])
        contents[oid] = output[start : start + size]
        position = start + size + 1
    return contents


def store(git: Plumbing, contents: Iterable[bytes]) -> dict[bytes, str]:
    """Write blobs, by one process; returns the object id of each content."""
    wanted = list(dict.fromkeys(contents))
    if not wanted:
        return {}
    stream = b"".join(b"blob\nmark :%d\ndata %d\n%s\n" % (i, len(data), data) for i, data in enumerate(wanted, 1))
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks"
        git.run("fast-import", "--quiet", f"--export-marks={marks}", stdin=stream)
        lines = [line.split() for line in marks.read_text().splitlines()]
    return {wanted[int(mark[1:]) - 1]: oid for mark, oid in lines}


def staged(git: Plumbing, commit: str | None, changes: Changes, disk: Path | None = None) -> dict[str, Entry | None]:
    """Write the changes' blobs; returns the entry of each path.

    A file is executable where it is so at `commit`, or, with `disk`, where it stands there with the same content.
    """
    before = entries(git, commit) if commit else {}
    oids = store(git, (data for data in changes.values() if data is not None))

    def entry(path: str, data: bytes | None) -> Entry | None:
        if data is None:
            return None
        as_before = path in before and before[path].mode == EXECUTABLE
        on_disk = _executable(disk / path, data) if disk else None
        return Entry(EXECUTABLE if (as_before if on_disk is None else on_disk) else FILE, oids[data])

    return {path: entry(path, data) for path, data in changes.items()}


def _executable(file: Path, data: bytes) -> bool | None:
    """Say whether a file on disk may be run; None when it is not there with this content."""
    if file.is_symlink() or not file.is_file() or file.read_bytes() != data:
        return None
    return os.access(file, os.X_OK)


def update_index(git: Plumbing, changes: Mapping[str, Entry | None], index: Path | None = None) -> None:
    """Put entries into an index and take out those that are None; other entries stay."""
    if not changes:
        return

    def line(path: str, entry: Entry | None) -> str:
        return f"{entry.mode} {entry.oid}\t{path}\0" if entry else f"0 {git.nothing}\t{path}\0"

    # Deletions first: a file may take the place of a folder.
    ordered = sorted(changes.items(), key=lambda item: (item[1] is not None, item[0]))
    text = "".join(line(path, entry) for path, entry in ordered)
    git.run("update-index", "-z", "--index-info", stdin=text.encode(errors="surrogateescape"), index=index)


def refresh_index(git: Plumbing) -> None:
    """Note sizes and times of files in the checkout's index; without them git takes our files for changed ones."""
    git.answer("update-index", "-q", "--refresh")


def changed_tree(git: Plumbing, commit: str | None, changes: Mapping[str, Entry | None]) -> str:
    """Return the id of the tree of `commit` (None: an empty tree) with the changes."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        git.run("read-tree", commit or "--empty", index=index)
        update_index(git, changes, index)
        return git.text("write-tree", index=index)


def tree_of(git: Plumbing, commit: str) -> str:
    """Return the id of the commit's tree."""
    return git.text("rev-parse", f"{commit}^{{tree}}")


def write_commit(git: Plumbing, tree: str, parents: Iterable[str], message: str) -> str:
    """Write a commit by Practicum that no branch holds yet; returns its id. It is signed where a key is configured."""
    options = [word for parent in parents for word in ("-p", parent)]
    if key := git.answer("config", "--get", SIGNING_KEY):
        options.append(f"-S{key}")
    return git.text("commit-tree", tree, *options, "-F", "-", stdin=message.encode())


def is_ancestor(git: Plumbing, older: str, newer: str) -> bool:
    """Say whether everything in `older` is in `newer`."""
    return git.answer("merge-base", "--is-ancestor", older, newer) is not None


def fork(git: Plumbing, other: str) -> str:
    """Return the newest common commit of HEAD and `other`; see Repository.fork."""
    found = git.answer("merge-base", "HEAD", other)
    if not found:
        raise UsageError(
            f"HEAD and {other} of {git.root} have no commit in common",
            resolution="A shallow clone has too few commits: git fetch --unshallow; in GitLab's CI: GIT_DEPTH: 0",
        )
    return found


def changed_paths(git: Plumbing, older: str, newer: str) -> list[str]:
    """Return the sorted paths that differ between two commits."""
    return sorted(git.fields("diff-tree", "-r", "-z", "--name-only", "--no-renames", older, newer))
