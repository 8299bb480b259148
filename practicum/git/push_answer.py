"""What GitLab answers to a push: the address of a merge request, or why it made none.

A push that is taken says nothing about the merge request: git ends with 0 either way, and the words decide
(gitlab.com/gitlab-org/gitlab, issues 378787 and 297506). The forms are those of GitLab's post-receive messages.
"""

import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"https?://[^\s?#]+/-/merge_requests/([1-9][0-9]*)(?![\w/])")
_FRAME = re.compile(r"^=+$")
_WARNING = re.compile(r"^(WARNINGS?:|ERROR:)|Error encountered with push options|^WARNING: ")


@dataclass(frozen=True)
class Answer:
    """The merge request's URL and number, empty and 0 when none was named; what GitLab warned of."""

    url: str = ""
    number: int = 0
    warning: str = ""


def read_answer(words: str, branch: str) -> Answer:
    """Read what a push of `branch` wrote to stderr."""
    lines = [line.removeprefix("remote:").strip() for line in words.splitlines() if line.startswith("remote:")]
    url, number = "", 0
    for before, line in zip(["", *lines], lines, strict=False):
        found = _ADDRESS.fullmatch(line)
        if found and before == f"View merge request for {branch}:":
            url, number = found[0], int(found[1])
    return Answer(url, number, _warning(lines))


def _warning(lines: list[str]) -> str:
    """Return what stands from the first warning to the end of its frame, in one line."""
    start = next((at for at, line in enumerate(lines) if _WARNING.search(line)), None)
    if start is None:
        return ""
    rest = lines[start:]
    end = next((at for at, line in enumerate(rest) if _FRAME.match(line) or line.startswith("View merge")), len(rest))
    return " ".join(" ".join(rest[:end]).split())


def request_options(title: str, description: str, label: str, assignee: str) -> tuple[str, ...]:
    """Return the push options that ask for a merge request into main. Each is one line: git takes no other.

    GitLab makes a line break of a backslash and an n, so the texts may hold no backslash.
    """
    said = {"create": "", "target": "main", "title": title, "description": description, "label": label}
    given = {**said, **({"assign": assignee} if assignee else {}), "remove_source_branch": ""}
    for text in given.values():
        if any(ord(character) < 32 or character == "\\" for character in text):
            raise ValueError("a push option is one line, without a backslash")
    return tuple(f"merge_request.{name}{f'={text}' if text else ''}" for name, text in given.items())
