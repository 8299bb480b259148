"""Run the checks of a lab at a seat: http, tcp and exec, each retried until it holds or its wait is over."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.seats.names import PROBE
from practicum.errors import PracticumError, UnavailableError
from practicum.probes.model import Executor, ProbeResult, SeatView, printable
from practicum.probes.reach import Target, http_status, reachable

Check = Mapping[str, Any]
PAUSE_SECONDS = 0.5
EXEC_TIMEOUT_SECONDS = 60
OUTPUT_LINES = 3


@dataclass(frozen=True)
class Verdict:
    """Whether a check held this time, and what was seen; `known` is False when it could not be made."""

    ok: bool
    seen: str
    known: bool = True


def run_check(execute: Executor, check: Check, view: SeatView) -> ProbeResult:
    """Run one check at one seat until it holds or its `wait` is over."""
    began = time.monotonic()
    while True:
        verdict = _once(execute, check, view)
        elapsed = time.monotonic() - began
        if verdict.ok or elapsed >= check["wait"]:
            seen = printable(verdict.seen)
            return ProbeResult(view.seat, check["name"], "check", verdict.ok, seen, elapsed, verdict.known)
        time.sleep(PAUSE_SECONDS)


def require_built(checks: Sequence[Check]) -> None:
    """Raise UnavailableError for checks that cannot be run yet."""
    names = [check["name"] for check in checks if check["kind"] not in _KINDS]
    if names:
        raise UnavailableError(f"Kubernetes checks are not built yet: {', '.join(names)}")


def _once(execute: Executor, check: Check, view: SeatView) -> Verdict:
    try:
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
    lines = (result.stdout + result.stderr).strip().splitlines()[-OUTPUT_LINES:]
    return Verdict(result.exit_code == 0, f"exit code {result.exit_code}" + "".join(f"; {line}" for line in lines))


def _address(check: Check, view: SeatView) -> str:
    """Return where a machine is met: the probe container stands outside, on the first network."""
    inner = view.addresses[check["machine"]]
    return inner if check["from"] else view.outer.get(check["machine"], inner)


def _origin(check: Check, view: SeatView) -> str:
    return view.instances[check["from"]] if check["from"] else PROBE


_KINDS: dict[str, Callable[[Executor, Check, SeatView], Verdict]] = {"http": _http, "tcp": _tcp, "exec": _exec}
