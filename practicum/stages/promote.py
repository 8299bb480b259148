"""Promotion: write a proved release to prod, by merge only."""

from dataclasses import dataclass
from typing import Any

from generator.render.tree import lab_folder
from practicum.errors import UnavailableError
from practicum.events import Event
from practicum.stages.checkpoint import tag_release
from practicum.stages.deployment import load_deployment, release_file
from practicum.stages.generate import render_prod
from practicum.stages.releases import is_proved, releases
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Promotion:
    """What a promotion did. `merge` is the merge commit, None when prod had the release already."""

    release: int
    merge: str | None


def promote(workspace: Workspace, lab: str) -> Promotion:
    """Promote dev's proved checkpoint: branch, merge, push. Promoting what no pilot passed is refused."""
    repository = workspace.repository
    repository.synchronise()
    pins = load_deployment(workspace, lab, "dev").release
    if pins is None or not is_proved(workspace, lab, pins):
        raise UnavailableError(
            f"the checkpoint of {lab} was not proved by a pilot" if pins else f"{lab} has no checkpoint",
            resolution=f"practicum checkpoint {lab}",
        )
    number = tag_release(workspace, lab, pins)
    changes = _changes(workspace, lab, number, releases(workspace, lab)[number])
    title = f"Promote {lab} to prod: release {number}"
    branch = f"promote/{lab}"
    tip = repository.merge_files(branch, changes, title, f"Checkpoint {pins['checkpoint']}: {pins['message']}")
    if tip == repository.head():
        workspace.emit(Event("promote", "skipped", f"prod has release {number} already"))
        return Promotion(number, None)
    merge = repository.merge(branch, title)
    workspace.emit(Event("promote", "done", f"release {number} merged as {repository.short(merge)}"))
    return Promotion(number, merge)


def _changes(workspace: Workspace, lab: str, number: int, content: dict[str, Any]) -> dict[str, bytes | None]:
    repository = workspace.repository
    tree = render_prod(workspace, lab, content["spec_commit"], repository.sources("HEAD"))
    tree |= release_file("prod", lab, {"release": number, **content})
    folder = lab_folder("prod", lab)
    present = repository.committed(folder)
    obsolete = [path for path in present if path not in tree and path != f"{folder}/operation.yaml"]
    return {**tree, **dict.fromkeys(obsolete)}
