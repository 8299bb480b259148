"""Generated files on main: committed by Practicum, pushed, and made anew when main moved meanwhile."""

from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import find_labs
from practicum.errors import TryAgainError
from practicum.events import Event
from practicum.stages.forge import project_of
from practicum.stages.generate import abandoned, generate, removed
from practicum.stages.validate import validate
from practicum.stages.workspace import InvalidInput, Workspace

ATTEMPTS = 5
# The pipeline that generates goes on with what it made, so the push starts none. The second word is for Jenkins.
QUIET = ("ci.skip", "integrations.skip_ci")
MESSAGE = "Generate the files of dev"


def publish_generated(workspace: Workspace) -> str | None:
    """Generate all valid labs of main, commit what changed, and push; return the commit, None when nothing was stale.

    When main moved, the commit is dropped, and made anew from the newest main: never rebased, never forced. Raises
    InvalidInput for specs with errors, after the valid ones are published, so that no broken spec holds others back;
    TryAgainError when main moved again and again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            made, problems = _publish(workspace)
        except TryAgainError as error:
            if attempt == ATTEMPTS:
                raise
            workspace.emit(Event("generate", "warning", f"{error.message}; generating again from the newest main"))
        else:
            if problems:
                raise InvalidInput(problems, workspace.repository.root)
            return made
    return None


def _publish(workspace: Workspace) -> tuple[str | None, tuple[Diagnostic, ...]]:
    repository, said = workspace.repository, QUIET if project_of(workspace) else ()
    repository.synchronise(drop=True)
    sources = repository.sources("HEAD")
    found = {lab: validate(workspace, sources, [lab]) for lab in find_labs(sources)}
    broken = {lab for lab, problems in found.items() if any(one.severity == "error" for one in problems)}
    valid = [lab for lab in found if lab not in broken]
    changes = (generate(workspace, sources, valid) if valid else {}) | removed(abandoned(sources))
    made = repository.commit(changes, MESSAGE)
    repository.publish(said)
    workspace.emit(Event("generate", "done" if made else "skipped", f"{len(valid)} labs, {len(changes)} files changed"))
    return made, tuple(dict.fromkeys(problem for lab in sorted(broken) for problem in found[lab]))
