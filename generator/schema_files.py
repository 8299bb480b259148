"""Finds the schemas and hints: inside the package when installed, beside it in a checkout."""

import json
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

__all__ = ["read_schema", "read_schema_text", "read_schema_yaml"]


def _folder() -> Traversable:
    packaged = resources.files("generator") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "schemas"


def read_schema_text(name: str) -> str:
    """Return the text of one file of the schema folder, such as `hints.yaml`."""
    return (_folder() / name).read_text(encoding="utf-8")


@lru_cache
def read_schema(name: str) -> dict[str, Any]:
    """Return the schema `NAME.schema.json`; callers share the object and must not change it."""
    document: dict[str, Any] = json.loads(read_schema_text(f"{name}.schema.json"))
    return document


@lru_cache
def read_schema_yaml(name: str) -> dict[str, Any]:
    """Return a YAML file of the schema folder; callers share the object and must not change it."""
    document: dict[str, Any] = yaml.safe_load(read_schema_text(name))
    return document
