"""What goes wrong at which request: the client is killed, the connection ends, LXD refuses or hangs."""

import threading
import time
from dataclasses import dataclass, field


@dataclass
class Faults:
    """One fault. `at` counts the changing requests from 1; 0 is never. `on` names it instead: "DELETE /1.0/…".

    kill      the client is killed: `before` LXD does it, `after` it did, or LXD does it `later`, beside the next run
    drop      LXD restarts `before` it does this, `after` it did and before it answers, or when it has `answered`:
              no request is answered for `away` seconds, operations are lost
    interrupt the client gets SIGINT, as from Ctrl-C
    hang      this request is answered after `away` seconds
    refuse    LXD refuses this request with these words
    """

    at: int = 0
    on: str = ""
    kill: str = ""
    drop: str = ""
    hang: bool = False
    interrupt: bool = False
    refuse: str = ""
    away: float = 0.0
    later: float = 0.4
    every: bool = False
    hit: threading.Event = field(default_factory=threading.Event)
    back: float = 0.0

    def strikes(self, number, request):
        """Say whether this request is the one."""
        if self.on:
            return self.on == request
        return bool(self.at) and (number == self.at or (self.every and number > self.at))

    def is_away(self):
        return time.monotonic() < self.back
