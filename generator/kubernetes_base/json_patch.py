"""Applies JSON patches (RFC 6902) to nodes, so that what they write keeps the place where it was written."""

from collections.abc import Callable, Sequence
from itertools import islice

from generator.kubernetes_base.merge import BadPatch
from generator.kubernetes_base.node import Node
from generator.spec.words import did_you_mean, nearest

__all__ = ["apply_operations"]

_MOST_OPERATIONS = 500
_DEEPEST = 32
_MOST_COPIED = 1000
_NEEDS = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from", "remove": ""}

_Change = Callable[[Node, str], Node]
"""Changes one key or number of a group or list."""


def apply_operations(base: Node, patch: Node) -> Node:
    """Return the object after all operations of a patch. Raises BadPatch at the operation that fails."""
    if len(patch.value) > _MOST_OPERATIONS:
        raise BadPatch(patch.problem("PRA106", f"at most {_MOST_OPERATIONS} operations are read"))
    for operation in patch.value:
        base = _apply(base, operation)
    return base


def _apply(base: Node, operation: Node) -> Node:
    name = operation.text("op")
    if name not in _NEEDS:
        message = f"'{name}' is no operation{did_you_mean(nearest(name, _NEEDS))}" if name else "`op` is missing"
        raise BadPatch((operation.find("op") or operation).problem("PRA106", message, hint=_FORM))
    for key in ("path", _NEEDS[name]):
        if key and key not in operation.fields():
            raise BadPatch(operation.problem("PRA106", f"the operation '{name}' needs '{key}'", hint=_FORM))
    target = _steps(operation, "path")
    if name in ("move", "copy"):
        source = _steps(operation, "from")
        value = _at(base, source, operation, "from")
        _small(value, operation)
        base = _walk(base, source, operation, _removed(operation)) if name == "move" else base
        return _walk(base, target, operation, _added(value, operation))
    if name == "remove":
        return _walk(base, target, operation, _removed(operation))
    value = operation.fields()["value"]
    if name == "test":
        if _at(base, target, operation, "path").plain() != value.plain():
            raise BadPatch(value.problem("PRA106", f"the object has another value at {operation.text('path')}"))
        return base
    return _walk(base, target, operation, (_added if name == "add" else _replaced)(value, operation))


_FORM = "For example {op: replace, path: /spec/replicas, value: 2}."


def _small(value: Node, operation: Node) -> None:
    if len(list(islice(value.walk(), _MOST_COPIED + 1))) > _MOST_COPIED:
        raise BadPatch(operation.problem("PRA106", "this operation copies far too much"))


def _steps(operation: Node, key: str) -> list[str]:
    pointer = operation.text(key)
    steps = pointer.split("/")[1:]
    if not pointer.startswith("/") or len(steps) > _DEEPEST:
        message = f"'{pointer}' is no path: it begins with / and names one key after the other"
        raise BadPatch(operation.fields()[key].problem("PRA106", message, hint=_FORM))
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _absent(operation: Node, step: str, node: Node, key: str = "path") -> BadPatch:
    choices = node.value if isinstance(node.value, dict) else ()
    message = f"the object has nothing at '{step}' of {operation.text(key)}{did_you_mean(nearest(step, choices))}"
    place = operation.find(key) or operation
    return BadPatch(place.problem("PRA106", message, hint="`op: add` makes a key that is not there yet."))


def _at(base: Node, steps: Sequence[str], operation: Node, key: str) -> Node:
    node = base
    for step in steps:
        found = node.value.get(step) if isinstance(node.value, dict) else None
        if isinstance(node.value, tuple) and _is_number(step) and int(step) < len(node.value):
            found = node.value[int(step)]
        if found is None:
            raise _absent(operation, step, node, key)
        node = found
    return node


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 4


def _walk(node: Node, steps: Sequence[str], operation: Node, change: _Change) -> Node:
    if len(steps) == 1:
        return change(node, steps[0])
    child = _walk(_at(node, steps[:1], operation, "path"), steps[1:], operation, change)
    if isinstance(node.value, dict):
        return Node({**node.value, steps[0]: child}, node.place)
    items = list(node.value)
    items[int(steps[0])] = child
    return Node(tuple(items), node.place)


def _added(value: Node, operation: Node) -> _Change:
    def change(node: Node, step: str) -> Node:
        if isinstance(node.value, dict):
            return Node({**node.value, step: value}, node.place)
        end = len(node.value) if isinstance(node.value, tuple) else -1
        number = end if step == "-" else int(step) if _is_number(step) else end + 1
        if not 0 <= number <= end:
            raise _absent(operation, step, node)
        return Node((*node.value[:number], value, *node.value[number:]), node.place)

    return change


def _replaced(value: Node, operation: Node) -> _Change:
    def change(node: Node, step: str) -> Node:
        without = _removed(operation)(node, step)
        return _added(value, operation)(node if isinstance(node.value, dict) else without, step)

    return change


def _removed(operation: Node) -> _Change:
    def change(node: Node, step: str) -> Node:
        if isinstance(node.value, dict) and step in node.value:
            return Node({key: child for key, child in node.value.items() if key != step}, node.place)
        if not isinstance(node.value, tuple) or not _is_number(step) or int(step) >= len(node.value):
            raise _absent(operation, step, node)
        return Node((*node.value[: int(step)], *node.value[int(step) + 1 :]), node.place)

    return change
