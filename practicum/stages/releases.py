"""Releases: what a pilot proved and prod may run, kept as annotated tags that are never moved."""

import json
from collections.abc import Mapping
from typing import Any

from generator.render.tree import lab_folder
from practicum.errors import InputError
from practicum.stages.deployment import Deployment
from practicum.stages.workspace import Workspace

PINS = ("checkpoint", "spec_commit", "images", "volumes", "volume_project")


def tag_prefix(lab: str) -> str:
    """Return what the names of a lab's release tags begin with."""
    return f"release/{lab}/"


def releases(workspace: Workspace, lab: str) -> dict[int, dict[str, Any]]:
    """Return the content of a lab's release tags by number; other tags below the prefix are not releases."""
    prefix = tag_prefix(lab)
    tags = workspace.repository.tags(prefix).items()
    numbered = {name.removeprefix(prefix): text for name, text in tags}
    return {int(number): json.loads(text) for number, text in numbered.items() if number.isdigit() and _is_json(text)}


def is_proved(workspace: Workspace, lab: str, pins: Mapping[str, Any]) -> bool:
    """Say whether a pilot passed a checkpoint: a release tag carries its pins."""
    return any(all(content[key] == pins[key] for key in PINS) for content in releases(workspace, lab).values())


def verify_release(workspace: Workspace, deployment: Deployment) -> int:
    """Return the release that prod's committed folder is. Raises InputError when no release tag carries its digest."""
    release = deployment.release or {}
    content = releases(workspace, deployment.lab).get(release.get("release", 0))
    same = content is not None and all(release.get(key) == content[key] for key in content if key != "tree")
    if content is None or not same or content["tree"] != deployment.digest or release.get("tree") != content["tree"]:
        raise InputError(
            f"prod of {deployment.lab} is not what a pilot proved: its files were changed outside of a promotion",
            details=f"{lab_folder('prod', deployment.lab)} has digest {deployment.digest}",
            resolution=f"practicum promote {deployment.lab} writes the proved release again",
        )
    return int(release["release"])


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
