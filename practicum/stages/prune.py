"""Remove a lab's checkpoints that nothing pins, with the golden machines that were made from them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from practicum.errors import TryAgainError
from practicum.lxd.checkpoints import COPY_NAME, NUMBER
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked, inventory
from practicum.lxd.usage import is_checkpoint, is_golden, usage
from practicum.stages.disk import free, freeable, servers
from practicum.stages.workspace import Workspace, require_lab


@dataclass(frozen=True)
class Prunable:
    """A checkpoint that may go. `size` is about how many bytes that frees, as far as LXD can tell."""

    number: int
    things: tuple[Marked, ...]
    size: int


def prunable(workspace: Workspace, lab: str, newest: int = 0) -> list[Prunable]:
    """Return a lab's checkpoints that may go, as origin's main has it: not pinned, nor of the `newest` proved ones."""
    require_lab(workspace.repository.sources("HEAD"), lab)
    listed = {thing for thing in freeable(workspace, {lab: newest}) if thing.scope[1] == lab}
    things: dict[int, set[Marked]] = defaultdict(set)
    sizes: dict[int, int] = defaultdict(int)
    for lxd, platform in servers(workspace):
        present = [thing for thing in inventory(lxd, platform.installation) if thing in listed]
        numbers = dict(_numbers(lxd, present))
        for thing, number in numbers.items():
            things[number].add(thing)
        by_name = {thing.name: number for thing, number in numbers.items()}
        for use in usage(lxd, numbers, platform.storage["local"]):
            size = use.most if use.used is None and use.kind == "checkpoints" else use.used
            sizes[by_name[use.name.split("/")[0]]] += size or 0
    return [Prunable(number, tuple(sorted(things[number])), sizes[number]) for number in sorted(things)]


def prune(workspace: Workspace, lab: str, chosen: Sequence[Prunable]) -> int:
    """Remove checkpoints that `prunable` returned; what is pinned meanwhile stays. Return how many objects went.

    Raises TryAgainError when another run works on the lab.
    """
    things = [thing for one in chosen for thing in one.things]
    removed = free(workspace, things)
    if things and not removed:
        raise TryAgainError(f"no checkpoint of {lab} was removed: another run works on the lab, or a release pins them")
    return len(removed)


def _numbers(lxd: Lxd, things: Sequence[Marked]) -> Iterator[tuple[Marked, int]]:
    """Yield what belongs to a checkpoint with its number; a golden machine is named after its image."""
    images = _images(lxd)
    for thing in things:
        volume = COPY_NAME.match(thing.name)
        if is_checkpoint(thing) and thing.kind == "volume" and volume:
            yield thing, int(volume.group(1))
        elif is_checkpoint(thing) and thing.name in images:
            yield thing, images[thing.name]
        elif is_golden(thing):
            start = thing.name.rsplit("-", 1)[-1]
            going = {one.name for one in things if one.kind == "image"}
            yield from ((thing, images[one]) for one in going & images.keys() if one.startswith(start))


def _images(lxd: Lxd) -> Mapping[str, int]:
    found = lxd.get("images", recursion=1)
    return {one["fingerprint"]: int(one["properties"][NUMBER]) for one in found if NUMBER in one["properties"]}
