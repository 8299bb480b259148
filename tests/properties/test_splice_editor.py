"""Any edit of any text means what was asked, and leaves alone what it is not about."""

import re
from copy import deepcopy
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from yaml_layouts import Layout

from generator.edit.changes import AddEntry, AppendItem, EditRefused, Remove, RenameKey, SetValue
from generator.edit.editor import edit, edits
from generator.spec.reader import read_document

NAMES = ["web", "desk", "files", "a b", "no", "1.10", "mode", "x: y", "Ä", "type", "checks", "memory", "from", "run"]
TRICKY = ["", "no", "1.10", "010", "22:22", "~", "- a", "a: b", "a #b", "#", "'", '"', "a\\b", "{", "[a]", "&x", "*x"]
TRICKY += [
    "!t",
    "|",
    ">",
    "%",
    "@",
    "`",
    " a",
    "a ",
    "a,b",
    "a, b",
    "? a",
    "---",
    "...",
    "=",
    "<<",
    "null",
    "True",
    "0x1",
]
TRICKY += [
    "2026-09-14",
    "1_000",
    "1e3",
    ".inf",
    "a:",
    ":a",
    "a\tb",
    "a\nb",
    "a\nb\n",
    "a\n\nb\n\n",
    "\n",
    " a\nb",
    "\u2028",
]
TRICKY += [
    "\ufeff",
    "😀",
    "a\rb",
    "\x00",
    "\x85",
    "wörter",
    "-",
    "-a",
    "a -b",
    "a's",
    'say "a"',
    "nft list | grep 'x y'",
]
TEXTS = st.sampled_from(TRICKY) | st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-9, 10**6) | st.floats(allow_nan=False) | TEXTS
KEYS = st.sampled_from(NAMES)


def collections(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


VALUES = st.recursive(SCALARS, collections, max_leaves=6)
# What authors wrote themselves: the emitter knows how to write these, so no text that needs rare escapes.
WRITTEN_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(0, 99)
    | st.sampled_from(
        ["web", "2GiB", "no", "a b", "it's", "a: b", "1.10", "Ü 😀", "line\nother\n", "line\nother", "", "#x", "a, b"]
    )
)
WRITTEN = st.recursive(WRITTEN_SCALARS, collections, max_leaves=14)
RANDOM = st.integers(0, 2**32).map(Random)
DOCUMENTS = st.dictionaries(KEYS, WRITTEN, min_size=1, max_size=6)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def parsed(data):
    result = read_document(data, "f")
    assert result.diagnostics == ()
    return result.document.data


@st.composite
def changes(draw, data, kinds=(SetValue, AddEntry, AppendItem, Remove, RenameKey)):
    """Draw a change of one of these kinds that applies to `data`."""
    kind = draw(st.sampled_from([kind for kind in kinds if any(fits(kind, data, path) for path in places(data))]))
    path = draw(st.sampled_from([path for path in places(data) if fits(kind, data, path)]))
    if kind is Remove:
        return Remove(path)
    if kind in (SetValue, AppendItem):
        return kind(path, draw(VALUES))
    mapping = at(data, path if kind is AddEntry else path[:-1])
    key = draw(KEYS.filter(lambda key: key not in mapping))
    return RenameKey(path, key) if kind is RenameKey else AddEntry(path, key, draw(VALUES))


def fits(kind, data, path):
    """Say whether a change of a kind can be made at a path."""
    if kind is AddEntry:
        return isinstance(at(data, path), dict)
    if kind is AppendItem:
        return isinstance(at(data, path), list)
    return bool(path) and (kind is not RenameKey or isinstance(path[-1], str))


def applied(data, change):
    """Return the data that a change means; written apart from the editor's own notion of it."""
    data = deepcopy(data)
    match change:
        case SetValue(path, value):
            at(data, path[:-1])[path[-1]] = value
        case Remove(path):
            at(data, path[:-1]).pop(path[-1])
        case AddEntry(path, key, value):
            at(data, path)[key] = value
        case AppendItem(path, value):
            at(data, path).append(value)
        case RenameKey(path, new):
            mapping = at(data, path[:-1])
            items = [(new if key == path[-1] else key, value) for key, value in mapping.items()]
            mapping.clear()
            mapping.update(items)
    return data


def is_within(path, around):
    return path is not None and path[: len(around)] == around


def in_order(wanted, found):
    remaining = iter(found)
    return all(any(one == other for other in remaining) for one in wanted)


def texts(data, layout):
    """Return the lines of an edited text as the emitter had them: without byte-order mark and line breaks."""
    return data.decode().removeprefix("\ufeff").split(layout.newline)


@st.composite
def edited(draw, *kinds):
    data = draw(DOCUMENTS)
    layout = Layout(draw(RANDOM))
    return (
        data,
        layout,
        layout.text(data),
        draw(changes(data, kinds or (SetValue, AddEntry, AppendItem, Remove, RenameKey))),
    )


@settings(max_examples=120, deadline=None)
@given(edited())
def test_an_edit_means_what_was_asked_and_touches_nothing_else(case):
    data, layout, before, change = case
    assert repr(parsed(before)) == repr(data)
    after = edit(before, change)
    assert repr(parsed(after)) == repr(applied(data, change))
    assert after.startswith(b"\xef\xbb\xbf") == before.startswith(b"\xef\xbb\xbf")
    if layout.newline.encode() in before:
        assert not set("\r\n") & set(after.decode().replace(layout.newline, ""))
    gone = change.path if isinstance(change, SetValue | Remove) else None
    kept = [text for text, owner in layout.comments if gone is None or not is_within(owner, gone)]
    assert in_order(kept, comments_of(after, kept))
    if isinstance(change, Remove):
        assert [text for text, owner in layout.comments if is_within(owner, change.path) and stands(text, after)] == []
    assert in_order(untouched(data, layout, change), texts(after, layout))
    added = not isinstance(change, SetValue | Remove)
    assert added or before.endswith(b"\n") == after.endswith(b"\n") or ends_with(data, change)


def untouched(data, layout, change):
    """Return the lines that hold nothing of what a change is about.

    What follows the first entry behind a `-` moves up to the `-` when that entry goes.
    """
    lines = [(line, path) for line, path in layout.lines if path is not None]
    if isinstance(change, Remove):
        around = at(data, change.path[:-1])
        following = list(around)[1:2] if isinstance(around, dict) else [1]
        if change.path[-1] == next(iter(around if isinstance(around, dict) else [0])):
            up = [pair for pair in lines if following and is_within(pair[1], (*change.path[:-1], *following))][:1]
            lines = [pair for pair in lines if pair not in up]
    return [line for line, path in lines if not is_within(path, change.path) and not is_within(change.path, path)]


def stands(comment, data):
    return re.search(re.escape(comment) + r"(?=[\r\n]|\Z)", data.decode())


def comments_of(data, known):
    """Return the known comments in the order in which they stand in a text."""
    found = [(stands(comment, data), comment) for comment in known]
    assert all(place for place, _comment in found), f"a comment is lost: {found}"
    return [comment for _place, comment in sorted(found, key=lambda pair: pair[0].start())]


def ends_with(data, change):
    """Say whether a change is about the last thing of a text."""
    path = ()
    while isinstance(data, dict | list) and data:
        step = list(data)[-1] if isinstance(data, dict) else len(data) - 1
        path, data = (*path, step), data[step]
    return is_within(path, change.path)


@settings(max_examples=80, deadline=None)
@given(edited(AddEntry, AppendItem))
def test_what_was_added_and_removed_again_leaves_no_trace(case):
    data, _layout, before, change = case
    assume(at(data, change.path))
    key = change.key if isinstance(change, AddEntry) else len(at(data, change.path))
    added = edit(before, change)
    assert edit(added, Remove((*change.path, key))) == before


@settings(max_examples=50, deadline=None)
@given(edited(RenameKey))
def test_a_new_name_taken_back_leaves_no_trace(case):
    _data, _layout, before, change = case
    renamed = edit(before, change)
    back = edit(renamed, RenameKey((*change.path[:-1], change.key), change.path[-1]))
    assert repr(parsed(back)) == repr(parsed(before))
    assert len(back.splitlines()) == len(before.splitlines())


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, RANDOM, st.data())
def test_many_edits_mean_the_same_at_once_and_one_by_one(data, random, drawn):
    before = Layout(random).text(data)
    todo, meant = [], data
    for _ in range(4):
        if not meant:
            break
        todo.append(drawn.draw(changes(meant)))
        meant = applied(meant, todo[-1])
    step_by_step = before
    for change in todo:
        step_by_step = edit(step_by_step, change)
    assert repr(parsed(step_by_step)) == repr(meant)
    assert repr(parsed(edits(before, todo))) == repr(meant)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, DOCUMENTS, RANDOM)
def test_one_value_within_another_is_the_smallest_change(old, new, random):
    before = Layout(random).text({"keep": 1, "all": old, "last": 2})
    after = edit(before, SetValue(("all",), new))
    assert repr(parsed(after)) == repr({"keep": 1, "all": new, "last": 2})


YAML_TEXT = st.lists(
    st.sampled_from(
        [
            "a",
            "b: ",
            ": ",
            "- ",
            "? ",
            "\n",
            "\n",
            "  ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&x ",
            "*x",
            "!t ",
            "!!str ",
            "|",
            "|+",
            ">",
            "'",
            '"',
            "#",
            " # c",
            "---\n",
            "...\n",
            "~",
            "1",
            "\r",
            "\u2028",
            "\ufeff",
        ]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=120, deadline=None)
@given(YAML_TEXT, st.data())
def test_no_text_is_damaged(text, drawn):
    before = text.encode()
    result = read_document(before, "f")
    data = result.document.data if result.document and not result.diagnostics else None
    if not isinstance(data, dict | list) or not data:
        return
    change = drawn.draw(changes(data))
    try:
        after = edit(before, change)
    except EditRefused:
        return
    assert repr(parsed(after)) == repr(applied(data, change))
