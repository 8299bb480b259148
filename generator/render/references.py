"""References in definitions to values that never stand in git: secrets, logins, addresses of the host.

A definition carries `((practicum:KIND ARGUMENT))`; provisioning puts the value in its place. What an author wrote and
only looks like that is escaped: a script that is no template reaches the machine as it is.
"""

import re
from collections.abc import Callable

REFERENCE = re.compile(r"\(\(practicum:([a-z-]+)(?: ([A-Za-z0-9_.-]+))?\)\)")

_OPENING = "((practicum:"
_LITERAL = "literal"


def reference(kind: str, argument: str = "") -> str:
    """Return the text that stands in a definition for a value resolved later."""
    return f"{_OPENING}{kind}{' ' + argument if argument else ''}))"


def escaped(text: str) -> str:
    """Return an author's own text as it stands in a definition: `resolve` gives it back and looks nothing up in it."""
    return text.replace(_OPENING, reference(_LITERAL))


def resolve(text: str, value: Callable[[str, str], str]) -> str:
    """Replace every reference in a text by `value(kind, argument)`, and undo `escaped`."""
    return REFERENCE.sub(lambda match: _OPENING if match[1] == _LITERAL else value(match[1], match[2] or ""), text)
