"""Reads the YAML texts of a base: files, templates, and patches that stand inside kustomization.yaml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.kubernetes_base.node import Move, Node, Place, node_of, unmoved
from generator.render.template import TemplateProblem, render
from generator.spec.reader import MAX_BYTES, read_documents

__all__ = ["ReadTexts", "is_template", "read_file", "read_inline", "rendered"]

_MOST_COMPARED = 400
# Labs of a course share a base, and both environments read it; what is read is never changed.
_documents = lru_cache(maxsize=32)(read_documents)
_LOGIN = re.compile(r"student\.login\b|student\[")


@dataclass(frozen=True)
class ReadTexts:
    """The documents of a text, and what is wrong with it."""

    nodes: tuple[Node, ...]
    problems: tuple[Diagnostic, ...] = ()


def is_template(path: str) -> bool:
    """Say whether a file is rendered for each student."""
    return path.endswith(".j2")


def read_file(data: bytes, file: str, values: Mapping[str, Any]) -> ReadTexts:
    """Read a manifest or a patch; a template is rendered with `values` first."""
    if not is_template(file):
        return _read(data, file, unmoved)
    text = rendered(data, file, values)
    if isinstance(text, Diagnostic):
        return ReadTexts((), (text,))
    return _read(text.encode(errors="replace"), file, _to_template(data.decode(), text))


def rendered(data: bytes, file: str, values: Mapping[str, Any]) -> str | Diagnostic:
    """Render a template for a stand-in student, or tell why it cannot be."""
    if len(data) > MAX_BYTES:
        return Diagnostic("PRA008", f"this file has {len(data)} bytes; at most {MAX_BYTES} (1 MiB) are read", file)
    try:
        return render(data.decode(), values)
    except UnicodeDecodeError:
        return Diagnostic("PRA007", "this template is not UTF-8 text", file)
    except TemplateProblem as problem:
        return _template_problem(problem, data.decode().splitlines(), file)


def _template_problem(problem: TemplateProblem, lines: list[str], file: str) -> Diagnostic:
    line = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    start = len(line) - len(line.lstrip()) + 1
    place, message = Position(problem.line, start, problem.line, len(line) + 1), problem.message
    login = _LOGIN.search(line)
    if login and "login" in message:
        place = Position(problem.line, login.start() + 1, problem.line, login.end() + 1)
        message = "Kubernetes objects carry ids only, so student.login cannot stand here"
    return Diagnostic("PRA115", message, file, place)


def _to_template(template: str, text: str) -> Move:
    """Return what leads from a line of the result to the line of the template that it came from."""
    before, after = template.split("\n"), text.split("\n")
    if len(before) == len(after) or max(len(before), len(after)) > _MOST_COMPARED:
        origin = list(range(len(after)))
    else:
        origin = [0] * len(after)
        for _tag, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            for index in range(first, last):
                origin[index] = min(start + index - first, max(end - 1, start))

    def move(position: Position) -> Position:
        number = min(origin[min(position.line, len(origin)) - 1], len(before) - 1)
        line = before[number]
        if position.line <= len(after) and line == after[position.line - 1]:
            return replace(position, line=number + 1, end_line=number + 1 + position.end_line - position.line)
        start = len(line) - len(line.lstrip()) + 1
        return Position(number + 1, start, number + 1, max(len(line) + 1, start + 1))

    return move


def read_inline(text: str, place: Place, source: bytes) -> ReadTexts:
    """Read YAML that stands as text at `place` of a file whose bytes are `source`."""
    return _read(text.encode(errors="replace"), place.file, _to_block(place.value, source))


def _to_block(position: Position, source: bytes) -> Move:
    """Return what leads into a literal block (`|`); for text in another form, always to its beginning."""
    lines = re.split(r"\r\n|[\r\n]", source.decode("utf-8-sig", errors="replace"))
    head = lines[position.line - 1][position.column - 1 :] if position.line <= len(lines) else ""
    if not re.match(r"\|[-+]?\s*(#.*)?$", head):
        return lambda _inner: position
    first = next((line for line in lines[position.line :] if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    return lambda inner: Position(
        inner.line + position.line,
        inner.column + indent,
        inner.end_line + position.line,
        inner.end_column + indent,
    )


def _read(data: bytes, file: str, move: Move) -> ReadTexts:
    documents, problems = _documents(data, file)
    told = tuple(replace(problem, position=move(problem.position)) for problem in problems)
    return ReadTexts(tuple(node_of(document, move) for document in documents), told)
