"""How typing feels when a whole class has its terminals open: the web page beside LXD's own terminals, in one run.

    .venv/bin/python benchmarks/terminals.py 50

Makes a class of ten seats and opens that many terminals over the web page's WebSockets, spread over the seats, as
browsers do: a ticket, a connection, a shell. In each somebody presses a key five times a second, and the time until it
is shown is measured. The floor is the same without the web page: LXD's own WebSockets, as many, in the same machines.
Needs root and a host made ready by `practicum setup`.
"""

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from cost import PRACTICUM
from provision import LAB, class_of, measure_each, tell
from websockets.asyncio.client import connect

from practicum.lxd.terminal import open_terminal
from practicum.stages.deployment import load_deployment
from practicum.stages.workspace import Workspace

SEATS = 10
KEYS = 40
PAUSE_SECONDS = 0.2
SHELL = ("/bin/sh", "-i")
QUIET_SECONDS = 0.5
MOST_SECONDS = 120
Send = Callable[[bytes], Awaitable[None]]


@dataclass
class Typist:
    """Somebody who presses keys and waits until each is shown; `late` are the seconds that it took."""

    send: Send
    output: AsyncIterator[bytes]
    opened: float
    late: list[float] = field(default_factory=list)

    async def settle(self) -> None:
        """Wait until the shell has said what it says at first."""
        self._shown: asyncio.Queue[bytes] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())
        await self._shown.get()
        await asyncio.sleep(QUIET_SECONDS)

    async def type(self, start: float) -> None:
        """Press the keys, the first one after `start` seconds."""
        await asyncio.sleep(start)
        for _ in range(KEYS):
            while not self._shown.empty():
                self._shown.get_nowait()
            began = time.perf_counter()
            await self.send(b"x")
            await self._shown.get()
            self.late.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_SECONDS)
        self._reading.cancel()

    async def _read(self) -> None:
        async for data in self.output:
            self._shown.put_nowait(data)


@dataclass(frozen=True)
class Page:
    """A running web page and the session of its operator."""

    url: str
    cookie: str
    process: int

    @asynccontextmanager
    async def terminal(self, seat: str) -> AsyncIterator[Typist]:
        """Open a terminal as a browser does."""
        began, place = time.perf_counter(), f"{self.url}/labs/{LAB}/seats/{seat}/machines/web"
        headers = {"origin": self.url, "cookie": self.cookie}
        answer = await asyncio.to_thread(requests.post, f"{place}/ticket", headers=headers, timeout=60)
        address = f"{place.replace('http', 'ws', 1)}/terminal?ticket={answer.json()['ticket']}"
        async with connect(address, origin=self.url, additional_headers={"cookie": self.cookie}, proxy=None) as opened:

            async def shown() -> AsyncIterator[bytes]:
                async for message in opened:
                    if isinstance(message, bytes):
                        yield message

            yield Typist(opened.send, shown(), time.perf_counter() - began)

    def cost(self) -> str:
        """Return what the process of the page has used until now."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        memory = int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return f"{seconds:.2f} s cpu   {memory:.0f} MiB"


@contextmanager
def web_page(repository: Path) -> Iterator[Page]:
    """Serve the web page of a repository, signed in as whoever started it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [PRACTICUM, "web", "--port", url.rsplit(":", 1)[1]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=repository, **pipes) as process:
        try:
            assert process.stdout is not None
            token = process.stdout.readline().strip().partition("token=")[2]
            answer = requests.post(
                f"{url}/login", data={"token": token}, headers={"origin": url}, allow_redirects=False, timeout=60
            )
            cookie = answer.headers["set-cookie"].partition(";")[0]
            yield Page(url, cookie, process.pid)
        finally:
            process.send_signal(signal.SIGINT)


async def typing(open_one: Callable[[int], AbstractAsyncContextManager[Typist]], count: int) -> list[Typist]:
    """Let so many people type at once; return them."""
    # What waits for an answer of the page waits in a thread; else people would stand in line here and not there.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * count))
    async with AsyncExitStack() as stack:
        opening = [stack.enter_async_context(open_one(number)) for number in range(count)]
        typists = await asyncio.gather(*opening)
        async with asyncio.timeout(MOST_SECONDS):
            await asyncio.gather(*(one.settle() for one in typists))
            await asyncio.gather(*(one.type(PAUSE_SECONDS * number / count) for number, one in enumerate(typists)))
        return list(typists)


def said(typists: list[Typist]) -> tuple[str, float]:
    """Return the figures of a run, and the median time until a key is shown."""
    late = [one * 1000 for typist in typists for one in typist.late]
    opened = [typist.opened for typist in typists]
    cuts = statistics.quantiles(late, n=20)
    words = (
        f"{len(typists):3} open in p50 {statistics.median(opened):5.2f} s, last {max(opened):5.2f} s   "
        f"a key is shown in p50 {cuts[9]:6.1f} ms   p95 {cuts[18]:6.1f} ms   max {max(late):6.1f} ms"
    )
    return words, cuts[9]


def measure(count: int, folder: Path) -> None:
    """Measure one number of terminals and print the figures."""
    with class_of(SEATS, folder) as repository:
        workspace = Workspace.open(repository)
        deployment = load_deployment(workspace, LAB, "prod")
        lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
        seats = sorted(seat for seat in deployment.seats if seat.startswith("s"))

        @asynccontextmanager
        async def bare(number: int) -> AsyncIterator[Typist]:
            began = time.perf_counter()
            name = deployment.seats[seats[number % SEATS]]["instances"][0]["name"]
            async with open_terminal(lxd, project, name, SHELL, 80, 24) as opened:
                yield Typist(opened.write, opened.output(), time.perf_counter() - began)

        words, floor = said(asyncio.run(typing(bare, count)))
        tell("LXD alone", words)
        with web_page(repository) as page:
            for number in (1, count):
                opened = typing(lambda one: page.terminal(seats[one % SEATS]), number)
                words, median = said(asyncio.run(opened))
                tell("web page", f"{words}   {median / floor:.2f} x floor of {count}   {page.cost()}")


if __name__ == "__main__":
    measure_each(measure, 50)
