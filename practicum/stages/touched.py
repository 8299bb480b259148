"""Files that only Practicum writes, in a request in which a person changed them: what is not what it would write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.generate import find_labs, generated, read_edition, render_argocd
from generator.render.tree import is_written_by_commands, lab_folder
from generator.spec.platform import ENVIRONMENTS
from generator.spec.sources import MappingSources, Sources, Status
from practicum.errors import PracticumError
from practicum.events import Event
from practicum.stages.deployment import load_deployment, read_operation
from practicum.stages.generate import LAB_DEPTH, prod_argocd
from practicum.stages.releases import verify_release
from practicum.stages.workspace import Workspace

BY_COMMANDS = "only `practicum start`, `stop`, `exam`, `checkpoint` and `destroy` write it: take main's version"
BY_GENERATE = "it does not follow from the specs: take main's version; it is generated after the merge"
BY_PROMOTION = "no release that a pilot proved has this: take main's version, and promote"
NOT_DESTROYED = "its machines would be lost sight of: take it back, and destroy the lab first"
_BOOK = re.compile(r"labs/[^/]+/[^/]+[.]seats[.]yaml|environments/[^/]+/addresses[.]yaml")
_ARGOCD_OF_PROD = re.compile(r"argocd/(apps/prod/|projects/prod-|root-prod[.]yaml$)")


@dataclass(frozen=True)
class Touched:
    """A file that a request may not change like this, and what to do."""

    path: str
    advice: str


def is_generated(path: str) -> bool:
    """Say whether only Practicum writes a file; `.gitattributes` of a repository names the same paths."""
    of_lab = path.startswith("environments/") and path.count("/") >= LAB_DEPTH
    return of_lab or path.startswith("argocd/") or bool(_BOOK.fullmatch(path))


def touched(workspace: Workspace, base: str) -> list[Touched]:
    """Return what HEAD has changed since `base` of files that only Practicum writes, and not as Practicum would.

    Who made a commit proves nothing, so contents are compared: with what is generated from the specs of HEAD and the
    books of `base`, and with release tags.
    """
    changed = tuple(path for path in workspace.repository.changed(base) if is_generated(path))
    return list(_Request(workspace, base, changed).found()) if changed else []


@dataclass(frozen=True)
class _MainsBooks:
    """The files of a request with main's version of what is generated: ids and addresses are given on main only."""

    request: Sources
    main: Sources

    def status(self, path: str) -> Status:
        return self._side(path).status(path)

    def read(self, path: str) -> bytes:
        return self._side(path).read(path)

    def files(self, folder: str) -> list[str]:
        found = [path for path in self.request.files(folder) if not is_generated(path)]
        return sorted({*found, *(path for path in self.main.files(folder) if is_generated(path))})

    def _side(self, path: str) -> Sources:
        return self.main if is_generated(path) else self.request


@dataclass(frozen=True)
class _Request:
    workspace: Workspace
    base: str
    changed: tuple[str, ...]

    def found(self) -> Iterator[Touched]:
        if any(_is_of_prod(path) for path in self.changed):
            self._fetch_tags()
        for path in self.changed:
            if advice := self._of_prod(path) if _is_of_prod(path) else self._of_dev(path):
                yield Touched(path, advice)

    def _of_dev(self, path: str) -> str:
        environment, lab = _lab_of(path)
        data = self._data(path)
        if data is None and lab and lab not in self._labs:
            return "" if self._was_destroyed(environment, lab) else NOT_DESTROYED
        if is_written_by_commands(path):
            return BY_COMMANDS
        return "" if self._wanted is None or data == self._wanted.get(path) else BY_GENERATE

    def _of_prod(self, path: str) -> str:
        environment, lab = _lab_of(path)
        if not lab:
            promised = self._argocd_of_prod
            return "" if path in promised and promised[path] == self._data(path) else BY_PROMOTION
        if self._head.status(path) != "file" and lab not in self._labs:
            return "" if self._was_destroyed(environment, lab) else NOT_DESTROYED
        if path.endswith("/operation.yaml"):
            return BY_COMMANDS
        return "" if lab in self._proved else BY_PROMOTION

    def _data(self, path: str) -> bytes | None:
        head = self._head
        return head.read(path) if head.status(path) == "file" else None

    def _was_destroyed(self, environment: str, lab: str) -> bool:
        before, operation = self._main, f"{lab_folder(environment, lab)}/operation.yaml"
        return before.status(operation) == "file" and read_operation(before.read(operation)).life == "destroyed"

    @cached_property
    def _head(self) -> Sources:
        return self.workspace.repository.sources("HEAD")

    @cached_property
    def _main(self) -> Sources:
        return self.workspace.repository.sources(self.base)

    @cached_property
    def _labs(self) -> list[str]:
        return find_labs(self._head)

    @cached_property
    def _wanted(self) -> dict[str, bytes | None] | None:
        """What is generated after the merge; None for specs with errors, which are not merged."""
        sources, workspace = _MainsBooks(self._head, self._main), self.workspace
        edition = read_edition(sources, workspace.catalogue, self._labs, workspace.today)
        if edition.failed:
            return None
        return {**generated(edition), **render_argocd(edition, "dev", MappingSources({}))}

    @cached_property
    def _proved(self) -> set[str]:
        """The labs whose files in prod, as HEAD has them, are those of a release tag."""
        return {
            lab for path in self.changed if (lab := _lab_of(path)[1]) and _is_of_prod(path) and self._is_proved(lab)
        }

    def _is_proved(self, lab: str) -> bool:
        try:
            verify_release(self.workspace, load_deployment(self.workspace, lab, "prod"))
        except PracticumError:
            return False
        return True

    @cached_property
    def _argocd_of_prod(self) -> dict[str, bytes | None]:
        """What promoting the proved labs changes of main's files for Argo CD."""
        found: dict[str, bytes | None] = {}
        for lab in self._proved:
            release = load_deployment(self.workspace, lab, "prod").release or {}
            found |= prod_argocd(self.workspace, lab, release["spec_commit"], self._main)
        return found

    def _fetch_tags(self) -> None:
        try:
            self.workspace.repository.fetch()
        except PracticumError as error:
            self.workspace.emit(Event("review", "warning", f"release tags could not be fetched: {error.message}"))


def _is_of_prod(path: str) -> bool:
    return (path.startswith("environments/prod/") and not _BOOK.fullmatch(path)) or bool(_ARGOCD_OF_PROD.match(path))


def _lab_of(path: str) -> tuple[str, str]:
    """Return environment and lab of a file in a lab's folder; empty ones for another file."""
    parts = path.split("/")
    if parts[0] == "environments" and len(parts) > LAB_DEPTH and parts[1] in ENVIRONMENTS:
        return parts[1], "/".join(parts[2:LAB_DEPTH])
    return "", ""
