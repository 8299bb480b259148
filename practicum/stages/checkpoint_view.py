"""What checkpoints there are, and what differs between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from practicum.errors import UnavailableError, UsageError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.file_lists import FileList, file_changes, read, summary
from practicum.stages.checkpoint_copy import source_of
from practicum.stages.deployment import load_deployment
from practicum.stages.guards import listing_of
from practicum.stages.releases import releases
from practicum.stages.workspace import Workspace

NOTHING = FileList({}, {})
SIGNS = {"+": "added", "~": "changed", "-": "removed"}
SHOWN = 5


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
    """Return which files two checkpoints differ in, volumes among them; without numbers, of the last two.

    Raises UsageError for a number that no pilot proved, UnavailableError when there is nothing to compare.
    """
    known = checkpoints(workspace, lab)
    first, second = _pair(lab, known, older, newer)
    lxd = source_of(workspace, load_deployment(workspace, lab, "dev", with_seats=False))
    before, after = (_lists(lxd, known[number]) for number in (first, second))
    return [
        FileChange(machine, sign, path)
        for machine in sorted(before.keys() | after.keys())
        for path, sign in file_changes(before.get(machine, NOTHING), after.get(machine, NOTHING)).items()
    ]


def changes_since(workspace: Workspace, lxd: Lxd, lab: str, lists: Mapping[str, FileList]) -> dict[str, Any] | None:
    """Return what a new checkpoint changes of the last proved one, as release.json has it; None without that."""
    proved = [pins for _, pins in sorted(checkpoints(workspace, lab).items(), reverse=True)]
    last = next((pins for pins in proved if listing_of(lxd, pins)), None)
    if last is None:
        return None
    before = read(lxd, last["listing"])
    machines = {
        machine: summary(before.get(machine, NOTHING), lists.get(machine, NOTHING))
        for machine in sorted(before.keys() | lists.keys())
    }
    return {
        "since": last["checkpoint"],
        "machines": {machine: one for machine, one in machines.items() if any(one.values())},
    }


def words_of(changes: Mapping[str, Any]) -> str:
    """Return changes in words: `since 2: +12 ~3 -1 files; packages +nginx`."""
    found = changes["machines"].values()
    counts = {sign: sum(one[key] for one in found) for sign, key in SIGNS.items()}
    files = " ".join(f"{sign}{count}" for sign, count in counts.items() if count)
    packages = list(dict.fromkeys(name for one in found for name in one["packages"]))
    more = f" and {len(packages) - SHOWN} more" if len(packages) > SHOWN else ""
    told = [f"{files} files"] * bool(files) + [f"packages {' '.join(packages[:SHOWN])}{more}"] * bool(packages)
    return f"since {changes['since']}: {'; '.join(told) or 'nothing'}"


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


def _lists(lxd: Lxd, pins: Mapping[str, Any]) -> dict[str, FileList]:
    """Return what a checkpoint has, by machine."""
    number = pins["checkpoint"]
    if "listing" not in pins:
        raise UnavailableError(f"nothing lists the files of checkpoint {number}: an older version took it")
    try:
        return read(lxd, pins["listing"])
    except LxdNotFound as error:
        raise UnavailableError(f"checkpoint {number} is gone from LXD, so it cannot be compared") from error
