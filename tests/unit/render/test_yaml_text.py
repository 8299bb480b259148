"""Generated YAML says exactly what it was made from, and says it in a way that people can read and compare."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generator.render.yaml_text import dump, header

# What definitions are made of. Surrogates are no text: UTF-8 cannot write them.
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30) | st.text(
    "a \n\t:#-'\"\\|>\r\x85\u2028%&*", max_size=20
)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
@example("no")
@example("010")
@example("22:22")
@example("a: b\n\n  c\n")
@example("\n\n")
@example(" leading\nand trailing \n")
@example("\ttab\n")
@example("first\r\nsecond\r\n")
@example("\ufeffmark\n")
def test_what_is_dumped_reads_back_the_same_in_both_readers(value):
    text = dump({"key": value})
    assert yaml.safe_load(text) == {"key": value}
    assert yaml.load(text, Loader=yaml.CSafeLoader) == {"key": value}


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_line_separators_of_unicode_survive(separator):
    value = f"first\nsecond{separator}third\n"
    assert yaml.load(dump({"key": value}), Loader=yaml.CSafeLoader) == {"key": value}


def test_several_lines_stand_as_a_block():
    assert dump({"content": "one\n  two\n"}) == "content: |\n  one\n    two\n"


def test_keys_keep_their_order_and_letters_stay_letters():
    assert dump({"b": "Grüße, Zoë", "a": [1]}) == "b: Grüße, Zoë\na:\n- 1\n"


def test_equal_objects_are_written_out_twice():
    same = {"x": 1}
    assert dump([same, same]) == "- x: 1\n- x: 1\n"


def test_a_header_is_one_comment_that_names_source_and_command():
    text = header("labs/net101/a.lab.yaml", "practicum generate net101/a")
    assert text.startswith("# ")
    assert text.count("\n") == 1
    assert "labs/net101/a.lab.yaml" in text
    assert "practicum generate net101/a" in text
