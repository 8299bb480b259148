"""The whole life of a lab in one command: the same stages that Jenkins runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from practicum.errors import PracticumError
from practicum.events import Event
from practicum.probes.model import ProbeResult
from practicum.stages.checkpoint import prove, take_checkpoint, unproved_changes
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.deployment import load_deployment
from practicum.stages.generate import generate
from practicum.stages.guards import has_checkpoint
from practicum.stages.init import new_platform_files
from practicum.stages.promote import promote
from practicum.stages.provision import Provisioned, provision
from practicum.stages.reading import ReadingSources
from practicum.stages.releases import is_proved
from practicum.stages.smoke import smoke
from practicum.stages.validate import validate
from practicum.stages.workspace import InvalidInput, Workspace, require_lab

PLATFORM_FILE = "environments/dev/platform.yaml"
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
    """Commit what the lab is made of, generate, commit what changed, and publish; return the last commit.

    Only the spec, its roster and the files that it names are committed; whatever else lies there stays as it is.
    Raises InvalidInput when the spec has errors.
    """
    repository = workspace.repository
    sources = ReadingSources(repository.sources(None))
    problems = validate(workspace, sources, [lab])
    if any(problem.severity == "error" for problem in problems):
        raise InvalidInput(tuple(problems), repository.root)
    generate(workspace, sources, [lab])
    missing = {} if sources.status(PLATFORM_FILE) == "file" else new_platform_files()
    spec = repository.commit({**_edited(workspace, sources), **missing}, f"Edit {lab}")
    generated = repository.commit(generate(workspace, repository.sources(None), [lab]), f"Generate {lab}")
    repository.publish()
    workspace.emit(Event("generate", "done" if spec or generated else "skipped", f"definitions of {lab}"))
    return generated or spec


def _edited(workspace: Workspace, sources: ReadingSources) -> dict[str, bytes]:
    """Return the uncommitted files that the generator read; links are left to their owner's own commit."""
    root = workspace.repository.root
    uncommitted = set(workspace.repository.uncommitted("labs") + workspace.repository.uncommitted("environments"))
    edited = sorted(path for path in uncommitted & sources.seen if not (root / path).is_symlink())
    return {path: sources.read(path) for path in edited}


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
