"""Promotion: write a proved release to prod, by merge only."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from generator.render.tree import lab_folder
from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.stages.checkpoint import tag_release
from practicum.stages.deployment import load_deployment, release_file
from practicum.stages.forge import project_of
from practicum.stages.generate import prod_argocd, render_prod
from practicum.stages.propose import Proposed, Proposing
from practicum.stages.releases import is_proved, promotion_title, release_before, releases, verify_release
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Promotion:
    """What a promotion did: `branch` carried it, None when prod had the release already; `merge` is the commit.

    Without a merge it waits for people, on a branch or in a merge `request`.
    """

    release: int
    merge: str | None = None
    branch: str | None = None
    request: Proposed | None = None


def promote(
    workspace: Workspace, lab: str, *, rollback: bool = False, at_once: bool = False, propose: bool = False
) -> Promotion:
    """Promote dev's proved checkpoint, or roll back to the checkpoint before prod's: branch, merge, push.

    Where the platform file names a GitLab project, a merge request waits for people; with `at_once` the token's user
    merges it now. Elsewhere the branch waits with `propose`. Promoting what no pilot passed is refused. A roll-back is
    the same operation with older pins: seats and addresses are those of today, so it is a release of its own.
    """
    repository = workspace.repository
    repository.synchronise()
    pins = _pins_before(workspace, lab) if rollback else _proved_pins(workspace, lab)
    number = tag_release(workspace, lab, pins)
    changes = _changes(workspace, lab, number, releases(workspace, lab)[number])
    title = promotion_title(lab, number)
    branch = f"promote/{lab}"
    push = partial(
        repository.merge_files, branch, changes, title, f"Checkpoint {pins['checkpoint']}: {pins['message']}"
    )
    if project_of(workspace):
        proposing = Proposing(workspace, lab, number, pins, branch)
        return _by_request(proposing, push, at_once=at_once)
    tip = push()
    if tip == repository.head():
        workspace.emit(Event("promote", "skipped", f"prod has release {number} already"))
        return Promotion(number)
    if propose:
        workspace.emit(Event("promote", "done", f"release {number} waits for the merge of {branch}"))
        return Promotion(number, branch=branch)
    merge = repository.merge(branch, title)
    workspace.emit(Event("promote", "done", f"release {number} merged as {repository.short(merge)}"))
    return Promotion(number, merge, branch)


def _by_request(proposing: Proposing, push: Callable[..., str], *, at_once: bool) -> Promotion:
    workspace, number, repository = proposing.workspace, proposing.release, proposing.workspace.repository
    proposed = proposing.with_push(push, at_once=at_once)
    if proposed is None:
        workspace.emit(Event("promote", "skipped", f"prod has release {number} already"))
        return Promotion(number)
    for note in proposed.notes:
        workspace.emit(Event("promote", "warning", note))
    if not proposed.merged:
        workspace.emit(Event("promote", "done", f"release {number} waits in {proposed.url}"))
        return Promotion(number, branch=proposing.branch, request=proposed)
    repository.synchronise()
    # What GitLab made of both sides is looked at again: only what a pilot proved may be delivered.
    verify_release(workspace, load_deployment(workspace, proposing.lab, "prod"))
    workspace.emit(Event("promote", "done", f"release {number} merged as {repository.short(repository.head())}"))
    return Promotion(number, repository.head(), proposing.branch)


def _proved_pins(workspace: Workspace, lab: str) -> dict[str, Any]:
    pins = load_deployment(workspace, lab, "dev").release
    if pins is None or not is_proved(workspace, lab, pins):
        raise UnavailableError(
            f"the checkpoint of {lab} was not proved by a pilot" if pins else f"{lab} has no checkpoint",
            resolution=f"practicum checkpoint {lab} takes one and proves it; practicum pipeline {lab} does all of it",
        )
    return pins


def _pins_before(workspace: Workspace, lab: str) -> dict[str, Any]:
    """Return the pins of the newest proved checkpoint that is older than prod's. Raises UnavailableError for none."""
    current = load_deployment(workspace, lab, "prod").release or {}
    pins = release_before(workspace, lab, current)
    if pins is None:
        raise UnavailableError(
            f"{lab} has no release before checkpoint {current.get('checkpoint')}; nothing was done",
            resolution=f"practicum checkpoint list {lab} shows what a pilot proved",
        )
    return {**pins, "message": f"Roll back from checkpoint {current['checkpoint']}"}


def _changes(workspace: Workspace, lab: str, number: int, content: dict[str, Any]) -> dict[str, bytes | None]:
    repository = workspace.repository
    state = repository.sources("HEAD")
    tree = render_prod(workspace, lab, content["spec_commit"], state)
    tree |= release_file("prod", lab, {"release": number, **content})
    folder = lab_folder("prod", lab)
    present = repository.committed(folder)
    obsolete = [path for path in present if path not in tree and path != f"{folder}/operation.yaml"]
    return {**tree, **dict.fromkeys(obsolete), **prod_argocd(workspace, lab, content["spec_commit"], state)}
