"""What students have on the screens of their open terminals, for those who teach and look on."""

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Screen", "Screens", "Watcher"]

# So much of what was shown is kept for whoever begins to look, in bytes.
MOST_KEPT = 2**16
# Pieces that wait for a slow browser; one that is slower does not see any more.
MOST_WAITING = 256

# A piece of output, a size in columns and rows, or the end.
Piece = bytes | tuple[int, int] | None
Watcher = asyncio.Queue[Piece]


@dataclass
class Screen:
    """One open terminal. `watched` has how many look on, whenever that changes, for its owner to be told."""

    size: tuple[int, int]
    watched: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    _shown: deque[bytes] = field(default_factory=deque)
    _watchers: set[Watcher] = field(default_factory=set)

    def add(self, data: bytes) -> None:
        """Take in what was shown."""
        self._shown.append(data)
        while sum(map(len, self._shown)) > MOST_KEPT:
            self._shown.popleft()
        self._give(data)

    def resize(self, columns: int, rows: int) -> None:
        """Take in how large the terminal is."""
        self.size = (columns, rows)
        self._give(self.size)

    def end(self) -> None:
        """Tell those who look on that the terminal has ended."""
        self._give(None)

    def watch(self) -> Watcher:
        """Return a queue with what is on the screen, and whatever comes."""
        watcher: Watcher = asyncio.Queue(MOST_WAITING)
        watcher.put_nowait(self.size)
        watcher.put_nowait(b"".join(self._shown))
        self._watchers.add(watcher)
        self.watched.put_nowait(len(self._watchers))
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Look no more."""
        self._watchers.discard(watcher)
        self.watched.put_nowait(len(self._watchers))

    def _give(self, piece: Piece) -> None:
        for watcher in list(self._watchers):
            if watcher.full():
                self._watchers.discard(watcher)
                watcher.get_nowait()
                watcher.put_nowait(None)
            else:
                watcher.put_nowait(piece)


@dataclass
class Screens:
    """The open terminals of a site, by their machines."""

    _open: dict[Hashable, list[Screen]] = field(default_factory=dict)

    @contextmanager
    def open(self, place: Hashable, screen: Screen) -> Iterator[Screen]:
        """Show a screen while its terminal is open."""
        self._open.setdefault(place, []).append(screen)
        try:
            yield screen
        finally:
            self._open[place].remove(screen)
            screen.end()

    def newest(self, place: Hashable) -> Screen | None:
        """Return the terminal of a machine that was opened last; None when there is none."""
        found = self._open.get(place)
        return found[-1] if found else None
