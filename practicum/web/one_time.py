"""Secrets that open something once: the login link, and tickets for consoles."""

import secrets
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

TOKEN_BYTES = 32


@dataclass
class OneTime:
    """Gives secrets that are good for one use within `seconds`, and for the purpose they were given for alone."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, tuple[Hashable, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def give(self, purpose: Hashable) -> str:
        """Return a new secret for a purpose; those whose time is over are forgotten."""
        secret, now = secrets.token_urlsafe(TOKEN_BYTES), self.clock()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one[1] > now}
            self._open[secret] = (purpose, now + self.seconds)
        return secret

    def take(self, secret: str, purpose: Hashable) -> bool:
        """Use a secret up; False for one that is unknown, used, too old, or for another purpose."""
        with self._lock:
            found = self._open.pop(secret, None)
        return found is not None and found[0] == purpose and found[1] > self.clock()
