"""All files below `environments/ENV/COURSE/LAB/kubernetes`, for Kustomize as it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.render.definitions import Target
from generator.render.kubernetes.overlays import Own, members, overlay, overlay_folder, own_of, secrets_of, shard
from generator.render.kubernetes.professor import ProfessorBase, professor_base
from generator.render.kubernetes.restricted import completed
from generator.render.kubernetes.walls import walls
from generator.render.yaml_text import dump, header
from generator.spec.model import Kubernetes

__all__ = ["kubernetes_files"]

Files = Iterator[tuple[str, bytes]]
_BASE = "../../base"
_FILES = "files"
_WALLS = "walls.yaml"
_SECRETS = "secrets.yaml"
_KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


def kubernetes_files(target: Target, seats: Mapping[str, bool]) -> dict[str, bytes]:
    """Return the files by path below `kubernetes`; none for a lab without. `seats` says of each whether it is leaving.

    Raises TemplateError.
    """
    kubernetes = target.lab.kubernetes
    return dict(_Folders(target, kubernetes).files(seats)) if kubernetes is not None else {}


class _Folders:
    """The folders of one lab in one environment."""

    def __init__(self, target: Target, kubernetes: Kubernetes) -> None:
        self.target = target
        self.kubernetes = kubernetes
        self.top = header(target.lab.path, f"practicum generate {target.lab.key}")
        self.outlines: dict[bool, str] = {}

    def files(self, seats: Mapping[str, bool]) -> Files:
        listed = list(seats)
        common = professor_base(self.target, listed[0])
        yield from self.base(common)
        for seat, leaving in seats.items():
            if common is not None and common.templated:
                yield from self.with_own_base(seat, professor_base(self.target, seat) or common, leaving=leaving)
            else:
                yield f"{overlay_folder(seat)}/kustomization.yaml", self.filled(seat, common, leaving=leaving)
        for name, group in members(listed, alone=self.kubernetes.cluster == "seat").items():
            yield f"shards/{name}/kustomization.yaml", self.text(shard(self.target, group))

    def base(self, common: ProfessorBase | None) -> Files:
        """Yield what all seats share: the walls, and the professor's base when it is the same for all."""
        objects = common.objects if common else ()
        yield f"base/{_WALLS}", self.text(*walls(self.target, self.kubernetes, objects))
        shared = common if common is not None and not common.templated else None
        yield "base/kustomization.yaml", self.text({**_KUSTOMIZATION, **_with_professor([_WALLS], shared)})
        yield from _copied("base", shared)

    def with_own_base(self, seat: str, base: ProfessorBase, *, leaving: bool) -> Files:
        """Yield the overlay of a seat whose base has texts of its own."""
        folder = overlay_folder(seat)
        own = _with_professor([_BASE], base)
        document = overlay(self.target, own_of(self.target, seat), own["resources"], base.objects, leaving=leaving)
        document["patches"] = [*own.get("patches", ()), *document["patches"]]
        yield f"{folder}/kustomization.yaml", self.text(document)
        yield from _copied(folder, base)
        secrets = secrets_of(self.target, seat, base.objects)
        if secrets:
            yield f"{folder}/{_SECRETS}", self.text(*secrets)

    def filled(self, seat: str, common: ProfessorBase | None, *, leaving: bool) -> bytes:
        """Return the overlay of a seat whose base is everybody's: written once, then only filled in."""
        own = own_of(self.target, seat)
        stand_in = _stand_in(own)
        if leaving not in self.outlines:
            document = overlay(self.target, stand_in, [_BASE], common.objects if common else (), leaving=leaving)
            self.outlines[leaving] = self.text(document).decode()
        text = self.outlines[leaving]
        for before, after in zip(stand_in.texts(), own.texts(), strict=True):
            text = text.replace(before, after)
        return text.encode()

    def text(self, *documents: Any) -> bytes:
        """Return a generated file of one or several documents."""
        return (self.top + "---\n".join(map(dump, documents))).encode()


def _stand_in(own: Own) -> Own:
    """Return words in place of all values; none is a part of another or of anything else that stands in an overlay."""
    numbers = iter(range(10**6))

    def word() -> str:
        return f"VALUE{next(numbers)}X"

    seat, namespace, marker = word(), word(), word()
    places = {machine: {name: word() for name in networks} for machine, networks in own.places.items()}
    return Own(seat, namespace, marker, places)


def _with_professor(resources: Sequence[str], base: ProfessorBase | None) -> dict[str, Any]:
    """Return the resources with those of a base, and what completes its pods."""
    if base is None:
        return {"resources": [*resources]}
    patches = completed(base.objects)
    folder = {"resources": [*resources, f"{_FILES}/{base.folder}"]}
    return {**folder, "patches": patches} if patches else folder


def _copied(folder: str, base: ProfessorBase | None) -> Files:
    for path, data in base.files.items() if base else ():
        yield f"{folder}/{_FILES}/{path}", data
