"""Amounts as Kubernetes writes them: `500m` CPU, `512Mi` memory."""

import re
from decimal import Decimal
from typing import Any

__all__ = ["parse_quantity", "right_form"]

_FORM = re.compile(
    r"\+?([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,2}))?"
)
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"


def parse_quantity(value: Any) -> Decimal:
    """Return a quantity (kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity) as a number.

    CPU is cores, memory and storage are bytes. ValueError for any other form.
    """
    match = _FORM.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool):
        raise ValueError(f"not a quantity: {value!r}")
    number, unit, exponent = Decimal(match[1]), match[2] or "", int(match[3] or 0)
    if unit.endswith("i"):
        return number * Decimal(1024 ** (_BINARY.index(unit[0]) + 1))
    return number.scaleb(_POWERS.get(unit, 0) + exponent)


def right_form(value: Any) -> str | None:
    """Return how a quantity of another habit is written here: `512MiB` is `512Mi`."""
    text = re.sub(r"\s+", "", str(value))[:40]
    for pattern, unit in ((r"([KMGT])iB", r"\1i"), (r"([kMGT])B", r"\1"), (r"KB", "k"), (r"(?:cpus?|cores?)", "")):
        changed = re.sub(rf"(?<=[0-9]){pattern}$", unit, text)
        if changed != text and _FORM.fullmatch(changed):
            return changed
    return None
