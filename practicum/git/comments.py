"""One comment on a merge request that is updated in place, and one commit status a stage."""

from collections.abc import Callable
from typing import Literal

from practicum.git.gitlab import GitLab

State = Literal["pending", "running", "success", "failed", "canceled"]
# GitLab's own limits (app/models/note.rb; Ci::Stage names in commit statuses).
LONGEST = 900_000
LONGEST_DESCRIPTION = 255


def put_comment(server: GitLab, request: int, mark: str, text: str, covers: Callable[[str], bool]) -> str:
    """Make the comment that begins with `mark` say `text`, and return its URL; empty when it is not about the newest.

    `covers(commit)` says whether the text is about the request's newest commit: the comment of an older one must not
    replace that of a newer one, whichever pipeline is faster. Only comments of the token's own user count: anybody
    may write one that begins with the mark.
    """
    place = f"merge_requests/{request}"
    found = server.get(place)
    if not covers(str(found["sha"])):
        return ""
    notes = server.all(f"{place}/notes", sort="asc", order_by="created_at")
    mine = [note for note in notes if note["author"]["id"] == server.me["id"] and note["body"].startswith(mark)]
    body = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n\n… `practicum review` shows the rest."
    if not mine:
        mine = [server.post(f"{place}/notes", body=body)]
    elif mine[0]["body"].strip() != body.strip():
        server.put(f"{place}/notes/{mine[0]['id']}", body=body)
    for note in mine[1:]:  # two pipelines made one each at the same time
        server.delete(f"{place}/notes/{note['id']}")
    return f"{found['web_url']}#note_{mine[0]['id']}"


def set_status(server: GitLab, commit: str, name: str, state: State, description: str = "", url: str = "") -> None:
    """Say at a commit how a stage stands. GitLab refuses to set the state again that it has: that is as well."""
    content = {"state": state, "name": name, "description": description[:LONGEST_DESCRIPTION]}
    given = [one for one in server.all(f"repository/commits/{commit}/statuses", name=name) if one["status"] == state]
    if not given:
        server.post(f"statuses/{commit}", **content, **({"target_url": url} if url else {}))
