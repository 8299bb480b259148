"""Checks as they stand in definitions."""

from typing import Any

from generator.spec.model import Check

Document = dict[str, Any]


def check_document(check: Check) -> Document:
    """Return a check with everything that probing needs to know of it."""
    return {
        "name": check.name,
        "kind": check.kind,
        "machine": check.machine,
        "from": check.origin,
        **{key: check.settings[key] for key in sorted(check.settings)},
        "when": check.when,
        "wait": check.wait,
        "points": check.points,
        "hint": check.hint,
        "hidden": check.hidden,
    }
