"""The merge request that promotes a release: by GitLab's API where there is a token, else by push options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from generator.diagnostics.markdown import code
from practicum.errors import InputError, PracticumError
from practicum.git import merge_requests
from practicum.git.gitlab import GitLab
from practicum.git.merge_requests import MergeRequest, Proposal
from practicum.git.push_answer import read_answer, request_options
from practicum.stages.class_list import committed_lab
from practicum.stages.forge import auto_merge_of, connect, has_token, project_of
from practicum.stages.releases import promotion_title
from practicum.stages.workspace import Workspace

LABEL = "promotion"
SUPERSEDED = "Prod has this release already, so there is nothing left to merge here."


@dataclass(frozen=True)
class Proposed:
    """A merge request that waits. `url` is its page, or where to look for it; `waits_for` says for whom, if known."""

    url: str
    waits_for: str
    notes: tuple[str, ...] = ()
    merged: bool = False


@dataclass(frozen=True)
class Proposing:
    """One promotion by merge request. `push(options, hear)` pushes the branch and returns its tip."""

    workspace: Workspace
    lab: str
    release: int
    content: Mapping[str, Any]
    branch: str

    def with_push(self, push: Callable[..., str], *, at_once: bool) -> Proposed | None:
        """Push the branch, and have GitLab make the merge request; None when there is nothing to merge.

        With `at_once` it is merged, at exactly the commit that was pushed. Raises what stands in the way of that.
        """
        heard = list[str]()
        server = connect(project_of(self.workspace)) if at_once or has_token() else None
        title, professor = promotion_title(self.lab, self.release), self._professor()
        said = () if server else request_options(title, self.description, LABEL, professor)
        tip = push(said=said, hear=heard.append)
        if tip == self.workspace.repository.head():
            if server:
                merge_requests.close(server, self.branch, SUPERSEDED)
            return None
        if server is None:
            return self._answered("".join(heard))
        proposal = Proposal(self.branch, tip, title, self.description, LABEL, professor)
        found = merge_requests.propose(server, proposal)
        if at_once:
            return Proposed(found.url, "", found.notes, merged=merge_requests.merge(server, found, tip))
        return self._and_merge_later(server, found, tip)

    @property
    def description(self) -> str:
        """What the merge request says, in one line; the professor's words are code in it."""
        told = [f"checkpoint {self.content['checkpoint']}", code(str(self.content.get("message", "")))]
        told += [f"taken {code(str(self.content['taken']))}"] if self.content.get("taken") else []
        told += [f"by {code(str(self.content['author']))}"] if self.content.get("author") else []
        what = (
            f"Release {self.release} of {code(self.lab)}: {', '.join(told)}, spec of {self.content['spec_commit'][:8]}."
        )
        return f"{what} A pilot passed it. Merged, it is what the class gets at the next delivery."

    def _professor(self) -> str:
        try:
            return committed_lab(self.workspace, self.lab).professor or ""
        except InputError:  # the release is older than what is wrong now
            return ""

    def _and_merge_later(self, server: GitLab, found: MergeRequest, tip: str) -> Proposed:
        notes, merged = list(found.notes), False
        if auto_merge_of(self.workspace):
            try:
                merged = merge_requests.merge(server, found, tip, later=True)
            except PracticumError as error:
                notes.append(f"auto-merge was not set: {error.message}")
        return Proposed(found.url, found.waits_for, tuple(notes), merged)

    def _answered(self, words: str) -> Proposed:
        project = project_of(self.workspace)
        listed = f"{project}/-/merge_requests?state=opened&source_branch={quote(self.branch, safe='')}"
        answer = read_answer(words, self.branch)
        if answer.url:
            return Proposed(answer.url, "", (f"GitLab said: {answer.warning}",) if answer.warning else ())
        if words and answer.warning:
            why = f"GitLab took the branch and said: {answer.warning}"
        elif words:
            why = "GitLab took the branch and named no merge request"
        else:
            why = "the branch was there already, so GitLab was told nothing"
        new = f"{project}/-/merge_requests/new?merge_request%5Bsource_branch%5D={quote(self.branch, safe='')}"
        return Proposed(listed, "", (why, f"if none is open there, open it by hand: {new}"))
