"""The table of requests that the fake knows. A function gets a Call and returns metadata, or an Async."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROUTES = []


@dataclass
class Call:
    """One request. `path` are the variable parts of the address."""

    world: Any
    method: str
    address: str
    path: tuple
    query: dict
    body: Any
    headers: dict
    operations: Any = None
    tag: str = ""

    @property
    def project(self):
        return self.query.get("project", "default")

    @property
    def recursion(self):
        return self.query.get("recursion", "0") != "0"


@dataclass
class Async:
    """Work that LXD does in an operation. `work()` returns the operation's metadata; `seconds` is how long it takes."""

    work: Callable
    description: str
    seconds: float = 0.0
    busy: tuple | None = None
    resources: dict = field(default_factory=dict)


@dataclass
class Raw:
    """An answer of bytes instead of API JSON."""

    data: bytes
    kind: str = "application/octet-stream"
    headers: dict = field(default_factory=dict)


def route(method, pattern):
    """Register a function for a method and an address; `*` in it stands for one part."""
    expression = re.compile("/1.0" + pattern.replace("*", "([^/]+)") + "/?")

    def register(function):
        ROUTES.append((method, expression, function))
        return function

    return register


def find(method, address):
    """Return the function for a request and the variable parts, or None."""
    for known, expression, function in ROUTES:
        found = expression.fullmatch(address) if known == method else None
        if found:
            return function, found.groups()
    return None
