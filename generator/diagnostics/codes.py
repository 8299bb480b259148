"""The codes of diagnostics, with the page that explains them and the hint that goes with each."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from generator.diagnostics.diagnostic import Diagnostic
from generator.schema_files import read_schema_yaml

__all__ = ["codes", "hint_of", "render_reference"]

_INTRODUCTION = """\
# Diagnostics

<!-- Made from generator/diagnostics/codes.yaml; a test holds that the two agree. -->

What `practicum validate` may say about an input file. Each message begins with file, line and column, then the code;
below it stand the line itself, a hint and the link to this page. All problems of a run are told at once.
"""


@lru_cache
def codes() -> Mapping[str, Mapping[str, str]]:
    """Return `title` and `text` of every code, sorted."""
    text = (resources.files("generator.diagnostics") / "codes.yaml").read_text(encoding="utf-8")
    entries: dict[str, Any] = yaml.safe_load(text)
    return dict(sorted(entries.items()))


def hint_of(diagnostic: Diagnostic) -> str:
    """Return the diagnostic's own hint, or the one that hints.yaml has for its code."""
    general: Mapping[str, str] = read_schema_yaml("hints.yaml")["codes"]
    return diagnostic.hint or general.get(diagnostic.code, "")


def render_reference() -> str:
    """Return the text of docs/reference/diagnostics.md."""
    parts = [f"## {code}\n\n**{entry['title']}.** {entry['text'].strip()}\n" for code, entry in codes().items()]
    return "\n".join((_INTRODUCTION, *parts))
