"""What a new lab is made of when it begins with one of the examples."""

from collections.abc import Mapping
from pathlib import Path

from generator.new_lab import ROSTER_HEAD, example, example_names
from generator.render.tree import spec_path
from generator.spec.words import did_you_mean, nearest_choice
from practicum.errors import UsageError


def from_example(lab: str, name: str) -> dict[str, bytes]:
    """Return the files of a new lab that is a copy of an example. Raises UsageError when there is no such example."""
    if name not in example_names():
        meant = did_you_mean(nearest_choice(name, example_names()))
        raise UsageError(f"unknown example '{name}'{meant}", resolution=f"examples are: {', '.join(example_names())}")
    spec, files = example(name)
    course = lab.split("/")[0]
    return {spec_path(lab): spec.encode(), **{f"labs/{course}/{path}": data for path, data in files.items()}}


def not_there_yet(root: Path, changes: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that a repository has not. Raises UsageError for one that it has with other content."""
    return {path: data for path, data in changes.items() if not _is_there(root / path, data)}


def _is_there(path: Path, data: bytes) -> bool:
    """Say whether a file is there already. Raises UsageError for another one of that name; a roster may differ."""
    if not path.exists():
        return False
    if data != ROSTER_HEAD.encode() and path.read_bytes() != data:
        raise UsageError(
            f"{path} is there already, with other content", resolution="choose another course or rename it"
        )
    return True
