"""Make a fresh GitOps repository and the local bare repository that is its origin."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from practicum.errors import UsageError
from practicum.git.checkout import MAIN, require_safe, write
from practicum.git.failures import disk_failure
from practicum.git.objects import changed_tree, refresh_index, resolve, staged, update_index, write_commit
from practicum.git.origin import HEADS, address, remote_refs
from practicum.git.plumbing import Plumbing

_BEGUN = Path(".practicum/creating")  # stands from before the first effect until all is done
_OURS = "practicum.repository"


def create(path: Path, files: Mapping[str, bytes], remote: Path | None, message: str, exist_ok: bool) -> None:
    """Make the repository; see Repository.create. Each step looks first whether it was done."""
    git = Plumbing(path)
    if is_complete(git):
        _accept_existing(path, exist_ok)
        return
    require_safe(path, files)
    require_free(path, remote)
    begin(git)
    first_commit(git, files, message)
    if remote:
        bare_origin(git, remote)
    finish(git)


def is_complete(git: Plumbing) -> bool:
    """Say whether `create` has made the repository and has ended."""
    if not git.git_dir.is_dir() or (git.root / _BEGUN).exists():
        return False
    return git.answer("config", "--local", "--get", _OURS) == "true"


def require_free(path: Path, remote: Path | None) -> None:
    """Raise UsageError when a folder is used by something else than a creation that was killed."""
    if (path / _BEGUN).exists():
        return
    for folder in filter(None, (path, remote)):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is not an empty folder", resolution="Give a folder that does not exist yet, or an empty one."
            )


def begin(git: Plumbing) -> None:
    """Make an empty repository on main whose bytes are the same on every machine."""
    write(git.root, {str(_BEGUN): b"practicum init is at work here; run it again if it was killed\n"})
    git.run("init", "--quiet", "--template=", str(git.root))
    if git.answer("rev-parse", "--verify", "--quiet", "HEAD") is None:
        git.run("symbolic-ref", "HEAD", f"{HEADS}{MAIN}")
    for name, value in (("core.autocrlf", "false"), (_OURS, "true")):
        git.run("config", "--local", name, value)


def first_commit(git: Plumbing, files: Mapping[str, bytes], message: str) -> None:
    """Write and commit the files; a first commit that a killed run made is kept."""
    if git.answer("rev-parse", "--verify", "--quiet", "HEAD"):
        return
    write(git.root, files)
    new = staged(git, None, files)
    made = write_commit(git, changed_tree(git, None, new), [], message)
    git.run("read-tree", "--empty")
    update_index(git, new)
    refresh_index(git)
    git.run("update-ref", f"{HEADS}{MAIN}", made, "")


def bare_origin(git: Plumbing, remote: Path) -> None:
    """Make the bare repository under another name, fill it, move it to its place, and call it origin."""
    if not remote.exists() or not any(remote.iterdir()):
        new = remote.with_name(f".{remote.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        try:
            _fill(git, new, remote)
            new.replace(remote)
        except OSError as error:
            raise disk_failure(remote, error) from error
    _connect(git, remote)
    if remote_refs(git, f"{HEADS}{MAIN}").get(f"{HEADS}{MAIN}") != resolve(git, "HEAD"):
        raise UsageError(
            f"{remote} is another repository than the one of {git.root}",
            resolution="Give a path that does not exist yet for the bare repository.",
        )


def finish(git: Plumbing) -> None:
    """Take away the mark of an unfinished creation."""
    write(git.root, {str(_BEGUN): None})


def _accept_existing(path: Path, exist_ok: bool) -> None:
    if not exist_ok:
        raise UsageError(
            f"{path} is a repository of Practicum already", resolution="Use it as it is, or give another folder."
        )


def _fill(git: Plumbing, new: Path, remote: Path) -> None:
    remote.parent.mkdir(parents=True, exist_ok=True)
    git.run("clone", "--quiet", "--bare", "--no-local", "--template=", str(git.root), str(new))
    config = ("config", "--file", str(new / "config"))
    git.run(*config, "--remove-section", "remote.origin")
    # Pushes run the hooks of the receiving side: its own, not those of somebody's global configuration.
    git.run(*config, "core.hooksPath", str(remote / "hooks"))


def _connect(git: Plumbing, remote: Path) -> None:
    if address(git) != str(remote):
        git.run("config", "--local", "remote.origin.url", str(remote))
    git.run("config", "--local", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    git.run("config", "--local", f"branch.{MAIN}.remote", "origin")
    git.run("config", "--local", f"branch.{MAIN}.merge", f"{HEADS}{MAIN}")
    git.run("fetch", "--quiet", "--no-prune", "--no-tags", "origin")
