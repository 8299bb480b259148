"""Whether the copies of a lab fit an environment, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from generator.seats.capacity import Promise, excess, is_bounded
from generator.spec.platform import Capacity
from generator.spec.units import shown


@dataclass(frozen=True)
class Room:
    """What a lab is promised in an environment, and what all labs are together; of addresses used and set aside."""

    environment: str
    copies: int
    machines: int
    lab: Promise
    all_labs: Promise
    capacity: Capacity
    addresses: int
    addresses_kept: int
    # Of the lab's own cluster, which is beside the copies.
    nodes: int = 0

    @property
    def lacking(self) -> list[str]:
        """What does not fit, in words; empty when all does."""
        return excess(self.all_labs, self.capacity)

    @property
    def asked(self) -> str:
        """What the lab's copies are promised."""
        cores = f"{self.lab.cpu} core{'s' * (self.lab.cpu != 1)}"
        sizes = f"{cores}, {shown(self.lab.memory)} of memory, {shown(self.lab.pool)} of disk"
        copies = f"{self.copies} {'copy' if self.copies == 1 else 'copies'}"
        machines = f"{self.machines} machine{'s' * (self.machines != 1)}"
        nodes = f" + {self.nodes} node{'s' * (self.nodes != 1)}" if self.nodes else ""
        addresses = f", {self.addresses} of {self.addresses_kept} addresses" if self.addresses_kept else ""
        return f"{copies} × {machines}{nodes} = {sizes}{addresses}"

    @property
    def verdict(self) -> str:
        """Whether it fits beside all other labs, with the numbers."""
        if self.lacking:
            return f"does not fit: {'; '.join(self.lacking)}"
        if not is_bounded(self.capacity):
            return "the operators set no bound"
        return f"fits: {', '.join(self._shares())}"

    def _shares(self) -> Iterator[str]:
        of, capacity = self.all_labs, self.capacity
        times = f" × {capacity.overcommit:g}" if capacity.overcommit != 1 else ""
        if capacity.cpu is not None:
            yield f"{of.cpu} of {capacity.cpu}{times} cores promised"
        if capacity.memory is not None:
            yield f"{shown(of.memory)} of {shown(capacity.memory)}{times} of memory"
        if capacity.pool is not None:
            yield f"{shown(of.pool)} of {shown(capacity.pool)} of disk"
