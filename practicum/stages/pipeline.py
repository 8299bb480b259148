"""The whole life of a lab in one command: the same stages that Jenkins runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from generator.diagnostics.diagnostic import Diagnostic
from generator.seats.names import CLUSTER
from practicum.errors import PracticumError, TryAgainError
from practicum.events import Event
from practicum.probes.model import ProbeResult, failures
from practicum.stages.checkpoint import prove, take_checkpoint, unproved_changes
from practicum.stages.deliver import Delivery, deliver
from practicum.stages.deployment import load_deployment
from practicum.stages.due import note_finished
from practicum.stages.generate import generate
from practicum.stages.guards import has_checkpoint
from practicum.stages.init import new_platform_files
from practicum.stages.outcomes import Changed
from practicum.stages.promote import promote
from practicum.stages.propose import Proposed
from practicum.stages.provision import DELIVERED, Provisioned, provision
from practicum.stages.reading import ReadingSources
from practicum.stages.releases import is_proved
from practicum.stages.smoke import smoke
from practicum.stages.validate import validate
from practicum.stages.wishes import NOW, When
from practicum.stages.workspace import InvalidInput, Workspace, require_lab

PLATFORM_FILE = "environments/dev/platform.yaml"
FIRST = "The first checkpoint, taken by the pipeline"
ANEW = "Taken by the pipeline: the spec changed, or the checkpoint was gone"


@dataclass(frozen=True)
class Life:
    """How the whole delivery went. `delivery` is None when it ended before prod: a merge `request` waits for people."""

    delivery: Delivery | None
    changed: bool
    request: Proposed | None = None


@dataclass(frozen=True)
class Done:
    """What a stage did. `results` are what probes said in `where`; a stage whose checks failed has not passed.

    A merge `request` waits for people: nothing may follow yet.
    """

    changed: bool
    results: tuple[ProbeResult, ...] = ()
    where: str = ""
    delivery: Delivery | None = None
    request: Proposed | None = None


@dataclass(frozen=True)
class Choices:
    """What whoever runs stages chose: to `propose` leaves merges to people, `when` is when systems are replaced."""

    propose: bool = False
    when: When = NOW


@dataclass(frozen=True)
class Stage:
    """A stage of the way to the class. Jenkins runs those of `main`, `dev` and `prod` in a job each.

    `run(workspace, lab, choices)` raises PracticumError when nothing may follow.
    """

    name: str
    environment: Literal["main", "dev", "prod"]
    run: Callable[[Workspace, str, Choices], Done]
    probes: bool = False


def run_pipeline(workspace: Workspace, lab: str, after: Callable[[str], None], when: When = NOW) -> Life:
    """Run every stage of the way. `after(stage)` is called when one has ended.

    Raises PracticumError when a stage fails: nothing behind it runs.
    """
    require_lab(workspace.repository.sources(None), lab)
    workspace.repository.synchronise()
    changed, delivery = False, None
    for stage in STAGES:
        done = stage.run(workspace, lab, Choices(when=when))
        require_passed(lab, done)
        changed, delivery = changed or done.changed, done.delivery
        after(stage.name)
        if done.request:
            return Life(None, changed, done.request)
    return Life(delivery, changed)


def require_passed(lab: str, done: Done) -> None:
    """Raise PracticumError for what a stage found to be wrong after it had told all of it."""
    if done.delivery:
        require_delivered(lab, done.delivery)
    failed = failures(done.results)
    if failed:
        lines = [f"{result.seat}: {result.name}: {result.detail}" for result in failed]
        raise PracticumError(
            f"{len(failed)} of {len(done.results)} checks failed in {done.where}",
            details="\n".join(lines),
            resolution="mend what the first line names, then run the same command again: it goes on from there",
        )


def commit_lab(workspace: Workspace, lab: str, by: str = "") -> str | None:
    """Commit what the lab is made of, generate, commit what changed, and publish; return the last commit.

    Only the spec, its roster and the files that it names are committed; whatever else lies there stays as it is.
    `by` is the login of who edited it, where that is not the user who runs this.
    Raises InvalidInput when the spec has errors.
    """
    repository = workspace.repository
    sources = ReadingSources(repository.sources(None))
    problems = validate(workspace, sources, [lab])
    if _has_errors(problems):
        raise InvalidInput(tuple(problems), repository.root)
    generate(workspace, sources, [lab])
    missing = {} if sources.status(PLATFORM_FILE) == "file" else new_platform_files()
    told = f"Edit {lab}\n\nBy {by}, on the web page" if by else f"Edit {lab}"
    spec = repository.commit({**_edited(workspace, sources), **missing}, told)
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


def _has_errors(problems: Sequence[Diagnostic]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _generate(workspace: Workspace, lab: str, _choices: Choices) -> Done:
    return Done(commit_lab(workspace, lab) is not None)


def _provision(workspace: Workspace, lab: str, _choices: Choices) -> Done:
    provisioned = provision(workspace, lab, "dev")
    if provisioned.failed:
        raise seats_failed(provisioned)
    return Done(bool(provisioned.changes))


def _smoke(workspace: Workspace, lab: str, _choices: Choices) -> Done:
    return Done(False, tuple(smoke(workspace, lab, "dev")), "dev")


def _promote(workspace: Workspace, lab: str, choices: Choices) -> Done:
    promotion = promote(workspace, lab, propose=choices.propose)
    deployment = load_deployment(workspace, lab, "dev", with_seats=False)
    project = workspace.lxd(deployment.platform).get("projects", deployment.scope.project)
    # Somebody may have pushed another spec since this one was provisioned: that is still due then.
    if project["config"].get(DELIVERED) == deployment.digest:
        note_finished(workspace, deployment)
    return Done(promotion.branch is not None, request=promotion.request)


def _deliver(workspace: Workspace, lab: str, choices: Choices) -> Done:
    delivery = deliver(workspace, lab, when=choices.when)
    return Done(bool(delivery.provisioned.changes), delivery.results, "prod", delivery)


def _checkpoint(workspace: Workspace, lab: str, _choices: Choices) -> Done:
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
        return Done(due)
    return Done(True, prove(workspace, lab).results, "pilot")


STAGES = (
    Stage("generate", "main", _generate),
    Stage("provision dev", "dev", _provision),
    Stage("smoke dev", "dev", _smoke, probes=True),
    Stage("checkpoint and pilot", "dev", _checkpoint, probes=True),
    Stage("promote", "dev", _promote),
    Stage("deliver", "prod", _deliver, probes=True),
)


def seats_failed(provisioned: Provisioned, retry: str = "") -> PracticumError:
    """Return the error that names every seat that failed and the command that retries them, `provision` if none is."""
    lines = [one.words for one in provisioned.failed]
    errors = [one.error for one in provisioned.failed if one.error]
    deployment = provisioned.deployment
    retry = retry or f"practicum provision {deployment.lab} --env {deployment.environment}{failed_seats(provisioned)}"
    return PracticumError(
        f"{len(lines)} of {len(provisioned.deployment.seats)} seats failed in {deployment.environment}",
        details="\n".join(lines),
        resolution="\n".join([*dict.fromkeys(one.resolution for one in errors if one.resolution), retry]),
        # Only what passes by itself went wrong: the same command may succeed.
        exit_code=TryAgainError.exit_code if all(isinstance(one, TryAgainError) for one in errors) else None,
    )


def failed_seats(provisioned: Provisioned) -> str:
    """Return the options that choose the seats that failed; none when the lab's own cluster did, which is no seat."""
    failed = [one.seat for one in provisioned.failed]
    return "" if CLUSTER in failed else "".join(f" --seat {seat}" for seat in failed)


def require_delivered(lab: str, delivery: Delivery, changed: Changed = "ask") -> None:
    """Raise PracticumError for seats that failed, with the command that delivers to these alone."""
    if delivery.provisioned.failed:
        chosen = f" --changed {changed}" if changed != "ask" else ""
        failed = failed_seats(delivery.provisioned)
        raise seats_failed(delivery.provisioned, f"practicum deliver {lab}{failed}{chosen}")
