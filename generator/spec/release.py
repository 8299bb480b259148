"""Holds the content of a release.json against its schema."""

from typing import Any

from jsonschema import Draft202012Validator

from generator.schema_files import read_schema

__all__ = ["release_problems"]


def release_problems(content: Any) -> list[str]:
    """Return what is wrong with a release, one line a problem; none for a good one."""
    errors = Draft202012Validator(read_schema("release")).iter_errors(content)
    return sorted(f"{error.json_path.removeprefix('$.')}: {error.message}" for error in errors)
