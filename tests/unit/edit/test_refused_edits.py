"""What cannot be edited safely is refused with the reason, and nothing is returned."""

import pytest

from generator.edit.changes import AddEntry, AppendItem, EditRefused, Remove, RenameKey, SetValue
from generator.edit.editor import edit


def refused(text, change):
    with pytest.raises(EditRefused) as told:
        edit(text if isinstance(text, bytes) else text.encode(), change, "labs/net101/x.lab.yaml")
    return told.value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (SetValue(("b",), 1), "there is no 'b' in this file"),
        (SetValue(("a", 2), 1), "there is no 'a[2]' in this file"),
        (SetValue(("a", -1), 1), "there is no 'a[-1]' in this file"),
        (SetValue(("a", "x"), 1), "there is no 'a.x' in this file"),
        (Remove(()), "a file as a whole cannot be replaced, removed or renamed"),
        (AddEntry((), "a", 1), "there is a key 'a' already"),
        (AddEntry(("a",), "b", 1), "'a' has no keys, so none can be added"),
        (AppendItem((), 1), "'' is not a list, so nothing can be appended"),
        (RenameKey(("a", 0), "b"), "'a[0]' is an item of a list and has no name"),
        (RenameKey(("a",), "c"), "there is a key 'c' already"),
        (SetValue(("a",), object), "<class 'object'> is nothing that a spec can hold"),
        (SetValue(("a",), ["\ud800"]), "'\\ud800' is nothing that a spec can hold"),
    ],
)
def test_a_change_that_does_not_apply(change, message):
    assert refused("a: [x, y]\nc: 1\n", change).message == message


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("a: &x 1\nb: *x\n", SetValue(("a",), 2)),
        ("a: &x 1\nb: *x\n", SetValue(("b",), 2)),
        ("a: &x\n  c: 1\nb: *x\n", SetValue(("a", "c"), 2)),
        ("a: &x\n  c: 1\nb: *x\n", SetValue(("b", "c"), 2)),
        ("a: &x\n  c: 1\nb: *x\n", AddEntry(("b",), "d", 2)),
        ("a: &x\n  c: 1\nb: *x\n", AddEntry(("a",), "d", 2)),
        ("a:\n  c: &x 1\nb: *x\n", Remove(("a",))),
        ("&r\na: 1\n", AddEntry((), "b", 1)),
    ],
)
def test_what_an_anchor_shares_is_refused(text, change):
    assert "shared by an anchor (&name) or an alias (*name)" in refused(text, change).message


def test_beside_an_anchor_edits_are_made():
    assert edit(b"a: &x 1\nb: *x\nc: 1\n", SetValue(("c",), 2)) == b"a: &x 1\nb: *x\nc: 2\n"
    assert edit(b"a: &x 1\nb: *x\n", AddEntry((), "c", 2)) == b"a: &x 1\nb: *x\nc: 2\n"


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("? a\n: 1\nb: 2\n", Remove(("a",))),
        ("a: {? b : 1}\n", Remove(("a", "b"))),
        ("a: [b: 1]\n", AddEntry(("a", 0), "c", 1)),
        ("a: !!seq\n- b\n- c\n", Remove(("a", 0))),
        ("a: |\n  b", AddEntry((), "c", 1)),
    ],
)
def test_what_the_editor_does_not_understand_is_for_hands(text, change):
    assert "edit it by hand" in refused(text, change).message


@pytest.mark.parametrize("text", ["a: [\n", "a: 1\na: 2\n", "", "a: 1\n---\nb: 1\n", b"\xff\xfea"])
def test_a_broken_text_is_refused_with_its_problems(text):
    error = refused(text, SetValue(("a",), 1))
    assert error.message == "this file has errors; mend them first"
    assert [problem.file for problem in error.diagnostics] == ["labs/net101/x.lab.yaml"]


def test_an_edit_that_makes_a_file_too_large_is_refused_with_the_reason():
    error = refused("a: 1\n", SetValue(("a",), "x" * 2**20))
    assert [problem.code for problem in error.diagnostics] == ["PRA008"]


def test_a_value_without_end_is_refused():
    endless = []
    endless.append(endless)
    for value in (endless, {"b": endless}):
        with pytest.raises(EditRefused, match="nested deeper"):
            edit(b"a: 1\n", SetValue(("a",), value))


def test_a_key_that_the_reader_does_not_allow_is_refused_with_the_reason():
    assert [problem.code for problem in refused("a: 1\n", AddEntry((), "<<", 1)).diagnostics] == ["PRA004"]
