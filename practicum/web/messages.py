"""Every text that the web page shows, from one file: those who write texts need no Python."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = ["every_message", "say"]


@lru_cache
def every_message() -> dict[str, str]:
    """Return every text by its key, such as `start.heading`."""
    groups = yaml.safe_load(files("practicum.web").joinpath("messages.yaml").read_text(encoding="utf-8"))
    found = {f"{group}.{name}": text for group, texts in groups.items() for name, text in texts.items()}
    return {key: " ".join(text.split()) for key, text in found.items()}


def say(key: str, **values: Any) -> str:
    """Return a text with its values filled in; KeyError for one that there is not."""
    return every_message()[key].format(**values)
