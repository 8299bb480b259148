"""The GitOps repository: the only place where Practicum keeps what is intended."""

from collections.abc import Mapping
from pathlib import Path

from generator.spec.sources import Sources
from practicum.errors import UsageError
from practicum.git import checkout, creation, objects, origin, promotion
from practicum.git import tags as tagging
from practicum.git.plumbing import Plumbing, find
from practicum.git.trees import CommitTree, WorkingTree


class Repository:
    """A checkout of the GitOps repository. Needs git 2.33 or later.

    Every method raises the PracticumError that tells what git refused, with git's own words in `details`:
    TryAgainError when someone else was faster, PermissionsError without access, UnavailableError without a server.
    """

    def __init__(self, root: Path, git_dir: Path | None = None) -> None:
        """Speak of the checkout at `root`; `git_dir` when it is not `root/.git`."""
        self.root = root
        self._git = Plumbing(root, git_dir)

    @classmethod
    def open(cls, path: Path) -> "Repository":
        """Return the checkout that contains `path` (a file or folder); UsageError when none does."""
        found = find(path if path.is_dir() else path.parent)
        if found is None:
            raise UsageError(
                f"{path} is not in the working tree of a git repository",
                resolution="Change into your GitOps repository, or make one with: practicum init DIR",
            )
        return cls(*found)

    @classmethod
    def create(
        cls, path: Path, files: Mapping[str, bytes], remote: Path | None, message: str, *, exist_ok: bool = False
    ) -> "Repository":
        """Make a fresh repository on main at `path` with `files` as its first commit.

        `remote` is where a bare repository is made as origin, with main pushed; None for no origin.
        With `exist_ok` a repository that was made here before is returned as it is. A killed creation is completed.
        Raises UsageError when a folder is not empty.
        """
        path, remote = path.absolute(), remote.absolute() if remote else None
        creation.create(path, files, remote, message, exist_ok)
        return cls(path)

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty when there is none (a detached HEAD)."""
        return checkout.branch(self._git)

    @property
    def origin(self) -> str | None:
        """The address of origin, None when there is none."""
        return origin.address(self._git)

    @property
    def identity(self) -> str:
        """The user's own name and address for git; empty when one of them was never set."""
        return checkout.identity(self._git)

    def ask_origin(self) -> None:
        """Ask origin for its main, and nothing more; nothing without an origin. Raises what git refused."""
        origin.remote_refs(self._git, origin.HEADS + checkout.MAIN)

    def last_change(self, *paths: str, commit: str = "HEAD") -> objects.Change | None:
        """Return the last commit up to `commit` that changed one of the files or folders; None when none did."""
        return objects.last_change(self._git, objects.resolve(self._git, commit), paths)

    def knows(self, revision: str) -> bool:
        """Say whether there is a commit of this name or id here."""
        return objects.is_known(self._git, revision)

    def contains(self, commit: str) -> bool:
        """Say whether HEAD has everything that a commit has; False for one that is not here."""
        return self.knows(commit) and objects.is_ancestor(self._git, commit, "HEAD")

    def fork(self, other: str) -> str:
        """Return the newest commit that HEAD and `other` both have; UsageError when `other` is unknown here.

        In a shallow clone that lacks it, the resolution says how to fetch it.
        """
        return objects.fork(self._git, objects.resolve(self._git, other))

    def changed(self, base: str) -> list[str]:
        """Return the sorted paths that HEAD has differently from the commit `base`."""
        return objects.changed_paths(self._git, objects.resolve(self._git, base), "HEAD")

    def head(self) -> str:
        """Return the full id of the commit that is checked out; UsageError before the first commit."""
        return self.commit_id("HEAD")

    def commit_id(self, revision: str) -> str:
        """Return the full id of a commit; UsageError when there is none of this name."""
        return objects.resolve(self._git, revision)

    def short(self, sha: str) -> str:
        """Return the commit id in seven characters, more when others begin the same."""
        return self._git.text("rev-parse", "--short=7", objects.resolve(self._git, sha))

    def committed(self, folder: str, commit: str = "HEAD") -> dict[str, bytes]:
        """Return the files below `folder` at `commit` by repository-relative path; empty when there is none.

        A symbolic link counts as a file that holds its target, as it does for git.
        """
        found = objects.entries(self._git, objects.resolve(self._git, commit), folder)
        contents = objects.blobs(self._git, (entry.oid for entry in found.values()))
        return {path: contents[entry.oid] for path, entry in found.items()}

    def sources(self, commit: str | None = None) -> Sources:
        """Return what the generator reads: the tree of `commit`, or the working tree on disk when None."""
        if commit is None:
            return WorkingTree(self.root)
        return CommitTree(self._git, objects.resolve(self._git, commit))

    def uncommitted(self, folder: str = "") -> list[str]:
        """Return the sorted paths below `folder` that differ from HEAD; ignored files are left out."""
        return checkout.uncommitted(self._git, folder)

    def write(self, changes: objects.Changes) -> None:
        """Write (bytes) or delete (None) files in the working tree, each as a whole, without committing.

        Raises PracticumError, and writes nothing, when a path leaves the repository.
        """
        checkout.require_safe(self.root, changes)
        checkout.write(self.root, changes)

    def commit(self, changes: objects.Changes, message: str) -> str | None:
        """Write (bytes) or delete (None) exactly these files in the working tree and commit exactly them.

        Other changes of the user, staged or not, stay as they are. The author is Practicum.
        Returns the commit id; None, and nothing is done, when HEAD has all of it.
        """
        return checkout.commit(self._git, changes, message)

    def fetch(self) -> None:
        """Fetch branches and tags of origin; nothing without an origin, and no branch of the checkout moves."""
        if self.origin:
            origin.fetch(self._git)

    def publish(self, said: tuple[str, ...] = ()) -> None:
        """Push main to origin, fast-forward only, with push options `said`; nothing without an origin.

        TryAgainError when origin moved.
        """
        origin.publish(self._git, said)

    def synchronise(self, *, drop: bool = False) -> None:
        """Fetch, and fast-forward main when origin is ahead; nothing without an origin.

        With `drop`, commits that only this checkout has give way to origin's, when all of them are generated:
        those are made anew, never rebased. Edits, checkpoints and operations are never dropped.
        Raises PracticumError naming the fix when main diverged, or when uncommitted changes are in the way.
        """
        origin.synchronise(self._git, drop)

    def require_published(self) -> None:
        """Synchronise, and raise PracticumError unless this checkout is what origin's main has, when there is one."""
        origin.require_published(self._git)

    def advance(self, branch: str, commit: str) -> None:
        """Move a branch on origin forward to a commit; TryAgainError when it has commits that this one has not."""
        origin.push(self._git, f"{commit}:{origin.HEADS}{branch}")

    def tags(self, prefix: str) -> dict[str, str]:
        """Return name → message of this checkout's annotated tags that start with `prefix`, by trailing number."""
        return tagging.tags(self._git, prefix)

    def tag(self, name: str, message: str, commit: str = "HEAD") -> None:
        """Set an annotated tag here and on origin. It is never moved.

        Nothing happens when it has this message and commit already; PracticumError when it says something else.
        A tag that does not arrive on origin is not kept here either.
        """
        tagging.tag(self._git, name, message, commit)

    def merge_files(
        self,
        branch: str,
        changes: objects.Changes,
        title: str,
        description: str,
        base: str = checkout.MAIN,
        *,
        said: tuple[str, ...] = (),
        hear: promotion.Hear = promotion.unheard,
    ) -> str:
        """Commit the changes on `branch`, starting at `base`, and push it; the working tree is not touched.

        A branch that Practicum made before is replaced; PracticumError when people committed on it,
        or when the working tree has uncommitted changes in these files.
        The push says the push options `said`; `hear` gets the words of its answer, when there was something to push.
        Returns the branch's commit; the commit of `base` when it has all changes already: then there is no branch.
        """
        return promotion.merge_files(self._git, branch, changes, f"{title}\n\n{description}".strip(), base, said, hear)

    def merge(self, branch: str, message: str) -> str:
        """Merge `branch` into main by a merge commit, here and on origin, and delete the branch.

        Run again after a kill it completes the same merge. Returns the merge commit.
        Raises UsageError when there is no such branch and never was, or main is not checked out; PracticumError on
        conflicts and uncommitted changes in the way; TryAgainError when origin moved.
        """
        return promotion.merge(self._git, branch, message)
