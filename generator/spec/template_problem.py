"""What is wrong with a per-student template, in words of people who write labs and at the place of the culprit."""

import re
from collections.abc import Mapping
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.schema_files import read_schema_yaml
from generator.spec.words import did_you_mean, nearest

__all__ = ["template_problem"]


def template_problem(file: str, source: str, line: int, message: str) -> Diagnostic:
    """Return the diagnostic for a template that fails in `line` with Jinja's `message`."""
    words: Mapping[str, Any] = read_schema_yaml("hints.yaml")["templates"]
    rule: Mapping[str, Any] = next((rule for rule in words["messages"] if re.search(rule["match"], message)), {})
    found = re.search(rule["match"], message) if rule else None
    name = found["name"] if found and "name" in found.groupdict() else ""
    text = rule.get("message", "{words}").format(name=name, words=message)
    near = did_you_mean(nearest(name, words["names"])) if rule.get("near") and name not in words["names"] else ""
    hint = words["hints"].get(name, rule.get("hint", ""))
    return Diagnostic("PRA056", text + near, file, _place(source, line, name), hint=hint)


def _place(source: str, line: int, name: str) -> Position:
    """Return where a name stands in the line; its beginning when it does not."""
    lines = re.split(r"\r\n|[\r\n]", source)
    text = lines[line - 1] if line <= len(lines) else ""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) if name else re.search(r"\{[{%].*?(?:[%}]\}|$)", text)
    start, end = found.span() if found else (0, 0)
    return Position(line, start + 1, line, end + 1)
