"""What an edit does to texts as people write them: only the lines that it is about change."""

from difflib import unified_diff
from textwrap import dedent

import pytest

from generator.edit.changes import AddEntry, AppendItem, Remove, RenameKey, SetValue
from generator.edit.editor import edit

SPEC = dedent("""\
    # yaml-language-server: $schema=x
    version: 1
    title: 'Packet filtering'   # what students see
    students: 30

    # Every student gets one of each.
    machines:
      # The server.
      web:
        type: webserver
        # memory: 512MiB

      # Where students sit.
      desk: {type: desktop}   # noVNC

    # Student work.
    volumes:
      home: {size: 2GiB, machines: [web, desk]}

    checks:
    - name: web answers
      http: {machine: web}
    # The wall.
    - name: telnet is closed
      exec:
        machine: web
        run: |
          nft list ruleset | grep -q drop

    # That is all.
    """)


def changed(change, text=SPEC):
    """Return what a change takes out (-) and puts in (+), line by line."""
    after = edit(text.encode(), change).decode()
    lines = unified_diff(text.splitlines(keepends=True), after.splitlines(keepends=True), n=0)
    return [line.rstrip("\n") for line in lines if not line.startswith(("---", "+++", "@@"))]


def made(text, change):
    return edit(text.encode(), change).decode()


def test_a_value_keeps_its_quotes_and_its_comment():
    assert changed(SetValue(("title",), "Ada's lab")) == [
        "-title: 'Packet filtering'   # what students see",
        "+title: 'Ada''s lab'   # what students see",
    ]


def test_the_same_value_changes_nothing():
    assert edit(b"a: 0x10 # ten and six\n", SetValue(("a",), 16)) == b"a: 0x10 # ten and six\n"


def test_a_new_machine_stands_behind_the_last_one_and_looks_like_it():
    assert changed(AddEntry(("machines",), "router", {"type": "debian", "forward": True})) == [
        "+",
        "+  router: {type: debian, forward: true}",
    ]


def test_a_new_key_stands_above_the_options_that_are_commented_out_for_others():
    text = "machines:\n  web:\n    type: debian\n    # memory: 1GiB\n# Student work.\nvolumes: {}\n"
    assert made(text, AddEntry(("machines", "web"), "cpu", 2)) == text.replace("debian\n", "debian\n    cpu: 2\n")
    assert made(text, AddEntry(("machines",), "b", {"type": "x"})) == text.replace(
        "1GiB\n", "1GiB\n  b:\n    type: x\n"
    )


def test_a_new_check_stands_at_the_column_of_the_others():
    assert changed(AppendItem(("checks",), {"name": "ssh", "tcp": {"machine": "web", "port": 22}})) == [
        "+- name: ssh",
        "+  tcp: {machine: web, port: 22}",
    ]


def test_a_machine_goes_with_what_heads_it_and_what_it_has_commented_out():
    after = made(SPEC, Remove(("machines", "web")))
    gone = "  # The server.\n  web:\n    type: webserver\n    # memory: 512MiB\n\n"
    assert after == SPEC.replace(gone, "")
    gone = "\n  # Where students sit.\n  desk: {type: desktop}   # noVNC\n"
    assert made(SPEC, Remove(("machines", "desk"))) == SPEC.replace(gone, "")


def test_what_the_entry_above_has_commented_out_stays():
    text = "machines:\n  web:\n    type: debian\n    # memory: 1GiB\n  desk: {type: debian}\n"
    assert made(text, Remove(("machines", "desk"))) == text.replace("  desk: {type: debian}\n", "")


def test_the_comment_that_heads_the_next_item_stays():
    assert changed(Remove(("checks", 0))) == ["-- name: web answers", "-  http: {machine: web}"]


def test_the_first_key_behind_a_dash_makes_room_for_the_second():
    assert changed(Remove(("checks", 0, "name"))) == [
        "-- name: web answers",
        "-  http: {machine: web}",
        "+- http: {machine: web}",
    ]


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a:\n  b: 1\nc: 2\n", ("a", "b"), "a: {}\nc: 2\n"),
        ("a: # why\n  b: 1\n", ("a", "b"), "a: {} # why\n"),
        ("a:\n- b\n", ("a", 0), "a: []\n"),
        ("a: [b]\n", ("a", 0), "a: []\n"),
        ("a:\n- b: 1\n", ("a", 0, "b"), "a:\n- {}\n"),
        ("a:\n- - b\n", ("a", 0, 0), "a:\n- []\n"),
    ],
)
def test_what_is_empty_says_so(text, path, after):
    assert made(text, Remove(path)) == after


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a: [b, c, d]\n", ("a", 0), "a: [c, d]\n"),
        ("a: [b, c, d]\n", ("a", 1), "a: [b, d]\n"),
        ("a: [b, c, d]\n", ("a", 2), "a: [b, c]\n"),
        ("a: {b: 1, c: 2,}\n", ("a", "c"), "a: {b: 1,}\n"),
        ("a: [\n  # of b\n  b,   # b\n  c   # c\n]\n", ("a", 0), "a: [\n  c   # c\n]\n"),
        ("a: [\n  b,   # b\n  # of c\n  c   # c\n]\n", ("a", 1), "a: [\n  b   # b\n]\n"),
        ("a: [b,   # b\n  c]\n", ("a", 1), "a: [b   # b\n  ]\n"),
    ],
)
def test_an_entry_between_brackets_goes_with_its_comma(text, path, after):
    assert made(text, Remove(path)) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: [b]\n", "a: [b, x]\n"),
        ("a: [b,]\n", "a: [b, x,]\n"),
        ("a: []\n", "a: [x]\n"),
        ("a: [ # why\n  ]\n", "a: [x # why\n  ]\n"),
        ("a: [\n  b,  # b\n]\n", "a: [\n  b,  # b\n  x,\n]\n"),
        ("a: [\n  b  # b\n]\n", "a: [\n  b,  # b\n  x\n]\n"),
        ("a: [\n  b\n]\n", "a: [\n  b,\n  x\n]\n"),
        ("a:\n-   b", "a:\n-   b\n- x"),
        ("a:\r\n    - b\r\n", "a:\r\n    - b\r\n    - x\r\n"),
        ("\ufeffa:\n - b # b\n   # mine\n # not mine\n", "\ufeffa:\n - b # b\n   # mine\n - x\n # not mine\n"),
        ("a:\n- |+\n  b\n\n", "a:\n- |+\n  b\n\n- x\n"),
        ("a:\n- b\n...\n", "a:\n- b\n- x\n...\n"),
    ],
)
def test_an_item_is_appended_as_the_others_are_written(text, after):
    assert made(text, AppendItem(("a",), "x")) == after


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("a: b # c\n", "x\ny\n", "a: | # c\n  x\n  y\n"),
        ("a: b", "x\ny\n", 'a: "x\\ny\\n"'),
        ("a: [b]\n", ["x\ny"], 'a: ["x\\ny"]\n'),
        ("a: | # c\n  x\n  y\n\nb: 1\n", "z", "a: z # c\n\nb: 1\n"),
        ("a: # c\nb: 1\n", 2, "a: 2 # c\nb: 1\n"),
        ("a:\n  b: 1\n  # gone with b\nc: 1\n", 2, "a: 2\n  # gone with b\nc: 1\n"),
        ("a: 1 # c\n", {"b": {"c": 1}}, "a: # c\n  b: {c: 1}\n"),
        ("a: {b: 1}\n", {"b": 1, "c": [1]}, "a: {b: 1, c: [1]}\n"),
        ("a:\n  b: 1 # b\n  c: 2 # c\n", {"b": 1, "c": 3}, "a:\n  b: 1 # b\n  c: 3 # c\n"),
        ("a:\n- b # b\n- c # c\n- d # d\n", ["b", "d"], "a:\n- b # b\n- d # d\n"),
        ("a:\n- b # b\n- c # c\n", ["b", "x", "y"], "a:\n- b # b\n- x # c\n- y\n"),
    ],
)
def test_a_value_of_another_form_takes_its_place(text, value, after):
    assert made(text, SetValue(("a",), value)) == after


def test_a_name_changes_and_nothing_else():
    assert changed(RenameKey(("machines", "web"), "server")) == ["-  web:", "+  server:"]


def test_several_edits_of_different_kinds_keep_old_line_breaks():
    text = "a: 'x\x85y'\u2028# c\nb: 1\n"
    assert made(text, SetValue(("b",), 2)) == text.replace("b: 1", "b: 2")
