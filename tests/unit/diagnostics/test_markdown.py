"""Foreign text in Markdown: a real parser gives back the very text, and nothing else."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generator.diagnostics.markdown import code, fenced

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PIECES = [
    "`",
    "``",
    "|",
    "\\|",
    "\\",
    "\n",
    "\n\n",
    "# ",
    "/close\n",
    "@all",
    "<img src=x>",
    "</code>",
    "&#64;",
    "&amp;",
    "](",
]
PIECES += [
    "https://evil.example",
    "<!--",
    "-->",
    "~~~",
    "```",
    "\u202e",
    "\x1b[31m",
    "ünïcode",
    " ",
    "    ",
    "x",
    "$1$",
    ":-",
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=30)


class Page(HTMLParser):
    """The tags of a page, and the text inside code."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.code, self.outside = [], [], ""
        self.feed(PARSER.render(markdown))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "code":
            self.code.append("")

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "code":
            self.code[-1] += data
        else:
            self.outside += data

    def handle_comment(self, data):
        self.tags.append("comment")


@given(HOSTILE)
def test_inline_code_in_a_sentence_is_one_piece_of_code(text):
    page = Page(f"check {code(text)} is new")
    assert page.tags == ["p", "code", "/code", "/p"]
    assert page.outside.split() == ["check", "is", "new"]


@given(HOSTILE)
def test_inline_code_in_a_cell_stays_in_its_cell(text):
    page = Page(f"| a | b |\n|---|---|\n| {code(text)} | end |\n")
    assert [tag for tag in page.tags if tag in ("tr", "td", "code", "img", "a", "comment")] == [
        "tr",
        "tr",
        "td",
        "code",
        "td",
    ]
    assert page.outside.split() == ["a", "b", "end"]


@given(HOSTILE)
def test_a_block_holds_all_of_its_text(text):
    page = Page(f"before\n\n{fenced(text)}\n\nafter")
    assert page.tags == ["p", "/p", "pre", "code", "/code", "/pre", "p", "/p"]
    assert page.outside.split() == ["before", "after"]


@pytest.mark.parametrize(
    "text", ["web", "files/index.html", "a|b", "`x`", "<b>&amp;</b>", "@all #1 !2", "\\", "Prüfung: 1 & 2"]
)
def test_the_reader_sees_what_was_written(text):
    assert Page(f"x {code(text)} y").code == [text]
    assert Page(fenced(text)).code == [f"{text}\n"]


def test_what_is_unusual_has_no_character_that_markdown_knows():
    assert re.fullmatch(r"<code>[\w &#;…]*</code>", code("a|b`*_[x](y) @all\\"))


def test_long_text_unseen_characters_and_passwords_are_left_out():
    assert len(code("x" * 5000)) < 300
    assert code("a\u202eb\u200bc\nd") == "`a b c d`"
    assert "s3cret" not in code("https://bot:s3cret@git/x") + fenced("https://bot:s3cret@git/x")
    assert code("\ud800") == "<code>&#65533;</code>"
