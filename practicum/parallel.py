"""Many things at once, such that Ctrl-C begins nothing new and waits for what runs."""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count() -> int:
    """Return how many machines are worked on at once: guests boot on the same cores that LXD works on."""
    return max(4, min(8, os.cpu_count() or 2))


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], workers: int = 0) -> list[Result]:
    """Return `work(item)` of each item, in order; the first error is raised after all that was begun has ended."""
    with ThreadPoolExecutor(workers or worker_count()) as pool:
        futures = [pool.submit(work, item) for item in items]
        wait_for_all(pool, futures)
    return [future.result() for future in futures]


def wait_for_all(pool: ThreadPoolExecutor, futures: list[Future[Result]], halt: threading.Event | None = None) -> None:
    """Wait for all. On Ctrl-C `halt` is set, what has not begun is dropped, and the rest is waited for."""
    try:
        wait(futures)
    except BaseException:
        if halt is not None:
            halt.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
