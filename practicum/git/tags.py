"""Annotated tags: the release records that are never moved."""

import re

from practicum.errors import PracticumError
from practicum.git.objects import resolve
from practicum.git.origin import push, remote_refs
from practicum.git.plumbing import Plumbing

_TRAILING_NUMBER = re.compile(r"^(.*?)(\d*)$", re.DOTALL)


def tags(git: Plumbing, prefix: str) -> dict[str, str]:
    """Return name → message of the annotated tags that start with `prefix`, in order of their trailing number."""
    fields = git.fields("for-each-ref", "--format=%(objecttype)%00%(refname)%00%(contents)%00", "refs/tags/")
    found = {}
    for kind, ref, message in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        name = ref.removeprefix("refs/tags/")
        if kind.strip() == "tag" and name.startswith(prefix):
            found[name] = message.removesuffix("\n")
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def tag(git: Plumbing, name: str, message: str, commit: str) -> None:
    """Set an annotated tag here and on origin; see Repository.tag."""
    ref, target = f"refs/tags/{name}", resolve(git, commit)
    there = remote_refs(git, ref)
    if ref in there and not git.answer("rev-parse", "--verify", "--quiet", ref):
        git.run("fetch", "--no-tags", "origin", f"{ref}:{ref}")
    if git.answer("rev-parse", "--verify", "--quiet", ref):
        _require_same(git, name, message, target)
        if ref not in there:
            _send(git, ref)
        return
    made = _object(git, name, message, target)
    # To origin first: were this run killed in between, this checkout alone would believe in a release.
    push(git, f"{made}:{ref}")
    git.run("update-ref", ref, made, git.nothing)


def _send(git: Plumbing, ref: str) -> None:
    """Push a tag that is only here; one that does not arrive is taken back."""
    try:
        push(git, f"{ref}:{ref}")
    except BaseException:
        git.run("update-ref", "-d", ref)
        raise


def _object(git: Plumbing, name: str, message: str, target: str) -> str:
    """Write an annotated tag without a name that points to it; return its id."""
    tagger = git.text("var", "GIT_COMMITTER_IDENT")
    text = f"object {target}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}\n"
    return git.text("mktag", stdin=text.encode())


def _require_same(git: Plumbing, name: str, message: str, target: str) -> None:
    ref = f"refs/tags/{name}"
    if git.text("rev-parse", f"{ref}^{{commit}}") == target and tags(git, name).get(name) == message.rstrip("\n"):
        return
    raise PracticumError(
        f"the tag {name} exists and says something else; a release is never changed",
        details=git.text("show", "--no-patch", "--no-color", "--format=%h %s", ref),
        resolution="Make a new release with the next number.",
    )


def _natural(name: str) -> tuple[str, int]:
    match = _TRAILING_NUMBER.match(name)
    words, number = match.groups() if match else (name, "")
    return words, int(number or -1)
