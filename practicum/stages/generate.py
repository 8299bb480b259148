"""The generator at work in a repository: changes to write, previews, prod's tree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.generate import (
    Changes,
    Edition,
    find_labs,
    read_addresses,
    read_edition,
    read_seat_book,
    render,
    render_argocd,
)
from generator.generate import generate as generate_changes
from generator.render.tree import Tree, lab_folder
from generator.spec.load import load_platforms
from generator.spec.platform import ENVIRONMENTS
from generator.spec.sources import Sources
from practicum.stages.deployment import read_operation
from practicum.stages.workspace import InvalidInput, Workspace


def generate(workspace: Workspace, sources: Sources, labs: Sequence[str] = ()) -> Changes:
    """Return what has to change for dev's generated files to be right. Raises InvalidInput before anything."""
    return generate_changes(_valid(workspace, sources, labs))


LAB_DEPTH = 4  # environments/ENV/COURSE/LAB


@dataclass(frozen=True)
class Abandoned:
    """A lab whose spec is gone and whose generated files are still there. `files` go when it was destroyed."""

    lab: str
    environment: str
    files: tuple[str, ...]
    destroyed: bool

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.destroyed:
            return "it was destroyed, so 'practicum generate' removes these files"
        return f"practicum destroy {self.lab} --env {self.environment}; or take the spec back from git"


def abandoned(sources: Sources) -> list[Abandoned]:
    """Return the labs whose spec is gone while their generated files stay: their machines may still run."""
    labs = set(find_labs(sources))
    return [
        Abandoned(lab, name, tuple(files), _is_destroyed(sources, name, lab))
        for name in ENVIRONMENTS
        for lab, files in _generated(sources, name).items()
        if lab not in labs
    ]


def removed(found: Sequence[Abandoned]) -> Changes:
    """Return the deletions of what destroyed labs left; of others, `destroy` still needs the files."""
    return {path: None for one in found if one.destroyed for path in one.files}


def preview(workspace: Workspace, sources: Sources, labs: Sequence[str], folder: Path) -> list[Path]:
    """Write what prod would be, with all students, below a folder outside git; return the files."""
    edition = _valid(workspace, sources, labs)
    tree: Changes = {}
    for state in edition.labs:
        tree |= render(edition, state, "prod")
    tree |= render_argocd(edition, "prod", sources)
    written = []
    for path, data in tree.items():
        if data is not None:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            written.append(target)
    return written


def render_prod(workspace: Workspace, lab: str, spec_commit: str, state: Sources) -> Tree:
    """Return prod's tree: the spec and its files as of a commit; seats, addresses and platform as `state` has them."""
    edition = _promoted(workspace, lab, spec_commit, state)
    return render(edition, edition.labs[0], "prod")


def prod_argocd(workspace: Workspace, lab: str, spec_commit: str, state: Sources) -> Changes:
    """Return what a promotion has to change below `argocd`; no part of the tree that a release tag names."""
    return render_argocd(_promoted(workspace, lab, spec_commit, state), "prod", state)


def _promoted(workspace: Workspace, lab: str, spec_commit: str, state: Sources) -> Edition:
    edition = _valid(workspace, workspace.repository.sources(spec_commit), [lab])
    given = {"prod": read_addresses(state, "prod")[lab]}
    kept = replace(edition.labs[0], seats=read_seat_book(state, lab), addresses=given)
    return replace(edition, platforms=load_platforms(state).platforms, labs=(kept,))


def _valid(workspace: Workspace, sources: Sources, labs: Sequence[str]) -> Edition:
    edition = read_edition(sources, workspace.catalogue, labs or find_labs(sources), workspace.today)
    if edition.failed:
        raise InvalidInput(edition.diagnostics, workspace.repository.root)
    return edition


def _generated(sources: Sources, environment: str) -> dict[str, list[str]]:
    """Return the files in an environment's folders of labs, by lab."""
    found: dict[str, list[str]] = {}
    for path in sources.files(f"environments/{environment}"):
        parts = path.split("/")
        if len(parts) > LAB_DEPTH:
            found.setdefault("/".join(parts[2:LAB_DEPTH]), []).append(path)
    return {lab: files for lab, files in found.items() if f"{lab_folder(environment, lab)}/lxd/shared.yaml" in files}


def _is_destroyed(sources: Sources, environment: str, lab: str) -> bool:
    path = f"{lab_folder(environment, lab)}/operation.yaml"
    return sources.status(path) == "file" and read_operation(sources.read(path)).life == "destroyed"
