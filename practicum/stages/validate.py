"""Check specs: no effects."""

from collections.abc import Sequence

from generator.diagnostics.diagnostic import Diagnostic
from generator.generate import find_labs, read_edition
from generator.spec.sources import Sources
from practicum.stages.workspace import Workspace


def validate(workspace: Workspace, sources: Sources, labs: Sequence[str] = ()) -> list[Diagnostic]:
    """Return every problem of the platform files and of the labs (all when none is named), sorted."""
    edition = read_edition(sources, workspace.catalogue, labs or find_labs(sources), workspace.today)
    return list(edition.diagnostics)
