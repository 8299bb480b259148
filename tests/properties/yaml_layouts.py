"""Writes data as YAML in the ways in which people do: any indentation, style, quotes, comments and blank lines."""

import json
import re
from dataclasses import dataclass, field
from random import Random

PLAIN = re.compile(r"[a-z](?:[a-z0-9 /.-]*[a-z0-9])?")
WORDS = {"true", "false", "null"}


@dataclass
class Layout:
    """One author's text while it is written.

    `comments` holds each comment with the path of the entry that it belongs to, `lines` each line with the path of
    what stands on it; None for blank lines.
    """

    random: Random
    lines: list = field(default_factory=list)
    comments: list = field(default_factory=list)
    literal: bool = False

    def __post_init__(self):
        self.step = self.random.choice([1, 2, 2, 2, 3, 4, 8])
        self.dash = self.random.choice([0, 0, 1, 2, self.step])
        self.gap = self.random.choice([1, 1, 1, 2, 3])
        self.newline = self.random.choice(["\n", "\n", "\r\n", "\r"])
        self.talkative = self.random.choice([0, 0.1, 0.5])
        self.airy = self.random.choice([0, 0.1, 0.5])
        self.bracketed = self.random.choice([0, 0.2, 0.5, 0.9])

    def chance(self, share):
        return share > 0 and self.random.random() < share

    def text(self, data):
        """Return the bytes of a document."""
        if self.chance(0.3):
            self.lines.append(("# yaml-language-server: $schema=x", ()))
            self.comments.append(("# yaml-language-server: $schema=x", ()))
        if self.chance(0.1):
            self.lines.append(("---", ()))
        self.collection(data, 0, ())
        if self.chance(self.airy):
            self.blank()
            self.comment(0, ())
        ending = self.newline if self.literal or self.chance(0.8) else ""
        mark = "\ufeff" if self.chance(0.2) else ""
        return (mark + self.newline.join(line for line, _path in self.lines) + ending).encode()

    def blank(self):
        self.lines += [(self.random.choice(["", "", "  "]) if not self.literal else "", None)] * self.random.choice(
            [1, 1, 2]
        )

    def remark(self, path):
        text = f"# {self.random.choice(['note', 'a: b', '- x', 'Ünder', 'it is {'])} {len(self.comments)}"
        self.comments.append((text, path))
        return text

    def comment(self, column, path):
        self.lines.append((" " * column + self.remark(path), path))

    def tail(self, path):
        return " " * self.random.choice([1, 3]) + self.remark(path) if self.chance(self.talkative) else ""

    def collection(self, value, column, path):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (key, item) in enumerate(entries):
            inner = (*path, key)
            self.above(number, column, path, inner)
            head = "-" if isinstance(value, list) else self.scalar(key) + self.random.choice([":", ":", ":", " :"])
            self.entry(" " * column + head, item, column, inner)

    def above(self, number, column, path, inner):
        first = not path and number == 0
        if number and self.chance(self.airy):
            self.blank()
            if self.chance(0.3):
                self.comment(column, path)
                self.blank()
        while self.chance(self.talkative):
            self.comment(column, path if first else inner)

    def entry(self, head, value, column, path):
        if isinstance(value, str) and self.fits_literal(value) and self.chance(0.7):
            self.block_scalar(head, value, column, path)
            return
        if not isinstance(value, dict | list):
            text = self.scalar(value) if value is not None else self.random.choice(["", "~", "null"])
            self.leaf(f"{head} {text}".rstrip() if not text else f"{head} {text}", column, path)
        elif not value or self.chance(self.bracketed):
            self.brackets(head, value, column, path)
        else:
            self.block(head, value, column, path)

    def leaf(self, line, column, path):
        self.lines.append((line + self.tail(path), path))
        self.literal = False
        while self.chance(self.talkative / 3):
            self.comment(column + self.random.choice([1, 2, 4]), path)

    def fits_literal(self, value):
        return re.fullmatch(r"(?:[a-z]+\n)+[a-z]*", value) is not None

    def block_scalar(self, head, value, column, path):
        mark = "|" if value.endswith("\n") else "|-"
        self.lines.append((f"{head} {mark}{self.tail(path)}", path))
        self.lines += [(" " * (column + self.step) + line, path) for line in value.splitlines()]
        self.literal = True

    def block(self, head, value, column, path):
        compact = head.endswith("-") and self.chance(0.8)
        if compact:
            start = len(self.lines)
            self.collection_behind_dash(head, value, column, path, start)
            return
        self.lines.append((head + self.tail(path), path))
        indent = self.dash if isinstance(value, list) and not head.endswith("-") else self.step
        self.collection(value, column + indent, path)

    def collection_behind_dash(self, head, value, column, path, start):
        inner = column + 1 + self.gap
        entries = list(value.items() if isinstance(value, dict) else enumerate(value))
        (key, item), *_others = entries
        begin = head + " " * self.gap + ("-" if isinstance(value, list) else self.scalar(key) + ":")
        self.entry(begin, item, inner, (*path, key))
        self.lines[start] = (self.lines[start][0], path)
        for number, (other, content) in enumerate(entries[1:], 1):
            deeper = (*path, other)
            self.above(number, inner, path, deeper)
            mark = "-" if isinstance(value, list) else self.scalar(other) + ":"
            self.entry(" " * inner + mark, content, inner, deeper)

    def brackets(self, head, value, column, path):
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        if not value or self.chance(0.7):
            self.leaf(f"{head} {self.flow(value)}", column, path)
            return
        self.lines.append((f"{head} {opening}{self.tail(path)}", path))
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
        inner = column + 1 + self.step
        for number, (key, item) in enumerate(items):
            while self.chance(self.talkative / 2):
                self.comment(inner, (*path, key))
            text = self.pair(key, item) if isinstance(value, dict) else self.flow(item)
            comma = "," if number < len(items) - 1 or self.chance(0.5) else ""
            self.lines.append((" " * inner + text + comma + self.tail((*path, key)), path))
        self.leaf(" " * (column + 1) + closing, column, path)

    def pair(self, key, item):
        return self.scalar(key, True) + (f": {self.flow(item)}" if item is not None or self.chance(0.5) else ":")

    def flow(self, value):
        space = self.random.choice(["", "", " "])
        comma = self.random.choice([",", ", ", ", "])
        if isinstance(value, dict):
            pairs = comma.join(self.pair(key, item) for key, item in value.items())
            return "{" + space + pairs + space + "}"
        if isinstance(value, list):
            return "[" + space + comma.join(map(self.flow, value)) + space + "]"
        return self.scalar(value, True)

    def scalar(self, value, flow=False):
        if not isinstance(value, str):
            return json.dumps(value)
        styles = ['"']
        if PLAIN.fullmatch(value) and value not in WORDS and "  " not in value:
            styles += ["", "", ""]
        if value.isprintable() and "\ufeff" not in value:
            styles += ["'"]
        style = self.random.choice(styles)
        if style == "'":
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=max(value, default="a") < "\U00010000") if style else value
