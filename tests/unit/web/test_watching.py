"""A job that ends while its page or its stream is being made: whoever looks must learn of it."""

import asyncio
import threading
from dataclasses import dataclass

from visitor import LAB

from practicum.web import watching
from practicum.web.jobs import Job


def let_end(job):
    """Let another thread end a job now, unless it has to wait for whoever looks."""
    other = threading.Thread(target=job.end, daemon=True)
    other.start()
    other.join(0.2)


def test_a_page_that_says_working_listens(visitor, monkeypatch):
    job = Job("checks", LAB)
    visitor.site.jobs._jobs[job.id] = job
    made = watching.live_fragment

    def slowly(job):
        text = made(job)
        let_end(job)
        return text

    monkeypatch.setattr(watching, "live_fragment", slowly)
    page = visitor.get(f"/jobs/{job.id}").text
    assert ("Working." in page, "hx-sse:connect" in page) == (True, True)


@dataclass
class EndsWhenLookedAt(Job):
    """A job that another thread ends between a look at its version and one at its state."""

    armed: bool = False

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name == "version" and self.armed:
            self.armed = False
            let_end(self)
        return found


def test_the_last_state_is_sent_before_the_end():
    job = EndsWhenLookedAt("checks", LAB)
    known = job.version
    job.armed = True

    async def sent():
        return [part async for part in watching._stream(job, known)]

    parts = asyncio.run(sent())
    assert parts[-1].startswith("event: ended")
    assert "Done." in "".join(parts)
