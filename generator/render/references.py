"""References in definitions to values that never stand in git: secrets, logins, addresses of the host.

A definition carries `((practicum:KIND ARGUMENT))`; provisioning puts the value in its place.
"""

import re
from collections.abc import Callable

REFERENCE = re.compile(r"\(\(practicum:([a-z-]+)(?: ([A-Za-z0-9_.-]+))?\)\)")


def reference(kind: str, argument: str = "") -> str:
    """Return the text that stands in a definition for a value resolved later."""
    return f"((practicum:{kind}{' ' + argument if argument else ''}))"


def resolve(text: str, value: Callable[[str, str], str]) -> str:
    """Replace every reference in a text by `value(kind, argument)`."""
    return REFERENCE.sub(lambda match: value(match[1], match[2] or ""), text)
