"""Check specs: no effects."""

from collections.abc import Sequence
from dataclasses import replace

from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import find_labs, misplaced_specs, read_edition
from generator.spec.sources import Sources
from practicum.stages.workspace import Workspace

NO_ADDRESSES = "PRA094"


def validate(workspace: Workspace, sources: Sources, labs: Sequence[str] = ()) -> list[Diagnostic]:
    """Return every problem of the platform files and of the labs (all when none is named), sorted."""
    edition = read_edition(sources, workspace.catalogue, labs or find_labs(sources), workspace.today)
    lost = [] if labs else misplaced_specs(sources)
    return sorted({*map(judged, edition.diagnostics), *lost}, key=Diagnostic.sort_key)


def judged(problem: Diagnostic) -> Diagnostic:
    """Return a problem as it counts here: addresses are given by `generate`, and a spec is no worse without them."""
    return replace(problem, severity="warning") if problem.code == NO_ADDRESSES else problem
