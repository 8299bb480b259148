"""Which checkpoints must stay: those that releases pin, the one to go back to, and as many of the newest as wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from practicum.stages.deployment import committed_release
from practicum.stages.releases import release_before, releases
from practicum.stages.workspace import Workspace


@dataclass(frozen=True)
class Kept:
    """A checkpoint that stays: its pins, and for people why."""

    pins: Mapping[str, Any]
    why: str

    @property
    def number(self) -> int:
        """The number of the checkpoint."""
        return int(self.pins["checkpoint"])


def kept(workspace: Workspace, lab: str, newest: int = 0) -> list[Kept]:
    """Return what pins checkpoints of a lab, as HEAD has it, and the `newest` proved ones; one may be there twice.

    Raises InputError for a release.json that cannot be read: it may pin what nobody would see.
    """
    dev, prod = (committed_release(workspace, lab, environment) for environment in ("dev", "prod"))
    back = release_before(workspace, lab, prod) if prod else None
    named = [(dev, "your copy"), (prod, "the class"), (back, "what 'promote --rollback' goes back to")]
    proved = {content["checkpoint"]: content for content in releases(workspace, lab).values()}
    last = [proved[number] for number in sorted(proved)[-newest:]] if newest else []
    return [Kept(pins, why) for pins, why in named if pins is not None] + [
        Kept(pins, f"one of the newest {newest}") for pins in last
    ]
