"""The one way to read YAML that people wrote: any bytes give a document or diagnostics, never an exception."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.error import Mark
from yaml.events import Event
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.spec.document import Document, Path, ReadResult, path_text
from generator.spec.scalars import CoreResolver, scalar_value
from generator.spec.syntax import (
    INVISIBLE,
    SURROGATE,
    conflict,
    decode,
    impossible_escape,
    invisible_character,
    syntax_problem,
)

__all__ = ["MAX_BYTES", "MAX_DEPTH", "read_document", "read_events"]

MAX_BYTES = 2**20
MAX_DEPTH = 32
_ALIAS_BUDGET = 10_000
_MOST_PROBLEMS = 200
_TAG = "tag:yaml.org,2002:"
_HALF = re.compile("[\ud800-\udfff]")
# After these nothing else that is said about a file would be true.
_FATAL = ("PRA009", "PRA014")


class _TooDeepError(Exception):
    def __init__(self, mark: Mark) -> None:
        super().__init__("nested too deeply")
        self.mark = mark


class _Loader(Reader, Scanner, Parser, Composer, CoreResolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        CoreResolver.__init__(self)
        self.depth = 0
        self.nodes = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.nodes += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            peek_event: Any = self.peek_event
            raise _TooDeepError(peek_event().start_mark)
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _end(node: Node) -> Mark:
    """Return where a node ends; a block collection with its last value, not with the line that follows."""
    for _ in range(MAX_DEPTH):
        if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
            break
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node.end_mark


def _span(node: Node) -> Position:
    start, end = node.start_mark, _end(node)
    return Position(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


@dataclass
class _Walk:
    """Turns nodes into plain data, and notes positions and problems on the way."""

    file: str
    budget: int
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    open: set[int] = field(default_factory=set)

    def problem(self, code: str, message: str, node: Node, path: Path, hint: str = "") -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Diagnostic(code, message, self.file, _span(node), path_text(path), hint))

    def value(self, node: Node, path: Path) -> Any:
        self.budget -= 1
        if self.budget < 0 or id(node) in self.open:
            return self.explosion(path)
        self.values[path] = _span(node)
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        self.open.add(id(node))
        content = self.mapping(node, path) if isinstance(node, MappingNode) else self.sequence(node, path)
        self.open.discard(id(node))
        return content

    def explosion(self, path: Path) -> None:
        """Note once that aliases expand too far, at the top-level key in which they do."""
        if any(problem.code == "PRA009" for problem in self.problems):
            return
        message = "the aliases (*name) of this file expand to far too much, or contain themselves"
        place = self.keys.get(path[:1], Position())
        self.problems.append(Diagnostic("PRA009", message, self.file, place, path_text(path[:1])))

    def scalar(self, node: ScalarNode, path: Path) -> Any:
        if self.half(node, path):
            return None
        if node.tag != f"{_TAG}str":
            self.texts[path] = node.value
        elif half := SURROGATE.search(node.value):
            self.problem(*invisible_character(half[0]), node, path)
        try:
            return scalar_value(node.tag, node.value)
        except (ValueError, OverflowError):
            return self.tagged(node, path)

    def half(self, node: ScalarNode, path: Path) -> bool:
        """Tell an escape such as `\\ud800`, half a character, which no file and no terminal can hold."""
        found = _HALF.search(node.value)
        if found:
            message = f"the character U+{ord(found[0]):04X} cannot stand in a text"
            self.problem("PRA001", message, node, path, "Take the escape (a backslash and u) out.")
        return found is not None

    def tagged(self, node: Node, path: Path) -> None:
        if isinstance(node, ScalarNode) and node.tag in (f"{_TAG}int", f"{_TAG}float"):
            self.problem("PRA013", "this number has too many digits, or is none", node, path, "Write a smaller number.")
        else:
            self.problem("PRA013", f"the tag '{node.tag.replace(_TAG, '!!')}' is not allowed here", node, path)

    def sequence(self, node: Node, path: Path) -> Any:
        if not isinstance(node, SequenceNode) or node.tag != f"{_TAG}seq":
            return self.tagged(node, path)
        for index, item in enumerate(node.value):
            self.keys[(*path, index)] = _span(item)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, node: MappingNode, path: Path) -> Any:
        if node.tag != f"{_TAG}map":
            return self.tagged(node, path)
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path, content)
            if key is not None:
                self.keys[(*path, key)] = _span(key_node)
                content[key] = self.value(value_node, (*path, key))
        return content

    def key(self, node: Node, path: Path, content: dict[str, Any]) -> str | None:
        """Return the key when it is text and new; else note the problem and return None."""
        if not isinstance(node, ScalarNode) or node.tag != f"{_TAG}str":
            text = f"'{node.value}'" if isinstance(node, ScalarNode) and node.value else "this one"
            self.problem("PRA011", f"a key must be text, and {text} is not", node, path)
        elif self.half(node, path):
            return None
        elif invisible := INVISIBLE.search(node.value) or SURROGATE.search(node.value):
            self.problem(*invisible_character(invisible[0]), node, path)
        elif node.value == "<<":
            self.problem("PRA004", "merge keys ('<<') are not allowed", node, path)
        elif node.value in content:
            first = self.keys[(*path, node.value)].line
            message = f"the key '{node.value}' stands here twice (first in line {first})"
            self.problem("PRA003", message, node, (*path, node.value))
        else:
            return str(node.value)
        return None


def read_events(text: str) -> Iterator[Event]:
    """Yield what the parser sees in a text, for those who need to know how it is written; raises yaml.YAMLError."""
    loader: Any = _Loader(text)
    while loader.check_event():
        yield loader.get_event()


def _compose(text: str, file: str) -> tuple[Node | None, int] | Diagnostic:
    """Return the root node and the number of nodes, or what is wrong with the text."""
    try:
        loader = _Loader(text)
        return loader.get_single_node(), loader.nodes
    except _TooDeepError as error:
        return _too_deep(error, file)
    except yaml.YAMLError as error:
        return syntax_problem(error, text, file)
    except (ValueError, OverflowError):  # PyYAML makes characters of numbers that none has
        return impossible_escape(text, file)


def _compose_all(text: str, file: str) -> tuple[list[Node], int] | Diagnostic:
    """Return the root nodes of all documents and the number of nodes, or what is wrong with the text."""
    try:
        loader, roots = _Loader(text), []
        while loader.check_node():
            roots.append(loader.get_node())
        return [root for root in roots if root is not None], loader.nodes
    except _TooDeepError as error:
        return _too_deep(error, file)
    except yaml.YAMLError as error:
        return syntax_problem(error, text, file)
    except (ValueError, OverflowError):  # PyYAML makes characters of numbers that none has
        return impossible_escape(text, file)


def _too_deep(error: _TooDeepError, file: str) -> Diagnostic:
    place = Position(error.mark.line + 1, error.mark.column + 1, error.mark.line + 1, error.mark.column + 2)
    return Diagnostic("PRA010", f"keys and lists are nested more than {MAX_DEPTH} deep", file, place)


def _too_large(data: bytes, file: str) -> Diagnostic:
    return Diagnostic("PRA008", f"this file has {len(data)} bytes; at most {MAX_BYTES} (1 MiB) are read", file)


def read_document(data: bytes, file: str) -> ReadResult:
    """Read one YAML 1.2 document from bytes; `file` is the name that diagnostics carry.

    The document is None when there is nothing that further checks could look at.
    """
    if len(data) > MAX_BYTES:
        return ReadResult(None, (_too_large(data, file),))
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        return ReadResult(None, (text,))
    marked = conflict(text, file)
    composed = marked or _compose(text, file)
    if isinstance(composed, Diagnostic):
        return ReadResult(None, (composed,))
    return _walk(*composed, file)


def _walk(root: Node | None, nodes: int, file: str) -> ReadResult:
    walk = _Walk(file, nodes + _ALIAS_BUDGET)
    content = walk.value(root, ()) if root is not None else None
    if content is None and not walk.problems:
        return ReadResult(None, (Diagnostic("PRA006", "this file is empty", file),))
    document = Document(file, content, walk.keys, walk.values, walk.texts)
    fatal = any(problem.code in _FATAL for problem in walk.problems)
    return ReadResult(None if fatal else document, tuple(walk.problems))


def read_documents(data: bytes, file: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """Read all YAML documents of a file, such as Kubernetes manifests; those without content are left out."""
    if len(data) > MAX_BYTES:
        return (), (_too_large(data, file),)
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        return (), (text,)
    composed = conflict(text, file) or _compose_all(text, file)
    if isinstance(composed, Diagnostic):
        return (), (composed,)
    documents, problems, budget = [], [], composed[1] + _ALIAS_BUDGET
    for root in composed[0]:
        walk = _Walk(file, budget)
        content = walk.value(root, ())
        problems += walk.problems
        budget = walk.budget
        if any(problem.code in _FATAL for problem in walk.problems):
            return (), tuple(problems)
        if content is not None:
            documents.append(Document(file, content, walk.keys, walk.values, walk.texts))
    return tuple(documents), tuple(problems)
