"""The one stream of events that feeds the terminal, the JSON log, JUnit and the web page."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["started", "done", "skipped", "warning", "failed"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a seat, a machine, or the lab as a whole (seat `-`).

    `total` says, where a stage or a seat begins, how many seats or steps there will be. `time` is Unix seconds.
    `step` is what was done to a machine, in the words of plans: `create network`, `start instance`.
    """

    stage: str
    state: State
    detail: str = ""
    seat: str = "-"
    machine: str = ""
    total: int = 0
    step: str = ""
    time: float = field(default_factory=time.time)

    def document(self) -> dict[str, Any]:
        """Return the event as it stands in the JSON log."""
        return asdict(self)


Emit = Callable[[Event], None]


def silent(event: Event) -> None:
    """Drop an event."""
    del event
