"""Run git in one checkout, the same way whatever the user's configuration and environment say."""

import os
import tempfile
from functools import cached_property
from pathlib import Path

from practicum.errors import UnavailableError
from practicum.git.failures import git_failure

try:
    import git
except ImportError as error:  # GitPython is not installed, or it finds no git program
    raise UnavailableError(
        "git cannot be used",
        details=str(error),
        resolution="Install git and GitPython: apt install git; pip install 'practicum[git]'",
    ) from error

NAME = "Practicum"
EMAIL = "practicum@localhost"
IDENTITY = {
    "GIT_AUTHOR_NAME": NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
    "GIT_OPTIONAL_LOCKS": "0",  # reading must not collide with the user's own git
    "GIT_TERMINAL_PROMPT": "0",  # a question for a password would stand in the middle of a progress display
}

# Bytes on disk are the bytes in git, nothing is signed, no hook and no daemon of the user takes part.
SETTINGS = (
    "clone.defaultRemoteName=origin",
    "commit.gpgSign=false",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.safecrlf=false",
    "core.splitIndex=false",
    "fetch.recurseSubmodules=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    "protocol.file.allow=user",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "tag.forceSignAnnotated=false",
    "tag.gpgSign=false",
)


class Plumbing:
    """Git commands in the checkout at `root`. `git_dir` is its git directory when that is not `root/.git`."""

    def __init__(self, root: Path, git_dir: Path | None = None) -> None:
        self.root = root
        self.git_dir = git_dir or root / ".git"
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        # -C: GitPython would fall back to the process's folder when `root` is gone.
        self._prefix = ["git", "-C", str(root), "--literal-pathspecs", *options]

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """Run `git ARGUMENTS` and return its output.

        `stdin` is fed to it, `index` is used instead of the checkout's own index.
        Raises the PracticumError that tells what git refused.
        """
        status, output, words = self._execute(arguments, stdin, index)
        if status:
            raise git_failure(arguments[0], words, self.root)
        return output

    def told(self, *arguments: str) -> str:
        """Run git as `run` does; returns what it, and a server that it spoke to, said on stderr."""
        status, _output, words = self._execute(arguments, b"", None)
        if status:
            raise git_failure(arguments[0], words, self.root)
        return words

    def text(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """Run git as `run` does; returns its output as text without white space at the ends."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, index=index)).strip()

    def fields(self, *arguments: str, index: Path | None = None) -> list[str]:
        """Run git with an option that ends each field with NUL; returns the fields."""
        return os.fsdecode(self.run(*arguments, index=index)).split("\0")[:-1]

    def answer(self, *arguments: str) -> str | None:
        """Run a query that ends with 1 to say "no"; returns the text, or None for "no"."""
        status, output, words = self._execute(arguments, b"", None)
        if status > 1 or status < 0:
            raise git_failure(arguments[0], words, self.root)
        return None if status else os.fsdecode(output).strip()

    @cached_property
    def nothing(self) -> str:
        """The object id that stands for no object, as long as this repository's ids are."""
        return "0" * (64 if self.text("rev-parse", "--show-object-format") == "sha256" else 40)

    def _execute(self, arguments: tuple[str, ...], stdin: bytes, index: Path | None) -> tuple[int, bytes, str]:
        with tempfile.TemporaryFile() as stream:
            stream.write(stdin)
            stream.seek(0)
            try:
                status, output, words = git.Git(self.root).execute(
                    [*self._prefix, *arguments],
                    istream=stream,
                    with_extended_output=True,
                    with_exceptions=False,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    env=self._environment(index),
                )
            except git.GitCommandNotFound as error:
                raise UnavailableError("git is not installed", resolution="apt install git") from error
        return status, output if isinstance(output, bytes) else os.fsencode(output), str(words)

    def _environment(self, index: Path | None) -> dict[str, str]:
        """Identity, and this checkout in place of the one a git hook that started us speaks of."""
        here = {
            "GIT_DIR": str(self.git_dir),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self.git_dir / "index"),
        }
        environment = IDENTITY | {name: value for name, value in here.items() if name in os.environ}
        return environment | ({"GIT_INDEX_FILE": str(index)} if index else {})


def find(folder: Path) -> tuple[Path, Path] | None:
    """Return the root and the git directory of the checkout that contains `folder`, None when there is none."""
    try:
        with git.Repo(folder, search_parent_directories=True, expand_vars=False) as repository:
            root, git_dir = repository.working_tree_dir, repository.git_dir
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        return None
    return (Path(root).resolve(), Path(git_dir).resolve()) if root else None
