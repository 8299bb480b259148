"""The professor's base in the generated tree: the files that Kustomize reads, templates rendered for a seat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.kubernetes_base.build import build_base
from generator.kubernetes_base.kustomization import NAMES, load_kustomization
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.texts import is_template
from generator.render.definitions import Target, TemplateError
from generator.render.machine_config import seat_addresses
from generator.render.template import TemplateProblem, render
from generator.render.yaml_text import dump, header
from generator.spec.sources import Sources, Status

__all__ = ["ProfessorBase", "check_base", "professor_base"]

_RENDERED = ".j2"


@dataclass(frozen=True)
class ProfessorBase:
    """A base as a seat gets it. `files` are relative to the course's folder; `folder` is where Kustomize begins."""

    folder: str
    objects: Sequence[Manifest]
    files: Mapping[str, bytes]
    templated: bool


@dataclass(frozen=True)
class _Recorded:
    """Sources that remember what was read from them."""

    sources: Sources
    paths: set[str] = field(default_factory=set)

    def status(self, path: str) -> Status:
        return self.sources.status(path)

    def read(self, path: str) -> bytes:
        self.paths.add(path)
        return self.sources.read(path)

    def files(self, folder: str) -> list[str]:
        return self.sources.files(folder)


def professor_base(target: Target, seat: str) -> ProfessorBase | None:
    """Return the lab's base for a seat; None when it has none. Raises TemplateError.

    What differs by seat is only what templates say: where there are none, one seat's base is everybody's.
    """
    folder = target.lab.kubernetes.base if target.lab.kubernetes else None
    if folder is None:
        return None
    course, recorded, values = f"labs/{target.lab.course}", _Recorded(target.sources), _values(target, seat)
    built = build_base(recorded, course, folder, values)
    files = {path.removeprefix(f"{course}/"): _content(target, path, seat, values) for path in sorted(recorded.paths)}
    templated = any(is_template(path) for path in recorded.paths)
    return ProfessorBase(folder.removeprefix(f"{course}/"), built.objects, files, templated)


def check_base(target: Target, seats: Sequence[str]) -> list[TemplateError]:
    """Return what is wrong with the templates of a base: of each, what fails first when rendered for the seats."""
    folder = target.lab.kubernetes.base if target.lab.kubernetes else None
    if folder is None:
        return []
    recorded = _Recorded(target.sources)
    build_base(recorded, f"labs/{target.lab.course}", folder, _values(target, seats[0]))
    templates = sorted(path for path in recorded.paths if is_template(path))
    return [error for path in templates if (error := _first_failure(target, path, seats))]


def _first_failure(target: Target, path: str, seats: Sequence[str]) -> TemplateError | None:
    for seat in seats:
        try:
            _content(target, path, seat, _values(target, seat))
        except TemplateError as error:
            return error
    return None


def _values(target: Target, seat: str) -> Mapping[str, Any]:
    addresses = seat_addresses(target.lab, target.addresses, seat)
    own = {"id": seat, "address": next(iter(addresses.values()), ""), "addresses": addresses}
    return {"student": {"id": seat}, "seat": own}


def _content(target: Target, path: str, seat: str, values: Mapping[str, Any]) -> bytes:
    data = target.sources.read(path)
    folder, _, name = path.rpartition("/")
    if name in NAMES:
        return _kustomization(target, folder, path) or data
    if not is_template(path):
        return data
    try:
        return render(data.decode(), values).encode()
    except TemplateProblem as problem:
        raise TemplateError(path, seat, problem) from problem


def _kustomization(target: Target, folder: str, path: str) -> bytes | None:
    """Return a kustomization in which generators name the keys of templates; None when it needs no change.

    For Kustomize the key of `motd.txt.j2` would be its whole name.
    """
    loaded, _problems = load_kustomization(target.sources, folder)
    if loaded is None:
        return None
    changed = dict(loaded.data)
    for key in ("configMapGenerator", "secretGenerator"):
        if key in changed:
            changed[key] = [{**entry, **_named(entry)} for entry in changed[key]]
    if changed == loaded.data:
        return None
    return (header(path, f"practicum generate {target.lab.key}") + dump(changed)).encode()


def _named(entry: Mapping[str, Any]) -> dict[str, Any]:
    files = entry.get("files")
    return {"files": [_with_key(name) for name in files]} if files else {}


def _with_key(name: str) -> str:
    key = name.rpartition("/")[2]
    return f"{key.removesuffix(_RENDERED)}={name}" if is_template(name) and "=" not in name else name
