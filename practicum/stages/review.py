"""The answer to a merge request: valid or not, what changes for whom, whether it fits, whose files were touched."""

from collections.abc import Mapping
from dataclasses import dataclass

from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import LabState, find_labs, misplaced_specs, read_edition
from practicum.stages.offline import LabPlan, plan_labs
from practicum.stages.touched import Touched, touched
from practicum.stages.validate import judged
from practicum.stages.workspace import Workspace

MAINS = ("origin/main", "main")


@dataclass(frozen=True)
class Review:
    """What is to be said of a merge request. `unchanged` counts the labs that it leaves as they are.

    `source` has the bytes of the files that problems name, for their lines.
    """

    head: str
    problems: tuple[Diagnostic, ...]
    plans: tuple[LabPlan, ...]
    unchanged: int
    removed: tuple[str, ...]
    touched: tuple[Touched, ...]
    source: Mapping[str, bytes]

    @property
    def errors(self) -> int:
        """How many problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def fits(self) -> bool:
        """Say whether every changed lab fits its environments."""
        return all(plan.fits for plan in self.plans)


def main_of(workspace: Workspace, against: str = "") -> str:
    """Return the commit that a request began from: common to HEAD and `against`, else to HEAD and origin's main."""
    repository = workspace.repository
    name = against or next((name for name in MAINS if repository.knows(name)), MAINS[-1])
    return repository.fork(name)


def review(workspace: Workspace, base: str) -> Review:
    """Return the answer to what HEAD changes of the commit `base`."""
    repository = workspace.repository
    sources = repository.sources(None)
    labs = find_labs(sources)
    edition = read_edition(sources, workspace.catalogue, labs, workspace.today)
    problems = {*map(judged, edition.diagnostics), *misplaced_specs(sources)}
    good = [state for state in edition.labs if _is_good(state, problems)]
    plans = tuple(plan_labs(workspace, edition, good, base))
    files = {problem.file for problem in problems if sources.status(problem.file) == "file"}
    return Review(
        repository.head(),
        tuple(sorted(problems, key=Diagnostic.sort_key)),
        plans,
        unchanged=len(good) - len(plans),
        removed=tuple(lab for lab in find_labs(repository.sources(base)) if lab not in labs),
        touched=tuple(touched(workspace, base)),
        source={file: sources.read(file) for file in sorted(files)},
    )


def _is_good(state: LabState, problems: set[Diagnostic]) -> bool:
    """Say whether a lab can be rendered: no file of its course and no platform file has an error."""
    folders = (f"labs/{state.lab.course}/", "environments/")
    return not any(problem.severity == "error" and problem.file.startswith(folders) for problem in problems)
