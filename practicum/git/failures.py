"""Say in the words of Practicum's users what git refused to do."""

import re
from pathlib import Path

from practicum.errors import PermissionsError, PracticumError, TryAgainError, UnavailableError

_CREDENTIALS = re.compile(r"://[^/@\s]+@")

# The first line that matches git's own words decides: (pattern, error, what to do). {root} is the checkout.
_KNOWN: tuple[tuple[str, type[PracticumError], str], ...] = (
    (
        r"dubious ownership",
        PermissionsError,
        "The checkout belongs to another user. If you trust it: git config --global --add safe.directory {root}",
    ),
    (
        r"Permission denied|Authentication failed|could not read (Username|Password)|insufficient permission"
        r"|protected branch|not allowed to push|Read-only file system|HTTP Basic: Access denied",
        PermissionsError,
        "Give this user write access to {root} and its remote repository, with an SSH key or a git credential helper.",
    ),
    (
        r"\.lock': File exists|cannot lock ref|Another git process|failed to update ref|incorrect old value",
        TryAgainError,
        "Another git process works in {root}. Run the command again; if none runs, remove the .lock file git names.",
    ),
    (
        r"\[rejected\]|fetch first|non-fast-forward|stale info",
        TryAgainError,
        "Someone else pushed meanwhile. Fetch (git -C {root} pull --ff-only), then run the command again.",
    ),
    (
        r"Could not resolve host|Connection (refused|timed out|reset)|unable to access|Could not read from remote"
        r"|does not appear to be a git repository|[Rr]epository .* not found|The remote end hung up",
        UnavailableError,
        "Check the address (git -C {root} remote -v) and that the git server answers.",
    ),
    (
        r"failed to sign|failed to write commit object|user\.signingkey|Couldn't load public key|Load key",
        UnavailableError,
        "The key of practicum.signingKey cannot sign: see git -C {root} config practicum.signingKey, and gpg.format.",
    ),
    (
        r"does not support push options",
        UnavailableError,
        "Only GitLab takes promotions by push options. Take 'git: project:' out of the platform file, or give a token.",
    ),
    (r"No space left on device|Disk quota exceeded", UnavailableError, "Free space on the disk that holds {root}."),
)


def git_failure(command: str, words: str, root: Path) -> PracticumError:
    """Translate a failed git command.

    `command` is git's subcommand, `words` what it wrote to stderr, `root` the checkout it ran in.
    Returns the error to raise; credentials in addresses are left out of it.
    """
    details = _CREDENTIALS.sub("://…@", words.strip())
    message = f"git {command} failed in {root}"
    for pattern, error, resolution in _KNOWN:
        if re.search(pattern, details):
            return error(message, details=details, resolution=resolution.format(root=root))
    return PracticumError(message, details=details, resolution=f"See what git says with: git -C {root} status")


def disk_failure(path: Path, error: OSError) -> PracticumError:
    """Translate a failure to read or write `path`; returns the error to raise."""
    family = PermissionsError if isinstance(error, PermissionError) else PracticumError
    return family(
        f"cannot read or write {path}",
        details=error.strerror or str(error),
        resolution="Make the path a regular file that this user may read and write, on a disk with free space.",
    )
