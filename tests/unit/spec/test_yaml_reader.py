"""Reading YAML: what scalars mean, where things stand, and that nothing gets through silently."""

import math

import pytest

from generator.diagnostics.diagnostic import Position
from generator.spec.reader import MAX_BYTES, MAX_DEPTH, read_document


def value_of(text):
    result = read_document(f"key: {text}\n".encode(), "file.yaml")
    assert result.diagnostics == ()
    return result.document.data["key"]


def codes(data):
    return [problem.code for problem in read_document(data, "file.yaml").diagnostics]


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "off", "y", "22:22", "12:30", "52:54:00:12:34:56", "2026-09-14", "1_000", "1.2.3", "0b1"],
)
def test_what_yaml_1_1_would_twist_is_text(text):
    assert value_of(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("0o10", 8),
        ("0xff", 255),
        ("-3", -3),
        ("+3", 3),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'10'", "10"),
        ('"true"', "true"),
        ("!!str 10", "10"),
    ],
)
def test_scalars_have_their_meaning_of_yaml_1_2(text, value):
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read_as_such():
    assert math.isnan(value_of(".nan"))


def test_every_key_and_value_knows_its_place():
    document = read_document(b"a: 1\nlist:\n  - {b: text}\n  - 'two'\n", "f").document
    assert document.key(("list", 0, "b")) == Position(3, 6, 3, 7)
    assert document.value(("list", 0, "b")) == Position(3, 9, 3, 13)
    assert document.value(("list", 1)) == Position(4, 5, 4, 10)
    assert document.value(("a",)) == Position(1, 4, 1, 5)


def test_a_block_ends_with_its_last_value():
    document = read_document(b"a:\n  b: 1\n  c: 22\n\n\nd: 1\n", "f").document
    assert document.value(("a",)) == Position(2, 3, 3, 8)


def test_a_place_that_does_not_exist_is_the_nearest_around_it():
    document = read_document(b"a:\n  b: 1\n", "f").document
    assert document.value(("a", "x", "y")) == document.value(("a",))
    assert document.key(()) == Position(1, 1, 1, 2)


def test_a_byte_order_mark_and_windows_line_ends_move_nothing():
    document = read_document(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f").document
    assert document.data == {"a": 1, "b": 2}
    assert document.key(("a",)) == Position(1, 1, 1, 2)
    assert document.key(("b",)) == Position(2, 1, 2, 2)


def test_line_breaks_that_editors_do_not_show_do_not_count():
    document = read_document("a: one\u2028two\nb: 2\n".encode(), "f").document
    assert document.data["a"] == "one two"
    assert document.key(("b",)).line == 2


def test_aliases_within_reason_are_values():
    document = read_document(b"a: &x [1, 2]\nb: *x\n", "f").document
    assert document.data == {"a": [1, 2], "b": [1, 2]}


def test_the_first_of_two_equal_keys_stays():
    result = read_document(b"a: 1\na: 2\n", "f")
    assert result.document.data == {"a": 1}
    assert [problem.position.line for problem in result.diagnostics] == [2]


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, 100_000])
def test_depth_has_a_bound(depth):
    data = b"[" * depth + b"1" + b"]" * depth
    assert codes(data) == ([] if depth < MAX_DEPTH else ["PRA010"])


def test_size_has_a_bound():
    text = b"a: 1\n"
    assert codes(text + b"#" * (MAX_BYTES - len(text))) == []
    assert codes(text + b"#" * (MAX_BYTES - len(text) + 1)) == ["PRA008"]


def test_exploding_aliases_end_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    assert codes("\n".join(lines).encode()) == ["PRA009"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a: [1", "PRA001"),
        (b"a: %x", "PRA001"),
        (b"a:\n\tb: 1", "PRA002"),
        (b"a: 1\n  \t# note\nb: 1", "PRA002"),
        (b"a: 1\na: 1", "PRA003"),
        (b"<<: {a: 1}", "PRA004"),
        (b"a: 1\n---\n", "PRA005"),
        (b"", "PRA006"),
        (b"# only\n---\n", "PRA006"),
        (b"null", "PRA006"),
        (b"\xff\xfea\x00", "PRA007"),
        (b"a: \x80", "PRA007"),
        (b"a: &x {b: *x}", "PRA009"),
        (b"1: a", "PRA011"),
        (b"? {a: 1}\n: b", "PRA011"),
        (b"a: !!set {b}", "PRA013"),
        (b"a: !!python/object:os.system x", "PRA013"),
        (b"a: !!int x", "PRA013"),
        (b"a: !!map [x]", "PRA013"),
    ],
)
def test_what_is_no_document_is_told(data, code):
    assert codes(data) == [code]


def test_a_tab_inside_text_is_no_indentation():
    assert read_document(b"run: |\n  a\tb\n  \tc\n", "f").document.data == {"run": "a\tb\n\tc\n"}
