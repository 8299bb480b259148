"""Releases: what a pilot proved and prod may run, kept as annotated tags that are never moved."""

import json
import re
from collections.abc import Mapping
from typing import Any

from generator.render.tree import lab_folder
from generator.spec.release import release_problems
from practicum.errors import InputError
from practicum.events import Event
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

PINS = ("checkpoint", "spec_commit", "images", "volumes", "volume_project")
# What people are told of a checkpoint; a release carries it on.
DESCRIPTION = ("message", "taken", "author", "size", "packages", "listing", "changes")
_NUMBER = re.compile("[1-9][0-9]*")


def tag_prefix(lab: str) -> str:
    """Return what the names of a lab's release tags begin with."""
    return f"release/{lab}/"


def releases(workspace: Workspace, lab: str) -> dict[int, dict[str, Any]]:
    """Return the content of a lab's release tags by number; other tags below the prefix are not releases."""
    prefix = tag_prefix(lab)
    tags = workspace.repository.tags(prefix).items()
    numbered = {int(match[0]): text for name, text in tags if (match := _NUMBER.fullmatch(name.removeprefix(prefix)))}
    return {number: content for number, text in numbered.items() if (content := _content(text)) is not None}


def is_proved(workspace: Workspace, lab: str, pins: Mapping[str, Any]) -> bool:
    """Say whether a pilot passed a checkpoint: a release tag carries its pins."""
    return any(all(content[key] == pins[key] for key in PINS) for content in releases(workspace, lab).values())


def images_of(pins: Mapping[str, Any]) -> list[str]:
    """Return the fingerprints of all images of a checkpoint: its machines', and of the lists of their files."""
    return [*pins["images"].values(), *([pins["listing"]] if "listing" in pins else [])]


def pilot_of(known: Mapping[int, Mapping[str, Any]], checkpoint: int | None = None) -> dict[str, Any] | None:
    """Return what the newest release tells of its pilot, of any checkpoint or the given one; None when none tells."""
    told = (one for _, one in sorted(known.items(), reverse=True) if checkpoint in (None, one["checkpoint"]))
    return next((one["pilot"] for one in told if "pilot" in one), None)


def release_before(workspace: Workspace, lab: str, current: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the release of the newest proved checkpoint that is older than a release's: what a roll-back goes to."""
    found = [one for one in releases(workspace, lab).values() if one["checkpoint"] < current.get("checkpoint", 0)]
    return max(found, key=lambda content: int(content["checkpoint"]), default=None)


def verify_release(workspace: Workspace, deployment: Deployment) -> int:
    """Return the release that prod's committed folder is. Raises InputError when no release tag carries its digest."""
    release = deployment.release or {}
    content = releases(workspace, deployment.lab).get(release.get("release", 0))
    same = content is not None and all(release.get(key) == content[key] for key in content if key != "tree")
    if content is None or not same or content["tree"] != deployment.digest or release.get("tree") != content["tree"]:
        raise _changed_outside(workspace, deployment)
    return release_number(deployment)


def release_number(deployment: Deployment) -> int:
    """Return the number of the release that prod's verified folder is."""
    return int((deployment.release or {})["release"])


def warn_unproved(workspace: Workspace, deployment: Deployment) -> None:
    """Say when the class runs definitions that no pilot proved; nothing for dev."""
    if deployment.environment == "prod":
        try:
            verify_release(workspace, deployment)
        except InputError as error:
            workspace.emit(Event("release", "warning", f"{error.message}; {error.details}; {error.resolution}"))


def _changed_outside(workspace: Workspace, deployment: Deployment) -> InputError:
    """Return the error that names the commit, who made it, and the way back."""
    folder = lab_folder("prod", deployment.lab)
    change = workspace.repository.last_change(
        f"{folder}/lxd", f"{folder}/kubernetes", f"{folder}/release.json", commit=deployment.commit
    )
    message = f"prod of {deployment.lab} is not what a pilot proved: its files were changed outside of a promotion"
    again = f"practicum promote {deployment.lab} writes the proved release of your copy"
    if change is None or change.subject == promotion_title(deployment.lab, (deployment.release or {}).get("release")):
        return InputError(
            message,
            details=f"no release tag carries what stands in {folder}",
            resolution=f"git fetch --tags brings tags that this checkout lacks; {again}",
        )
    way = f"git revert {'-m 1 ' if change.merge else ''}{change.sha}; git push"
    details = f"last changed by {change.author} on {change.date} in commit {change.sha}: {change.subject}"
    return InputError(message, details=details, resolution=f"{way} takes that back; {again}")


def promotion_title(lab: str, release: object) -> str:
    """Return the subject of the commit that promotes a release."""
    return f"Promote {lab} to prod: release {release}"


def _content(text: str) -> dict[str, Any] | None:
    """Return what a tag says; None for a text that no release has."""
    try:
        content: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if release_problems(content) else content
