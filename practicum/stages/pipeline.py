"""The whole life of a lab in one command: the same stages that Jenkins runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from practicum.errors import PracticumError
from practicum.events import Event
from practicum.probes.model import ProbeResult
from practicum.stages.checkpoint import is_proved, prove, take_checkpoint, unproved_changes
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.deployment import load_deployment
from practicum.stages.generate import generate
from practicum.stages.promote import promote
from practicum.stages.provision import Provisioned, has_checkpoint, provision
from practicum.stages.smoke import smoke
from practicum.stages.validate import validate
from practicum.stages.workspace import InvalidInput, Workspace, require_lab

FIRST = "The first checkpoint, taken by the pipeline"
ANEW = "Taken by the pipeline: the spec changed, or the checkpoint was gone"


@dataclass(frozen=True)
class Life:
    """How the whole delivery went. `delivery` is None when it ended before prod."""

    delivery: Delivery | None
    changed: bool


def run_pipeline(workspace: Workspace, lab: str, after: Callable[[str], None]) -> Life:
    """Run validate, generate, provision, smoke, checkpoint and pilot, promote, deliver.

    `after(stage)` is called when a stage has ended. Raises PracticumError when a stage fails: nothing behind it runs.
    """
    repository = workspace.repository
    require_lab(repository.sources(None), lab)
    repository.synchronise()
    committed = commit_lab(workspace, lab)
    after("generate")
    provisioned = _succeeded(provision(workspace, lab, "dev"))
    after("provision dev")
    _passed(smoke(workspace, lab, "dev"), "dev")
    after("smoke dev")
    proved = _checkpoint(workspace, lab)
    after("checkpoint and pilot")
    promotion = promote(workspace, lab)
    after("promote")
    delivery = deliver(workspace, lab)
    _succeeded(delivery.provisioned)
    after("deliver")
    _passed(delivery.results, "prod")
    changed = bool(
        committed or provisioned.plan.actions or proved or promotion.merge or delivery.provisioned.plan.actions
    )
    return Life(delivery, changed)


def commit_lab(workspace: Workspace, lab: str) -> str | None:
    """Commit the spec's folder as it is, generate, commit what changed, and publish; return the last commit.

    Raises InvalidInput when the spec has errors.
    """
    repository = workspace.repository
    sources = repository.sources(None)
    problems = validate(workspace, sources, [lab])
    if any(problem.severity == "error" for problem in problems):
        raise InvalidInput(tuple(problems))
    course = lab.split("/")[0]
    edited = repository.uncommitted(f"labs/{course}") + repository.uncommitted("environments/dev/platform.yaml")
    written = {path: sources.read(path) if sources.status(path) == "file" else None for path in edited}
    spec = repository.commit(written, f"Edit {lab}") if written else None
    generated = repository.commit(generate(workspace, repository.sources(None), [lab]), f"Generate {lab}")
    repository.publish()
    workspace.emit(Event("generate", "done" if spec or generated else "skipped", f"definitions of {lab}"))
    return generated or spec


def _checkpoint(workspace: Workspace, lab: str) -> bool:
    deployment = load_deployment(workspace, lab, "dev")
    pins = deployment.release
    lost = pins is not None and not has_checkpoint(workspace.lxd(deployment.platform), pins)
    due = pins is None or lost or (deployment.shared["checkpoint"] == "auto" and unproved_changes(deployment))
    if due:
        pins = take_checkpoint(workspace, lab, FIRST if pins is None else ANEW)
    elif unproved_changes(deployment):
        text = f"your copy has changed since the checkpoint; students get it after: practicum checkpoint {lab}"
        workspace.emit(Event("checkpoint", "warning", text))
    if pins is not None and is_proved(workspace, lab, pins):
        return False
    proof = prove(workspace, lab)
    _passed(proof.results, "pilot")
    return True


def _succeeded(provisioned: Provisioned) -> Provisioned:
    if provisioned.failed:
        raise seats_failed(provisioned)
    return provisioned


def seats_failed(provisioned: Provisioned) -> PracticumError:
    """Return the error that names every seat that failed and the command that retries."""
    lines = [f"{one.seat}: {one.error.message} {one.error.details}" for one in provisioned.failed if one.error]
    deployment = provisioned.deployment
    seats = " ".join(f"--seat {one.seat}" for one in provisioned.failed)
    return PracticumError(
        f"{len(lines)} of {len(provisioned.deployment.seats)} seats failed in {deployment.environment}",
        details="\n".join(lines),
        resolution=f"practicum provision {deployment.lab} --env {deployment.environment} {seats}",
    )


def _passed(results: Sequence[ProbeResult], where: str) -> None:
    failed = [result for result in results if not result.ok]
    if failed:
        lines = [f"{result.seat}: {result.name}: {result.detail}" for result in failed]
        raise PracticumError(
            f"{len(failed)} of {len(results)} checks failed in {where}",
            details="\n".join(lines),
            resolution="mend what the first line names, then run the same command again: it goes on from there",
        )
