"""Everything that is said about the objects of a base, one rule after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.rules import images, resources, rights, scope, secrets, security, services, shape
from generator.kubernetes_base.rules.images import ImageList

__all__ = ["Bounds", "check_objects"]


@dataclass(frozen=True)
class Bounds:
    """What the lab and its environments allow. `quota`: cores, bytes, pods; `chosen`: the spec itself names a quota."""

    quota: Mapping[str, Decimal]
    chosen: bool
    images: Sequence[ImageList] = ()


_RULES: tuple[Callable[[Manifest], Iterator[Diagnostic]], ...] = (
    scope.namespaces,
    scope.names,
    rights.roles,
    rights.bindings,
    security.baseline,
    security.everywhere,
    services.services,
    services.hosts,
    shape.pods,
    shape.selectors,
    images.tagged,
    secrets.secrets,
    resources.quantities,
)


def check_objects(objects: Sequence[Manifest], bounds: Bounds) -> Iterator[Diagnostic]:
    """Yield what every rule finds. Of an object that cannot stand in a base nothing more is said."""
    for manifest in objects:
        refused = list(scope.kinds(manifest))
        yield from refused or _of_object(manifest, bounds)


def _of_object(manifest: Manifest, bounds: Bounds) -> Iterator[Diagnostic]:
    for rule in _RULES:
        yield from rule(manifest)
    yield from images.allowed(manifest, list(bounds.images))
    yield from resources.too_much(manifest, bounds.quota)
    yield from resources.storage(manifest, bounds.quota)
    if bounds.chosen:
        yield from resources.unlimited(manifest)
