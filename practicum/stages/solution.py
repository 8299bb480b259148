"""Prove on the pilot that the checks of progress fail before the reference solution, and pass after it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from generator.seats.names import PILOT
from practicum.errors import PracticumError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.steps import StepRunner
from practicum.probes.model import ProbeResult, SeatView, printable
from practicum.stages.deployment import Deployment
from practicum.stages.provision import desired_state
from practicum.stages.smoke import Checker, checker, seat_views
from practicum.stages.workspace import Workspace

STAGE = "solution"
UNTOUCHED = "it holds on a seat that nobody touched, so it is an error in the lab"
Check = Mapping[str, Any]


def prove_solution(workspace: Workspace, deployment: Deployment) -> list[ProbeResult]:
    """Run the solution in the pilot's machines, with the checks of progress before and after; return what was found.

    Nothing when the lab has no such checks. Without a solution, checks that hold on the untouched pilot are told, and
    no obstacle.
    """
    graded = [check for check in deployment.shared["checks"] if check["when"] != "smoke"]
    scripts = deployment.seats[PILOT].get("solution", [])
    (view,) = seat_views(deployment, [PILOT])
    lxd = workspace.lxd(deployment.platform)
    run = checker(workspace, deployment)
    before = _before(run, graded, view)
    if not scripts or not graded:
        for result in before:
            if not result.ok:
                workspace.emit(Event(STAGE, "warning", f"{result.name}: {result.detail}", PILOT))
        return []
    workspace.emit(Event(STAGE, "started", f"{len(scripts)} scripts of the reference solution", PILOT))
    ran = _run(workspace, lxd, deployment, scripts)
    after = _after(run, graded, view) if all(result.ok for result in ran) else []
    return [*before, *ran, *after]


def _before(run: Checker, graded: Sequence[Check], view: SeatView) -> list[ProbeResult]:
    """Return for each check of progress whether it fails, as it must; what smoke tests too has passed there."""
    checks = [{**check, "wait": 0.0} for check in graded if check["when"] == "progress"]
    found = [run(check, view) for check in checks]
    return [_named(one, "before the solution", ok=one.known and not one.ok) for one in found]


def _after(run: Checker, graded: Sequence[Check], view: SeatView) -> list[ProbeResult]:
    found = [run(check, view) for check in graded]
    return [_named(one, "after the solution", ok=one.ok) for one in found]


def _named(result: ProbeResult, when: str, *, ok: bool) -> ProbeResult:
    detail = UNTOUCHED if result.ok and not ok else result.detail
    return replace(result, name=f"{result.name}, {when}", group="solution", ok=ok, detail=detail)


def _run(
    workspace: Workspace, lxd: Lxd, deployment: Deployment, scripts: Sequence[Mapping[str, Any]]
) -> list[ProbeResult]:
    """Run the scripts as root, in the order of the spec; what comes after one that failed is not run."""
    desired = desired_state(workspace, deployment, lxd, [PILOT], build_images=False)
    instances = {one.machine: one for one in desired.seats[0].instances}
    steps = StepRunner(lxd, desired.project_name, workspace.emit, deployment.file, _no_data)
    results: list[ProbeResult] = []
    for script in scripts:
        name = f"{script['name']} on {script['machine']}"
        try:
            steps.run(replace(instances[script["machine"]], steps=(dict(script),)))
        except PracticumError as error:
            detail = printable(f"{error.message}: {error.details}")
            return [*results, ProbeResult(PILOT, name, "solution", ok=False, detail=detail, seconds=0.0)]
        results.append(ProbeResult(PILOT, name, "solution", ok=True, detail="it ran to its end", seconds=0.0))
    return results


def _no_data(name: str, sha256: str) -> bytes:
    raise PracticumError(f"a solution has no large data: {name} {sha256}")
