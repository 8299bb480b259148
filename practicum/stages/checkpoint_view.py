"""What checkpoints there are, and which files differ between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator.seats.names import PROFESSOR
from practicum.errors import PracticumError, UnavailableError, UsageError
from practicum.lxd.desired import Instance
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.systems import Listing, changed
from practicum.stages.deployment import load_deployment
from practicum.stages.provision import desired_state
from practicum.stages.releases import releases
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class FileChange:
    """One file that differs between two checkpoints. `sign` is `+` for added, `-` for removed, `~` for changed."""

    machine: str
    sign: str
    path: str


def checkpoints(workspace: Workspace, lab: str) -> dict[int, dict[str, Any]]:
    """Return the proved checkpoints of a lab by number, each with its newest `release` and its pins."""
    found: dict[int, dict[str, Any]] = {}
    for number, content in releases(workspace, lab).items():
        found[content["checkpoint"]] = {**content, "release": number}
    return dict(sorted(found.items()))


def differences(workspace: Workspace, lab: str, older: int | None, newer: int | None) -> list[FileChange]:
    """Return what the system disks of two checkpoints differ in; without numbers, of the last two.

    Raises UsageError for a number that no pilot proved, UnavailableError when there is nothing to compare.
    """
    known = checkpoints(workspace, lab)
    first, second = _pair(lab, known, older, newer)
    deployment = load_deployment(workspace, lab, "dev")
    lxd = workspace.lxd(deployment.platform)
    desired = desired_state(workspace, deployment, lxd, [PROFESSOR], build_images=False)
    golden = GoldenMachines(lxd, desired)
    changes = []
    for instance in desired.seats[0].instances:
        before = _listing(golden, instance, known[first])
        after = _listing(golden, instance, known[second])
        changes += [_change(instance.machine, path, before, after) for path in changed(before, after, ())]
    return changes


def _pair(lab: str, known: Mapping[int, Any], older: int | None, newer: int | None) -> tuple[int, int]:
    if len(known) < 2:
        raise UnavailableError(
            f"{lab} has {len(known)} proved checkpoints, and two are needed to compare",
            resolution=f"practicum checkpoint {lab}",
        )
    last = list(known)
    pair = (older or last[-2], newer or last[-1])
    for number in pair:
        if number not in known:
            raise UsageError(
                f"no pilot proved checkpoint {number}", resolution=f"there are {', '.join(map(str, last))}"
            )
    return pair


def _listing(golden: GoldenMachines, instance: Instance, pins: Mapping[str, Any]) -> Listing:
    """Return what a checkpoint has of a machine; nothing when the machine was not in the lab then."""
    fingerprint = pins["images"].get(instance.machine)
    if fingerprint is None:
        return {}
    try:
        return golden.listing(replace(instance, fingerprint=fingerprint))
    except PracticumError as error:
        raise UnavailableError(
            f"checkpoint {pins['checkpoint']} is gone from LXD, so it cannot be compared", details=error.message
        ) from error


def _change(machine: str, path: str, before: Listing, after: Listing) -> FileChange:
    sign = "+" if path not in before else "-" if path not in after else "~"
    return FileChange(machine, sign, path)
