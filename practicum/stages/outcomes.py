"""What a delivery did to each seat, in one word and a line."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from practicum.kubernetes.apply import Applied
from practicum.lxd.plan import Action
from practicum.lxd.reconcile import SeatOutcome
from practicum.stages.drift import Drift

What = Literal["replaced", "files only", "new", "changed", "unchanged", "stopped", "left alone", "pending", "failed"]

# What becomes of systems that somebody changed outside of volumes and kept paths.
Changed = Literal["ask", "carry", "overwrite", "skip"]
FATE = {"ask": "left", "carry": "carried over", "overwrite": "overwritten", "skip": "left"}


@dataclass(frozen=True)
class Outcome:
    """How a delivery ended for a seat; `detail` says more where the word is not enough."""

    seat: str
    what: What
    detail: str = ""

    @property
    def words(self) -> str:
        """Return it for people."""
        return f"{self.what}: {self.detail}" if self.detail else self.what


@dataclass(frozen=True)
class Course:
    """How a delivery went: why some seats were not touched, what was done to the others, and what is to be told."""

    actions: Mapping[str, Sequence[Action]]
    failed: Mapping[str, SeatOutcome]
    replaced: Collection[str]
    systems: Collection[str]
    pending: Mapping[str, str]
    skipped: Mapping[str, str]
    notes: Mapping[str, str]
    left: Collection[str]
    copies: Mapping[str, Applied] = field(default_factory=dict)

    def outcomes(self, seats: Sequence[str]) -> Iterator[Outcome]:
        """Yield the outcome of each of the seats."""
        return (self._of(seat) for seat in seats)

    def _of(self, seat: str) -> Outcome:
        if seat in self.failed:
            return Outcome(seat, "failed", self.failed[seat].words.removeprefix(f"{seat}: "))
        if seat in self.pending:
            return Outcome(seat, "pending", self.pending[seat])
        if seat in self.skipped:
            return Outcome(seat, "left alone", self.skipped[seat])
        if seat in self.replaced:
            return Outcome(seat, "replaced" if seat in self.systems else "files only", self.notes.get(seat, ""))
        return self._made(seat)

    def _made(self, seat: str) -> Outcome:
        done = [(action.verb, action.kind) for action in self.actions.get(seat, ())]
        if seat in self.left:
            return Outcome(seat, "stopped", "left the class")
        copy = self.copies.get(seat, Applied(seat))
        kept = f"left, changed by hand: {'; '.join(copy.kept)}" if copy.kept else ""
        if ("create", "instance") in done or copy.is_new:
            return Outcome(seat, "new", kept)
        count = len(done) + copy.changes
        return Outcome(seat, "changed" if count else "unchanged", kept or (f"{count} changes" if count else ""))


def changed_by_hand(drifts: Sequence[Drift], changed: Changed) -> dict[str, str]:
    """Return in words, by seat, what became of what somebody changed by hand."""
    seats = dict.fromkeys(drift.seat for drift in drifts)
    words = {seat: "; ".join(drift.words for drift in drifts if drift.seat == seat) for seat in seats}
    return {seat: f"{FATE[changed]}, changed by hand: {listed}" for seat, listed in words.items()}
