"""From the files of a repository to a lab or a platform, or a list of problems."""

from collections.abc import Mapping
from dataclasses import dataclass

from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.build import build_lab
from generator.spec.load_document import load_document, ordered
from generator.spec.load_platform import LoadedPlatform, LoadedPlatforms, load_platform, load_platforms
from generator.spec.model import Lab
from generator.spec.platform import Platform
from generator.spec.rules.context import Context
from generator.spec.semantics import check_semantics
from generator.spec.sources import Sources

__all__ = ["LoadedLab", "LoadedPlatform", "LoadedPlatforms", "load_lab", "load_platform", "load_platforms"]


@dataclass(frozen=True)
class LoadedLab:
    """A lab, or None when `diagnostics` has an error."""

    lab: Lab | None
    diagnostics: tuple[Diagnostic, ...]


def load_lab(
    sources: Sources, path: str, catalogue: Mapping[str, MachineType], platforms: Mapping[str, Platform]
) -> LoadedLab:
    """Load the lab whose spec stands at `path` (`labs/COURSE/LAB.lab.yaml`), telling all its problems at once."""
    if sources.status(path) != "file":
        return LoadedLab(None, (Diagnostic("PRA050", f"there is no file '{path}'", path),))
    loaded = load_document(sources.read(path), path, "lab")
    if loaded.document is None or loaded.schema is None or not isinstance(loaded.schema.data, dict):
        return LoadedLab(None, ordered(loaded.diagnostics))
    data, excused = loaded.schema.data, loaded.schema.excused
    context = Context(loaded.document, data, excused, sources, catalogue, platforms)
    told = {problem.path for problem in loaded.diagnostics}
    more = tuple(problem for problem in check_semantics(context) if problem.file != path or problem.path not in told)
    problems = ordered((*loaded.diagnostics, *more))
    failed = any(problem.severity == "error" for problem in problems)
    return LoadedLab(None if failed else build_lab(context), problems)
