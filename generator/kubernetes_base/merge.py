"""Applies strategic-merge patches: groups key by key, known lists entry by entry, all else replaced."""

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import facts
from generator.kubernetes_base.node import Node

__all__ = ["BadPatch", "merged"]

_DIRECTIVE = "$patch"
_DIRECTIVES = ("delete", "merge", "replace")


class BadPatch(Exception):
    """A patch that cannot be applied; carries what to tell its author."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def merged(base: Node, patch: Node) -> Node | None:
    """Return a value after a patch; None when the patch deletes it. Raises BadPatch."""
    if patch.value is None:
        return None
    if not isinstance(patch.value, dict):
        return patch
    directive = _directive(patch)
    if directive == "delete":
        return None
    if directive == "replace" or not isinstance(base.value, dict):
        return _without_directives(patch)
    fields = dict(base.value)
    for key, change in patch.value.items():
        if key != _DIRECTIVE:
            result = _field(key, fields.get(key), change)
            fields = {**fields, key: result} if result else {name: old for name, old in fields.items() if name != key}
    return Node(fields, base.place)


def _directive(patch: Node) -> str:
    for key, value in patch.value.items():
        if key.startswith("$") and (key != _DIRECTIVE or value.value not in _DIRECTIVES):
            message = f"'{key}' says nothing that can be followed here"
            hint = "Only `$patch: delete`, `$patch: replace` and `$patch: merge` are."
            raise BadPatch(value.problem("PRA106", message, on_key=True, hint=hint))
    return patch.text(_DIRECTIVE)


def _without_directives(patch: Node) -> Node:
    kept = {key: value for key, value in patch.value.items() if key != _DIRECTIVE and value.value is not None}
    return Node({key: _clean(value) for key, value in kept.items()}, patch.place)


def _clean(node: Node) -> Node:
    return _without_directives(node) if isinstance(node.value, dict) else node


def _field(key: str, base: Node | None, change: Node) -> Node | None:
    if base is None:
        return None if change.value is None else _clean(change)
    if isinstance(base.value, tuple) and isinstance(change.value, tuple):
        names = facts("merging").get(key)
        merge_key = next((name for name in names or () if _has(change, name)), None)
        return _lists(base, change, merge_key) if merge_key else change
    return merged(base, change)


def _has(items: Node, key: str) -> bool:
    return any(item.find(key) for item in items.value)


def _lists(base: Node, change: Node, key: str) -> Node:
    """Merge two lists by a key of their entries; those of the patch come first, as in Kustomize."""
    rest: dict[object, Node] = {_identity(item, key, index): item for index, item in enumerate(base.value)}
    if any(isinstance(item.value, dict) and _directive(item) == "replace" for item in change.value):
        rest = {}
    first: list[Node] = []
    for index, item in enumerate(change.value):
        old = rest.pop(_identity(item, key, -1 - index), None)
        result = merged(old, item) if old else _new(item)
        if result and result.value != {}:
            first.append(result)
    return Node((*first, *rest.values()), base.place)


def _new(item: Node) -> Node | None:
    if not isinstance(item.value, dict):
        return item
    return None if _directive(item) == "delete" else _without_directives(item)


def _identity(item: Node, key: str, index: int) -> object:
    found = item.find(key)
    plain = found is not None and isinstance(found.value, str | int)
    return (str(found.value),) if found is not None and plain else index
