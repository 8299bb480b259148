"""Whether what is promised to labs fits what the operators allow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from generator.spec.platform import Capacity
from generator.spec.units import format_size, parse_size


@dataclass(frozen=True)
class Promise:
    """What seats are promised: cores, and bytes of memory and of pool space."""

    cpu: int = 0
    memory: int = 0
    pool: int = 0

    def __add__(self, other: "Promise") -> "Promise":
        return Promise(self.cpu + other.cpu, self.memory + other.memory, self.pool + other.pool)


def promised(shared: Mapping[str, Any], seats: Iterable[Mapping[str, Any]]) -> Promise:
    """Return what the running seats of a lab's definitions are promised, each at its limits."""
    profiles = {profile["name"]: profile for profile in shared["profiles"]}
    total = Promise()
    for seat in seats:
        if seat["power"] == "running":
            machines = [_machine(profiles[entry["profiles"][0]]) for entry in seat["instances"]]
            volumes = [Promise(pool=parse_size(volume["config"]["size"])) for volume in seat["volumes"]]
            total = sum([*machines, *volumes], total)
    return total


def is_bounded(capacity: Capacity) -> bool:
    """Say whether the operators gave any bound."""
    return any(bound is not None for bound in (capacity.cpu, capacity.memory, capacity.pool))


def excess(promise: Promise, capacity: Capacity) -> list[str]:
    """Return in words what does not fit; empty when all does. `overcommit` multiplies cores and memory only."""
    words = []
    for name, wanted, bound in (("cpu", promise.cpu, capacity.cpu), ("memory", promise.memory, capacity.memory)):
        if bound is not None and wanted > bound * capacity.overcommit:
            offered = f"{_shown(name, bound)} × {capacity.overcommit:g}"
            words.append(f"{name}: {_shown(name, wanted)} promised, {offered} allowed")
    if capacity.pool is not None and promise.pool > capacity.pool - capacity.reserve:
        offered = f"{format_size(capacity.pool)} without the reserve of {format_size(capacity.reserve)}"
        words.append(f"pool: {format_size(promise.pool)} promised, {offered} allowed")
    return words


def _machine(profile: Mapping[str, Any]) -> Promise:
    config, root = profile["config"], profile["devices"]["root"]
    return Promise(int(config["limits.cpu"]), parse_size(config["limits.memory"]), parse_size(root["size"]))


def _shown(name: str, amount: int) -> str:
    return f"{amount} cores" if name == "cpu" else format_size(amount)
