"""What the pods ask for fits what one student may use."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest, facts
from generator.kubernetes_base.node import Node
from generator.kubernetes_base.quantity import parse_quantity, right_form

__all__ = ["Wanted", "quantities", "shown_amount", "storage", "too_much", "unlimited", "wanted"]

NAMES = ("cpu", "memory")


@dataclass(frozen=True)
class Wanted:
    """What objects ask for: cores, bytes of memory and of storage, and a number of pods."""

    cpu: Decimal = Decimal()
    memory: Decimal = Decimal()
    storage: Decimal = Decimal()
    pods: int = 0

    def __add__(self, other: "Wanted") -> "Wanted":
        return Wanted(
            self.cpu + other.cpu, self.memory + other.memory, self.storage + other.storage, self.pods + other.pods
        )


def _claims(manifest: Manifest) -> Iterator[Node]:
    """Yield the specs of the volumes that an object asks for."""
    if (manifest.group, manifest.kind) == ("", "PersistentVolumeClaim"):
        yield manifest.node.fields().get("spec", manifest.node)
    for claim in manifest.node.items("spec", "volumeClaimTemplates"):
        yield claim.fields().get("spec", claim)


def _amounts(manifest: Manifest) -> Iterator[Node]:
    for owner in (*manifest.containers(), *_claims(manifest)):
        for kind in ("requests", "limits"):
            yield from owner.fields("resources", kind).values()


def quantities(manifest: Manifest) -> Iterator[Diagnostic]:
    """Amounts have the form that Kubernetes reads."""
    for node in _amounts(manifest):
        if node.value is not None and _number(node) is None:
            form = right_form(node.value)
            hint = f"Write {form}." if form else "Write 500m or 1 for CPU, 512Mi or 2Gi for memory and storage."
            yield node.problem("PRA136", f"'{str(node.value)[:40]}' is not an amount that Kubernetes reads", hint=hint)


def _number(node: Node | None) -> Decimal | None:
    try:
        return None if node is None else parse_quantity(node.value)
    except ValueError:
        return None


def unlimited(manifest: Manifest) -> Iterator[Diagnostic]:
    """With a quota, a container says what it needs; else it gets a share that nobody chose."""
    for container in manifest.containers():
        missing = [name for name in NAMES if _asked_node(container, name) is None]
        if missing:
            words = " and ".join(missing)
            message = (
                f"the container '{container.text('name')}' of {manifest.title} does not say how much {words} it needs"
            )
            yield (container.find("name") or container).problem("PRA134", message, severity="warning")


def _asked_node(container: Node, name: str) -> Node | None:
    """Return what a container asks for; Kubernetes takes its limit when there is no request."""
    requested = container.find("resources", "requests", name)
    return requested or container.find("resources", "limits", name)


def _asked(containers: Iterable[Node], name: str) -> list[Decimal]:
    return [_number(_asked_node(container, name)) or Decimal() for container in containers]


def _of_pod(pod: Node, name: str) -> Decimal:
    """Return what a pod asks for: its containers together, or the largest of those that run before."""
    return max(
        sum(_asked(pod.items("containers"), name), Decimal()), *_asked(pod.items("initContainers"), name), Decimal()
    )


def too_much(manifest: Manifest, quota: Mapping[str, Decimal]) -> Iterator[Diagnostic]:
    """One pod alone fits the quota."""
    if manifest.pod is None:
        return
    for name in NAMES:
        asked = _of_pod(manifest.pod, name)
        if asked > quota[name]:
            largest = max(manifest.containers(), key=lambda container: _asked([container], name)[0])
            node = _asked_node(largest, name) or largest
            shown = [shown_amount(name, amount) for amount in (asked, quota[name])]
            message = f"a pod of {manifest.title} asks for {shown[0]} {name}; a student has {shown[1]}"
            yield node.problem("PRA135", message)


def storage(manifest: Manifest, quota: Mapping[str, Decimal]) -> Iterator[Diagnostic]:
    """One volume alone fits the quota."""
    for claim in _claims(manifest):
        node = claim.find("resources", "requests", "storage")
        asked = _number(node)
        if node is not None and asked is not None and asked > quota["storage"]:
            shown = [shown_amount("storage", amount) for amount in (asked, quota["storage"])]
            message = f"{manifest.title} asks for {shown[0]} storage; a student has {shown[1]}"
            yield node.problem("PRA135", message)


def wanted(objects: Iterable[Manifest]) -> Wanted:
    """Return what all pods that run at the same time ask for."""
    return sum(map(_wanted, objects), Wanted())


def _wanted(manifest: Manifest) -> Wanted:
    counts, count = facts("kinds")["counts"], 1
    claimed = [_number(claim.find("resources", "requests", "storage")) or Decimal() for claim in _claims(manifest)]
    if counts.get(manifest.kind):
        node = manifest.node.find("spec", counts[manifest.kind])
        count = node.value if node is not None and isinstance(node.value, int) and 0 <= node.value <= 10**6 else 1
    space = sum(claimed, Decimal()) * count
    if manifest.kind not in counts or manifest.pod is None:
        return Wanted(storage=space)
    cpu, memory = (_of_pod(manifest.pod, name) * count for name in NAMES)
    return Wanted(cpu, memory, space, count)


def shown_amount(name: str, amount: Decimal) -> str:
    """Return an amount as Kubernetes writes it."""
    if name == "cpu":
        return f"{amount.normalize():f}"
    for unit, power in (("Gi", 3), ("Mi", 2), ("Ki", 1)):
        if amount % 1024**power == 0:
            return f"{amount / 1024**power:f}{unit}"
    return f"{amount:f}"
