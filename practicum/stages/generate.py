"""The generator at work in a repository: changes to write, previews, prod's tree."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from generator.generate import Changes, Edition, find_labs, read_addresses, read_edition, read_seat_book, render
from generator.generate import generate as generate_changes
from generator.render.tree import Tree
from generator.spec.load import load_platforms
from generator.spec.sources import Sources
from practicum.stages.workspace import InvalidInput, Workspace


def generate(workspace: Workspace, sources: Sources, labs: Sequence[str] = ()) -> Changes:
    """Return what has to change for dev's generated files to be right. Raises InvalidInput before anything."""
    return generate_changes(_valid(workspace, sources, labs))


def preview(workspace: Workspace, sources: Sources, labs: Sequence[str], folder: Path) -> list[Path]:
    """Write what prod would be, with all students, below a folder outside git; return the files."""
    edition = _valid(workspace, sources, labs)
    written = []
    for state in edition.labs:
        for path, data in render(edition, state, "prod").items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            written.append(target)
    return written


def render_prod(workspace: Workspace, lab: str, spec_commit: str, state: Sources) -> Tree:
    """Return prod's tree: the spec and its files as of a commit; seats, addresses and platform as `state` has them."""
    edition = _valid(workspace, workspace.repository.sources(spec_commit), [lab])
    now = replace(edition, platforms=load_platforms(state).platforms)
    given = {"prod": read_addresses(state, "prod")[lab]}
    return render(now, replace(edition.labs[0], seats=read_seat_book(state, lab), addresses=given), "prod")


def _valid(workspace: Workspace, sources: Sources, labs: Sequence[str]) -> Edition:
    edition = read_edition(sources, workspace.catalogue, labs or find_labs(sources), workspace.today)
    if edition.failed:
        raise InvalidInput(edition.diagnostics, workspace.repository.root)
    return edition
