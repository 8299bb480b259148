"""A job as people watch it: its page, and the stream that keeps the page as the job is."""

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from practicum.web.access import require, standing_of
from practicum.web.jobs import Job
from practicum.web.pages import error_lines, fragment
from practicum.web.site import site_of
from practicum.web.terminal import terminal_page

LOOK_SECONDS = 0.2
# Proxies end connections on which nothing is said.
KEEP_ALIVE_SECONDS = 8.0


async def show_job(request: Request) -> Response:
    """Show a job; a browser that comes later sees the same."""
    job = await run_in_threadpool(_job, request)
    standing = await run_in_threadpool(standing_of, request, job.lab)
    back = f"/labs/{job.lab}" if standing.is_staff else f"/courses/{job.lab.split('/')[0]}"
    with job.lock:  # a page that says "working" must also be one that listens
        return terminal_page(request, "job.html", job=job, lab=job.lab, back=back, live=live_fragment(job))


async def job_events(request: Request) -> Response:
    """Send a job's state whenever it has changed; `Last-Event-ID` says what the browser knows already."""
    job = await run_in_threadpool(_job, request)
    known = request.headers.get("last-event-id", request.query_params.get("after", ""))
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_stream(job, int(known) if known.isdecimal() else 0), 200, headers, "text/event-stream")


def live_fragment(job: Job) -> str:
    """Return the part of a job's page that changes."""
    with job.lock:
        seats = list(dict.fromkeys(seat for seat, _ in job.cells))
        machines = list(dict.fromkeys(machine for _, machine in job.cells))
        lines = error_lines(job.error) if job.error else []
        return fragment("live.html", job=job, seats=seats, machines=machines, counts=job.counts(), error_lines=lines)


async def _stream(job: Job, known: int) -> AsyncIterator[str]:
    silent = 0.0
    while True:
        with job.lock:
            version, ended = job.version, job.state != "running"
        if version != known:
            known, silent = version, 0.0
            data = "".join(f"data: {line}\n" for line in live_fragment(job).splitlines())
            yield f"id: {version}\n{data}\n"
        elif (silent := silent + LOOK_SECONDS) >= KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield ": still here\n\n"
        if ended:
            yield "event: ended\ndata: ended\n\n"
            return
        await asyncio.sleep(LOOK_SECONDS)


def _job(request: Request) -> Job:
    job = site_of(request).jobs.find(request.path_params["key"])
    if job is None:
        raise HTTPException(404)
    require(request, "see seat" if job.seat else "see lab", job.lab, job.seat)
    return job


ROUTES = [Route("/jobs/{key}", show_job), Route("/jobs/{key}/events", job_events)]
