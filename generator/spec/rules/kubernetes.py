"""Rules about Kubernetes: the cluster that a lab names, its nodes, and the professor's base."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import ceil
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.build import build_base
from generator.kubernetes_base.check import Bounds, check_objects
from generator.kubernetes_base.kustomization import file_in
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.rules.images import ImageList, image_list
from generator.kubernetes_base.rules.resources import shown_amount, wanted
from generator.spec.model import EXISTING
from generator.spec.rules.context import Context
from generator.spec.rules.files import resolve
from generator.spec.rules.students import roster_of
from generator.spec.units import parse_size

__all__ = ["NODES", "QUOTA", "base", "cluster", "nodes"]

NODES: Mapping[str, Any] = {"count": "auto", "cpu": 2, "memory": "2GiB", "disk": "10GiB"}
QUOTA: Mapping[str, Any] = {"cpu": 1, "memory": "1GiB", "pods": 10, "storage": "2GiB"}
# kubelet's default (kubernetes.io/docs/setup/best-practices/cluster-large).
PODS_OF_A_NODE = 110
_STAND_IN = "s001"


def cluster(context: Context) -> Iterator[Diagnostic]:
    """An existing cluster is named in every environment's platform file."""
    value = context.get("kubernetes", "cluster")
    if value is None or not value.startswith(EXISTING):
        return
    name = value.removeprefix(EXISTING).strip()
    lacking = [environment for environment, platform in context.platforms.items() if name not in platform.clusters]
    if lacking:
        files = " and ".join(f"environments/{environment}/platform.yaml" for environment in lacking)
        hint = "Use `cluster: lab`, or ask the operator to add it under kubernetes.clusters."
        message = f"there is no cluster '{name}' in {files}"
        yield context.document.problem("PRA048", message, ("kubernetes", "cluster"), hint=hint)


def _amounts(context: Context, key: str, defaults: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the numbers of `quota` or `nodes`: cores, bytes, pods."""
    given = {name: value for name, value in context.group("kubernetes", key).items() if value is not None}
    numbers = {name: value for name, value in {**defaults, **given}.items() if name != "count"}
    return {
        name: Decimal(str(parse_size(value) if isinstance(value, str) else value)) for name, value in numbers.items()
    }


def base(context: Context) -> Iterator[Diagnostic]:
    """The professor's base builds, stays in its copy and within the quota, and has what the checks look for."""
    name = context.get("kubernetes", "base")
    place = resolve(context.folder, name) if name else None
    if place is None or file_in(context.sources, place) is None or context.sources.status(place) == "outside":
        return
    built = build_base(context.sources, context.folder, place, _stand_in(context))
    bounds = Bounds(_amounts(context, "quota", QUOTA), "quota" in context.group("kubernetes"), _image_lists(context))
    found = list(check_objects(built.objects, bounds))
    yield from built.problems
    yield from found
    if not any(problem.severity == "error" for problem in built.problems):
        yield from _deployments(context, built.objects)
    if not any(problem.severity == "error" for problem in (*built.problems, *found)):
        yield from _together(context, built.objects, bounds.quota)


def _stand_in(context: Context) -> Mapping[str, Any]:
    """Return what templates of a base see, for a student who stands for all."""
    addresses = {name: f"10.64.0.{number}" for number, name in enumerate(context.group("machines"), 10)}
    first = next(iter(addresses.values()), "")
    return {"student": {"id": _STAND_IN}, "seat": {"id": _STAND_IN, "address": first, "addresses": addresses}}


def _image_lists(context: Context) -> list[ImageList]:
    found = [
        image_list(f"environments/{environment}/platform.yaml", platform.settings.get("images") or {})
        for environment, platform in context.platforms.items()
    ]
    return [known for known in found if known is not None]


def _deployments(context: Context, objects: tuple[Manifest, ...]) -> Iterator[Diagnostic]:
    """Kubernetes checks look at deployments that the base has."""
    known = [manifest.name for manifest in objects if (manifest.group, manifest.kind) == ("apps", "Deployment")]
    for index, _check in context.items("checks"):
        name = context.get("checks", index, "kubernetes", "deployment")
        if name is not None:
            path = ("checks", index, "kubernetes", "deployment")
            yield from context.unknown("PRA138", "deployment", name, known, path)


def _together(context: Context, objects: tuple[Manifest, ...], quota: Mapping[str, Decimal]) -> Iterator[Diagnostic]:
    """All that runs at the same time fits the quota; each alone does."""
    asked = wanted(objects)
    for name in ("cpu", "memory", "storage", "pods"):
        amount, bound = Decimal(getattr(asked, name)), quota[name]
        if amount > bound:
            shown = [str(value) if name == "pods" else shown_amount(name, value) for value in (amount, bound)]
            what = "has" if name == "pods" else "asks for"
            message = f"the base {what} {shown[0]} {name} in all; a student has {shown[1]}"
            yield context.document.problem("PRA135", message, ("kubernetes", "quota", name))


def nodes(context: Context) -> Iterator[Diagnostic]:
    """A fixed number of nodes holds the quotas of all students, and of the professor's copy."""
    count, kind = context.get("kubernetes", "nodes", "count"), context.get("kubernetes", "cluster") or "lab"
    students = _students(context)
    if not isinstance(count, int) or kind.startswith(EXISTING) or not students:
        return
    copies = 1 if kind == "seat" else students + 1
    quota, node = (
        _amounts(context, "quota", QUOTA),
        _amounts(context, "nodes", NODES) | {"pods": Decimal(PODS_OF_A_NODE)},
    )
    needed = {name: ceil(copies * quota[name] / node[name]) for name in ("cpu", "memory", "pods")}
    worst = max(needed, key=lambda name: needed[name])
    if needed[worst] > count:
        whom = "one copy" if kind == "seat" else f"{students} students and the professor's copy"
        message = f"the quotas of {whom} need {needed[worst]} nodes for their {worst}, not {count}"
        hint = f"Write count: {needed[worst]} or count: auto, or give nodes more {worst}, or make the quota smaller."
        if worst == "pods":
            hint = f"Write count: {needed[worst]} or count: auto; a node holds {PODS_OF_A_NODE} pods."
        place = ("kubernetes", "nodes", "count")
        yield context.document.problem("PRA137", message, place, hint=hint, severity="warning")


def _students(context: Context) -> int:
    value = context.get("students")
    if isinstance(value, int):
        return value
    roster = roster_of(context) if isinstance(value, str) else None
    return len(roster.students) if roster else 0
