"""Run the checks of a lab at a seat: http, tcp, exec, kubernetes; each until it holds or its wait is over."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from generator.seats.names import PROBE
from practicum.errors import PracticumError
from practicum.probes.model import Available, Executor, ProbeResult, SeatView, printable
from practicum.probes.reach import Target, http_status, reachable

Check = Mapping[str, Any]
PAUSE_SECONDS = 0.5
EXEC_TIMEOUT_SECONDS = 60
OUTPUT_LINES = 3


@dataclass(frozen=True)
class Verdict:
    """Whether a check held this time, what was seen and what a command said; `known`: the check could be made."""

    ok: bool
    seen: str
    known: bool = True
    output: str = ""


def run_check(execute: Executor, check: Check, view: SeatView, available: Available | None = None) -> ProbeResult:
    """Run one check at one seat until it holds or its `wait` is over.

    `available` counts the available pods of a Deployment; without it, checks of Kubernetes fail.
    """
    began = time.monotonic()
    while True:
        verdict = _once(execute, check, view, available)
        elapsed = time.monotonic() - began
        if verdict.ok or elapsed >= check["wait"]:
            seen = printable(verdict.seen)
            done = (verdict.ok, seen, elapsed, verdict.known, verdict.output)
            return ProbeResult(view.seat, check["name"], "check", *done)
        time.sleep(PAUSE_SECONDS)


def not_tried(check: Check, view: SeatView, silent: Collection[str]) -> ProbeResult | None:
    """Return the result of a check that needs a silent machine, without trying it; None when it can be tried."""
    needed = [check[role] for role in ("from", "machine") if check.get(role) in silent]
    if not needed:
        return None
    return ProbeResult(view.seat, check["name"], "check", False, f"not tried: {needed[0]} does not answer", 0.0, False)


def _once(execute: Executor, check: Check, view: SeatView, available: Available | None) -> Verdict:
    try:
        if check["kind"] == "kubernetes":
            return _kubernetes(available, check, view)
        return _KINDS[check["kind"]](execute, check, view)
    except PracticumError as error:
        return Verdict(False, f"{error.message} {error.details}".strip(), known=False)


def _http(execute: Executor, check: Check, view: SeatView) -> Verdict:
    url = f"http://{_address(check, view)}:{check['port']}{check['path']}"
    status = http_status(execute, _origin(check, view), url)
    return Verdict(
        status == str(check["status"]), f"{url} answers {status}" if status != "000" else f"no answer: {url}"
    )


def _tcp(execute: Executor, check: Check, view: SeatView) -> Verdict:
    target = Target(_address(check, view), check["port"])
    is_open = bool(reachable(execute, _origin(check, view), [target]))
    return Verdict(is_open, f"{target.address}:{target.port} is {'open' if is_open else 'closed'}")


def _exec(execute: Executor, check: Check, view: SeatView) -> Verdict:
    command = ["timeout", str(EXEC_TIMEOUT_SECONDS), "sh", "-c", check["run"]]
    result = execute(view.instances[check["machine"]], command)
    output = result.stdout + result.stderr
    lines = output.strip().splitlines()[-OUTPUT_LINES:]
    seen = f"exit code {result.exit_code}" + "".join(f"; {line}" for line in lines)
    return Verdict(result.exit_code == 0, seen, output=output)


def _kubernetes(available: Available | None, check: Check, view: SeatView) -> Verdict:
    count = available(view.seat, check["deployment"]) if available else None
    wanted = check["available"]
    seen = "there is no such deployment" if count is None else f"{count} of {wanted} pods available"
    return Verdict((count or 0) >= wanted, f"{check['deployment']}: {seen}")


def _address(check: Check, view: SeatView) -> str:
    """Return where a machine is met: the definitions say on which network, where there are several."""
    if check.get("network"):
        return view.places[check["machine"]][check["network"]]
    inner = view.addresses[check["machine"]]
    return inner if check["from"] else view.outer.get(check["machine"], inner)


def _origin(check: Check, view: SeatView) -> str:
    return view.instances[check["from"]] if check["from"] else PROBE


_KINDS: dict[str, Callable[[Executor, Check, SeatView], Verdict]] = {"http": _http, "tcp": _tcp, "exec": _exec}
