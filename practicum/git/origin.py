"""The remote repository that the checkout calls origin, and what may be sent to it."""

from practicum.errors import PracticumError, TryAgainError
from practicum.git.checkout import MAIN, advance, move_branch, require_main
from practicum.git.objects import is_ancestor, resolve
from practicum.git.plumbing import EMAIL, Plumbing

HEADS = "refs/heads/"
TRACKED = f"refs/remotes/origin/{MAIN}"
GENERATED = "Generate "  # how the subjects begin of commits that only hold what is made anew from the spec


def address(git: Plumbing) -> str | None:
    """Return the address of origin, None when there is no such remote."""
    return git.answer("config", "--get", "remote.origin.url")


def remote_refs(git: Plumbing, *refs: str) -> dict[str, str]:
    """Return the object ids of full ref names on origin; those that are not there are left out."""
    if not address(git):
        return {}
    lines = git.text("ls-remote", "origin", *refs).splitlines()
    found = {name: oid for oid, name in (line.split("\t") for line in lines)}
    return {ref: found[ref] for ref in refs if ref in found}


def push(git: Plumbing, *refspecs: str, options: tuple[str, ...] = (), said: tuple[str, ...] = ()) -> str:
    """Push refspecs to origin when there is one, with push options `said`; return the words of the answer.

    TryAgainError when origin moved.
    """
    if not address(git):
        return ""
    return git.told("push", *options, *(f"--push-option={one}" for one in said), "origin", *refspecs)


def fetch(git: Plumbing) -> None:
    """Fetch branches and tags of origin; a tag that this checkout has is never replaced."""
    git.run("fetch", "--no-prune", "--no-tags", "origin", f"+{HEADS}*:refs/remotes/origin/*")
    try:
        git.run("fetch", "--no-prune", "--no-tags", "origin", "refs/tags/*:refs/tags/*")
    except PracticumError as error:
        if "would clobber existing tag" not in error.details:
            raise


def publish(git: Plumbing, said: tuple[str, ...] = ()) -> None:
    """Push main to origin, fast-forward only; see Repository.publish."""
    require_main(git)
    try:
        push(git, f"{HEADS}{MAIN}:{HEADS}{MAIN}", said=said)
    except TryAgainError as error:
        raise TryAgainError(
            f"main moved on origin before the commits of {git.root} arrived there",
            details=error.details,
            resolution=_diverged(git),
        ) from error


def synchronise(git: Plumbing, drop: bool = False) -> None:
    """Fetch and fast-forward main; see Repository.synchronise."""
    require_main(git)
    if not address(git):
        return
    fetch(git)
    theirs = git.answer("rev-parse", "--verify", "--quiet", f"{TRACKED}^{{commit}}")
    ours = resolve(git, "HEAD")
    if theirs is None or is_ancestor(git, theirs, ours):
        return
    if is_ancestor(git, ours, theirs) or (drop and _generated(git)):
        advance(git, ours, theirs)
        return
    raise PracticumError(
        f"main of {git.root} and main of origin have different commits",
        details=git.text("rev-list", "--format=%h %an: %s", "--no-commit-header", f"{TRACKED}..HEAD"),
        resolution=_diverged(git),
    )


def require_published(git: Plumbing) -> None:
    """Raise PracticumError when this checkout has commits that origin's main has not; see synchronise."""
    synchronise(git)
    if address(git) and git.answer("rev-parse", "--verify", "--quiet", f"{TRACKED}^{{commit}}") != resolve(git, "HEAD"):
        raise PracticumError(
            f"main of {git.root} has commits that origin has not; nothing was done",
            details=git.text("rev-list", "--format=%h %an: %s", "--no-commit-header", f"{TRACKED}..HEAD"),
            resolution=f"git -C {git.root} push origin {MAIN}, then run the command again",
        )


def delete_branch(git: Plumbing, branch: str) -> None:
    """Delete a branch on origin, then in the checkout; it may be gone already."""
    ref = HEADS + branch
    if ref in remote_refs(git, ref):
        push(git, f":{ref}")
    local = git.answer("rev-parse", "--verify", "--quiet", ref)
    if local:
        git.run("update-ref", "-d", ref, local)


def set_branch(git: Plumbing, branch: str, commit: str) -> None:
    """Point a branch of the checkout to a commit, whether it exists or not."""
    ref = HEADS + branch
    old = git.answer("rev-parse", "--verify", "--quiet", ref)
    move_branch(git, ref, commit, old or "", f"{branch} to {commit}")


def only_practicum(git: Plumbing, *revisions: str) -> bool:
    """Say whether every commit that the revisions select was made by Practicum."""
    return set(git.text("rev-list", "--no-commit-header", "--format=%ce", *revisions).split()) <= {EMAIL}


def _generated(git: Plumbing) -> bool:
    """Say whether the commits that origin lacks may go: edits, checkpoints and operations are nowhere else."""
    subjects = git.text("rev-list", "--no-commit-header", "--format=-%s", f"{TRACKED}..HEAD").splitlines()
    return only_practicum(git, f"{TRACKED}..HEAD") and all(subject.startswith(f"-{GENERATED}") for subject in subjects)


def _diverged(git: Plumbing) -> str:
    again = "then run the command again"
    if git.answer("rev-parse", "--verify", "--quiet", TRACKED) and not _generated(git):
        return f"Put your commits on top: git -C {git.root} pull --rebase origin main, {again}."
    drop = f"git -C {git.root} fetch origin && git -C {git.root} reset --keep origin/main"
    return f"The commits here are generated and are made anew. Drop them: {drop}, {again}."
