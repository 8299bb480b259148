"""The one way from the bytes of a YAML file to checked data: read, then hold against a schema."""

from dataclasses import dataclass

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Document
from generator.spec.reader import read_document
from generator.spec.schema_check import SchemaResult, check_schema

__all__ = ["LoadedDocument", "load_document", "ordered"]


@dataclass(frozen=True)
class LoadedDocument:
    """A YAML file that was read and held against its schema; `document` is None when it could not be read."""

    document: Document | None
    schema: SchemaResult | None
    diagnostics: tuple[Diagnostic, ...]


def load_document(data: bytes, file: str, schema: str) -> LoadedDocument:
    """Read YAML and hold it against `schemas/SCHEMA.schema.json`; one diagnostic for one mistake."""
    read = read_document(data, file)
    if read.document is None:
        return LoadedDocument(None, None, read.diagnostics)
    checked = check_schema(read.document, schema)
    told = {problem.path for problem in read.diagnostics}
    more = tuple(problem for problem in checked.diagnostics if problem.path not in told)
    return LoadedDocument(read.document, checked, (*read.diagnostics, *more))


def ordered(problems: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Return problems sorted by file and place."""
    return tuple(sorted(problems, key=Diagnostic.sort_key))
