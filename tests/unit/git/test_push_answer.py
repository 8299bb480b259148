"""What GitLab says to a push, in the forms it has."""

import pytest

from practicum.git.push_answer import Answer, read_answer, request_options

pytestmark = pytest.mark.parametrize("home", ["plain"], indirect=True)
BRANCH = "promote/net101/firewalls"
URL = "https://gitlab.example.org/teaching/labs/-/merge_requests/12"
MADE = f"remote: \nremote: View merge request for {BRANCH}:        \nremote:   {URL}        \nremote: \n"
ASKED = f"remote: \nremote: To create a merge request for {BRANCH}, visit:\nremote:   {URL[:-2]}new?a%5Bx%5D=1\n"
FRAME = "remote: " + "=" * 72
WARNED = f"""{FRAME}
remote:
remote:                                WARNINGS:
remote:    Error encountered with push options 'merge_request.create': Another
remote:       open merge request already exists for this source branch: !12
remote:
{FRAME}
"""
WORDS = (
    "WARNINGS: Error encountered with push options 'merge_request.create': Another open merge request already exists"
)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (MADE + "To https://gitlab.example.org/teaching/labs.git\n", Answer(URL, 12)),
        (ASKED, Answer()),
        (WARNED + MADE, Answer(URL, 12, f"{WORDS} for this source branch: !12")),
        (WARNED, Answer("", 0, f"{WORDS} for this source branch: !12")),
        ("Everything up-to-date\n", Answer()),
        ("", Answer()),
        (MADE.replace(BRANCH, "promote/net101/other"), Answer()),
        (MADE.replace("/12", "/12/diffs"), Answer()),
        (MADE.replace("https:", "javascript:"), Answer()),
        (MADE.replace("remote: ", ""), Answer()),
    ],
)
def test_answers(words, answer):
    assert read_answer(words, BRANCH) == answer


def test_options_are_lines_of_their_own():
    assert request_options("Promote", "Release 3", "promotion", "ada") == (
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Promote",
        "merge_request.description=Release 3",
        "merge_request.label=promotion",
        "merge_request.assign=ada",
        "merge_request.remove_source_branch",
    )


@pytest.mark.parametrize("text", ["a\n/approve", "a\\n/approve", "a\0b"])
def test_what_would_become_another_line_is_refused(text):
    with pytest.raises(ValueError, match="one line"):
        request_options("Promote", text, "promotion", "")
