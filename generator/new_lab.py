"""What a new lab begins with: a commented spec, or an example with its files."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

__all__ = ["ROSTER_HEAD", "example", "example_files", "example_names", "lab_name_near", "new_spec"]

ROSTER_HEAD = "login,name,email,group\n"
SPEC_END = ".lab.yaml"
_NAMES = MappingProxyType({"webserver": "web", "database": "db", "desktop": "desk"})
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,.()-]*")
# YAML 1.1 and 1.2 tools alike read these as something else than text.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def new_spec(title: str, machine_type: str, students: str) -> str:
    """Return the text of a new lab's spec; `students` is a number or the name of a roster beside it."""
    template = files("generator").joinpath("new.lab.yaml").read_text(encoding="utf-8")
    values = {
        "TITLE": _scalar(title),
        "TYPE": machine_type,
        "NAME": _NAMES.get(machine_type, "server"),
        "STUDENTS": students if students.isdigit() else _scalar(students),
    }
    for mark, value in values.items():
        template = template.replace(f"<{mark}>", value)
    return template


def lab_name_near(text: str) -> str | None:
    """Return the COURSE/LAB that is nearest to a text: `Net101/Firewalls!` gives net101/firewalls."""
    parts = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in text.split("/") if part]
    return "/".join(parts) if len(parts) == 2 and all(parts) else None


def example_names() -> list[str]:
    """Return the names of the examples, such as `firewall`."""
    names = [path.removesuffix(SPEC_END) for path in example_files() if path.endswith(SPEC_END)]
    return sorted(names)


def example(name: str) -> tuple[str, dict[str, bytes]]:
    """Return an example's spec, and the files that it uses by their path beside it. Raises KeyError."""
    every = example_files()
    spec = every.pop(name + SPEC_END).decode()
    used = [text.rstrip("/") for text in _texts(yaml.safe_load(spec))]
    return spec, {path: data for path, data in every.items() if any(_is_of(path, text) for text in used)}


def example_files() -> dict[str, bytes]:
    """Return every file of the examples by its path in their folder."""
    return dict(_files_below(_folder(), ""))


def _scalar(text: str) -> str:
    """Return a text as a YAML scalar, in quotes where it needs them."""
    plain = _PLAIN.fullmatch(text) and text == text.strip() and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _is_of(path: str, used: str) -> bool:
    return path == used or path.startswith(f"{used}/")


def _folder() -> Traversable:
    """Return the examples: inside the package when installed, in `labs/` in a checkout."""
    packaged = files("generator") / "examples"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "labs" / "_examples"


def _files_below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir():
            yield from _files_below(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
