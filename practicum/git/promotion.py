"""Promotion: a branch with generated files for people to look at, and its merge into main."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from practicum.errors import PracticumError, UsageError
from practicum.git.checkout import MAIN, advance, moving, refuse_uncommitted, require_main, require_safe
from practicum.git.objects import Changes, changed_tree, is_ancestor, resolve, staged, tree_of, write_commit
from practicum.git.origin import (
    HEADS,
    address,
    delete_branch,
    only_practicum,
    publish,
    push,
    remote_refs,
    set_branch,
    synchronise,
)
from practicum.git.plumbing import Plumbing

Hear = Callable[[str], None]
TRAILER = "Practicum-Branch"  # in the merge commit: tells a repeated run that the merge is done


def unheard(words: str) -> None:
    """Take no notice of what a server says to a push."""
    del words


def merge_files(
    git: Plumbing, branch: str, changes: Changes, message: str, base: str, said: tuple[str, ...], hear: Hear
) -> str:
    """Commit the changes on `branch`, starting at `base`, and push it; see Repository.merge_files."""
    require_safe(git.root, changes)
    start = resolve(git, base)
    new = staged(git, start, changes)
    refuse_uncommitted(git, new)
    tree = changed_tree(git, start, new)
    there, here = _tips(git, branch)
    tip = there or here
    if tree == tree_of(git, start):
        if tip:  # superseded, or merged by a run that was killed before it deleted the branch
            _refuse_foreign(git, branch, tip, start)
            delete_branch(git, branch)
        return start
    if tip is None or not _same(git, tip, tree, start, message):
        if tip:
            _refuse_foreign(git, branch, tip, start)
        tip = write_commit(git, tree, [start], message)
    set_branch(git, branch, tip)
    if there != tip:
        lease = f"--force-with-lease={HEADS}{branch}:{there or ''}"
        hear(push(git, f"{HEADS}{branch}:{HEADS}{branch}", options=(lease,), said=said))
    return tip


def merge(git: Plumbing, branch: str, message: str) -> str:
    """Merge `branch` into main here and on origin, and delete it; see Repository.merge."""
    require_main(git)
    synchronise(git)
    head = resolve(git, "HEAD")
    tip = _mergeable(git, branch, head)
    if tip is None:
        return _merge_of(git, branch) or _no_branch(git, branch)
    if is_ancestor(git, tip, head):  # a run was killed after it moved main
        publish(git)
        delete_branch(git, branch)
        return _merge_of(git, branch) or head
    made = write_commit(git, _merged_tree(git, branch, head, tip), [head, tip], f"{message}\n\n{TRAILER}: {branch}")
    refuse_uncommitted(git, moving(git, head, made))
    push(git, f"{made}:{HEADS}{MAIN}")
    advance(git, head, made)
    delete_branch(git, branch)
    return made


def _tips(git: Plumbing, branch: str) -> tuple[str | None, str | None]:
    """Return the tip of the branch on origin and in the checkout; None where it is not."""
    ref = HEADS + branch
    there = remote_refs(git, ref).get(ref)
    if there:
        git.run("fetch", "--no-tags", "origin", ref)
    return there, git.answer("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def _mergeable(git: Plumbing, branch: str, head: str) -> str | None:
    """Return the tip to merge. A branch that people closed on origin is not merged from a leftover in the checkout."""
    there, here = _tips(git, branch)
    if there or not here or not address(git) or is_ancestor(git, here, head):
        return there or here
    return None


def _same(git: Plumbing, tip: str, tree: str, start: str, message: str) -> bool:
    parents = git.text("rev-parse", f"{tip}^@").split()
    body = git.text("rev-list", "--max-count=1", "--no-commit-header", "--format=%B", tip)
    return tree_of(git, tip) == tree and parents == [start] and body == message.strip()


def _refuse_foreign(git: Plumbing, branch: str, tip: str, start: str) -> None:
    if not only_practicum(git, tip, f"^{start}"):
        raise PracticumError(
            f"the branch {branch} has commits that people made; they are not overwritten",
            details=git.text("rev-list", "--no-commit-header", "--format=%h %an: %s", tip, f"^{start}"),
            resolution=f"Merge the branch, or delete it: git -C {git.root} push origin --delete {branch}",
        )


def _merged_tree(git: Plumbing, branch: str, head: str, tip: str) -> str:
    """Merge by whole files: lines of generated files mixed from two sides would be a state that nobody saw."""
    fork = git.text("merge-base", head, tip)
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        git.run("read-tree", "-i", "-m", "--aggressive", fork, head, tip, index=index)
        unmerged = git.fields("ls-files", "--unmerged", "-z", index=index)
        if unmerged:
            raise PracticumError(
                f"main and {branch} both changed the same files",
                details="\n".join(sorted({line.split("\t", 1)[1] for line in unmerged})),
                resolution="Promote again: the branch is then made from the newest main.",
            )
        return git.text("write-tree", index=index)


def _merge_of(git: Plumbing, branch: str) -> str | None:
    """Return the newest merge commit of the branch in main."""
    form = f"--format=%H %(trailers:key={TRAILER},valueonly,separator=%x20)"
    found = git.text("rev-list", "--merges", "--no-commit-header", "-F", f"--grep={TRAILER}: {branch}", form, "HEAD")
    lines = (line.split() for line in found.splitlines())
    return next((words[0] for words in lines if words[1:] == [branch]), None)


def _no_branch(git: Plumbing, branch: str) -> str:
    raise UsageError(
        f"there is no branch {branch} to merge in {git.root} or its origin",
        resolution="Promote first; or the promotion was closed by someone: ask before you promote again.",
    )
