"""A merge request from one branch into main, over GitLab's API: made once, updated in place, merged as it was seen."""

from dataclasses import dataclass

from practicum.errors import PermissionsError, TryAgainError, UnavailableError
from practicum.git.checkout import MAIN
from practicum.git.gitlab import GitLab, GitLabRefusal, Json

# detailed_merge_status → what is waited for (docs.gitlab.com/api/merge_requests, "Merge status").
WAITING = {
    "approvals_syncing": "GitLab, which looks who approved",
    "blocked_status": "another merge request",
    "broken_status": "GitLab, which cannot merge it; set auto-merge off and on",
    "checking": "GitLab, which looks whether it can be merged",
    "ci_must_pass": "its pipeline",
    "ci_still_running": "its pipeline",
    "conflict": "a new promotion: main and it changed the same lines",
    "discussions_not_resolved": "open threads",
    "draft_status": "somebody who marks it as ready",
    "need_rebase": "a new promotion: main moved",
    "not_approved": "an approval",
    "preparing": "GitLab, which prepares it",
    "requested_changes": "a reviewer who asked for changes",
    "security_policy_violations": "a security policy",
    "unchecked": "GitLab, which looks whether it can be merged",
}
# GitLab learns of a push a little later than git; seconds between two looks.
LOOKS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Proposal:
    """What a merge request is to be. `tip` is the commit of its branch, `assignee` a login or empty."""

    branch: str
    tip: str
    title: str
    description: str
    label: str
    assignee: str = ""


@dataclass(frozen=True)
class MergeRequest:
    """A merge request as GitLab has it. `waits_for` says in words for what; empty when nothing is in the way."""

    number: int
    url: str
    waits_for: str
    may_merge: bool
    notes: tuple[str, ...] = ()


def propose(server: GitLab, proposal: Proposal) -> MergeRequest:
    """Make or update the open merge request of a branch, and return it. TryAgainError when the branch moved."""
    notes = []
    people = server.users(proposal.assignee) if proposal.assignee else []
    if proposal.assignee and not people:
        notes.append(f"GitLab knows no user '{proposal.assignee}', so nobody is assigned")
    content: Json = {"title": proposal.title, "description": proposal.description, "labels": proposal.label}
    content |= {"assignee_ids": [one["id"] for one in people], "remove_source_branch": True}
    found = _open(server, proposal.branch) or _make(server, proposal, content)
    if _differs(found, content):
        server.put(f"merge_requests/{found['iid']}", **content)
    return _read(server, _seen(server, found["iid"], proposal.tip), tuple(notes))


def close(server: GitLab, branch: str, why: str) -> list[str]:
    """Close the open merge requests of a branch with a comment that says why; return their URLs."""
    closed = []
    for one in server.all("merge_requests", state="opened", source_branch=branch):
        server.post(f"merge_requests/{one['iid']}/notes", body=why)
        server.put(f"merge_requests/{one['iid']}", state_event="close")
        closed.append(str(one["web_url"]))
    return closed


def merge(server: GitLab, request: MergeRequest, tip: str, *, later: bool = False) -> bool:
    """Merge exactly `tip`, or with `later` let GitLab do it when nothing is in the way any more; True when merged.

    Raises PermissionsError when the token's user may not: GitLab takes a request for later from them too, and then
    merges for nobody. TryAgainError when the branch moved, UnavailableError when something is waited for.
    """
    if not request.may_merge:
        raise PermissionsError(
            f"the token's user may not merge {request.url}",
            resolution="merge it there, or give the token a role that the rules of main allow to merge",
        )
    # Servers before 17.11 know the second word only; each ignores the other.
    when = {"auto_merge": True, "merge_when_pipeline_succeeds": True} if later else {}
    try:
        place = f"merge_requests/{request.number}/merge"
        done = server.put(place, sha=tip, should_remove_source_branch=True, **when)
    except GitLabRefusal as error:
        raise _not_merged(request, error) from error
    return bool(done["state"] == "merged")


def _not_merged(request: MergeRequest, error: GitLabRefusal) -> Exception:
    if error.status == 409:
        return TryAgainError(
            f"the branch of {request.url} moved, so nothing was merged",
            details=error.details,
            resolution="promote again: what is proved is looked at anew",
        )
    if error.status in (405, 406, 422):
        return UnavailableError(
            f"{request.url} cannot be merged yet; it waits for {request.waits_for or 'something that GitLab shows'}",
            details=error.details,
            resolution="the same command goes on when that is done; or merge it in GitLab",
        )
    return error


def _open(server: GitLab, branch: str) -> Json | None:
    found = server.all("merge_requests", state="opened", source_branch=branch, target_branch=MAIN)
    return found[0] if found else None


def _make(server: GitLab, proposal: Proposal, content: Json) -> Json:
    try:
        return server.post("merge_requests", source_branch=proposal.branch, target_branch=MAIN, **content)
    except GitLabRefusal as error:
        # Somebody was faster, or the push itself made it.
        if error.status == 409 and (found := _open(server, proposal.branch)):
            return found
        raise


def _differs(found: Json, content: Json) -> bool:
    people = [one["id"] for one in found["assignees"]]
    same = all(found[key] == content[key] for key in ("title", "description"))
    return not same or content["labels"] not in found["labels"] or people != content["assignee_ids"]


def _seen(server: GitLab, number: int, tip: str) -> Json:
    """Return the merge request when it is at the tip. Raises TryAgainError when it does not come there."""
    for wait in (*LOOKS, 0.0):
        found = server.get(f"merge_requests/{number}")
        if found["sha"] == tip:
            return found
        if wait:
            server.pause(wait)
    raise TryAgainError(
        f"{found['web_url']} is at another commit than the one that was pushed",
        details=f"pushed {tip}, GitLab has {found['sha']}",
        resolution="somebody pushed to its branch, or GitLab is slow: promote again",
    )


def _read(server: GitLab, found: Json, notes: tuple[str, ...]) -> MergeRequest:
    status = str(found.get("detailed_merge_status", ""))
    waits = "" if status == "mergeable" else WAITING.get(status, status.replace("_", " "))
    if status == "not_approved":
        waits = _approvers(server, found["iid"]) or waits
    may = bool((found.get("user") or {}).get("can_merge"))
    return MergeRequest(int(found["iid"]), str(found["web_url"]), waits, may, notes)


def _approvers(server: GitLab, number: int) -> str:
    """Return in words whose approval is waited for; empty where the tier has no rules."""
    rules = (server.find(f"merge_requests/{number}/approval_state") or {}).get("rules", [])
    words = []
    for rule in rules:
        if not rule.get("approved") and rule.get("approvals_required"):
            people = ", ".join(f"@{one['username']}" for one in rule.get("eligible_approvers", [])[:6])
            words.append(f"{rule['approvals_required']} approval of {people or rule['name']} ({rule['name']})")
    return "; ".join(words)
