"""One mistake in a good spec gives one diagnostic, on its line."""

from copy import deepcopy

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.test_reader import SPEC, at, groups, load, places, text_of

NAMED = {("networks",), ("machines",), ("volumes",), ("solution",)}
REQUIRED = [
    ("version",),
    ("title",),
    ("students",),
    ("machines", "web", "type"),
    ("machines", "web", "files", 0, "from"),
    ("machines", "web", "files", 0, "to"),
    ("checks", 0, "name"),
    ("checks", 0, "http", "machine"),
    ("checks", 1, "exec", "run"),
    ("checks", 2, "kubernetes", "deployment"),
]
KEYS = [path for path in places(SPEC) if path and isinstance(path[-1], str) and path[:-1] not in NAMED]
LEAVES = [path for path in KEYS if not isinstance(at(SPEC, path), dict | list)]


def line_of(text, marker):
    (number,) = (number for number, line in enumerate(text.splitlines(), 1) if marker in line)
    return number


def told(document):
    text = text_of(document)
    return text, load(text.encode()).diagnostics


@pytest.mark.parametrize("path", KEYS, ids=str)
def test_a_key_with_a_letter_too_many_is_told_once_on_its_line(path):
    document = deepcopy(SPEC)
    group = at(document, path[:-1])
    renamed = {(f"{key}q" if key == path[-1] else key): value for key, value in group.items()}
    group.clear()
    group.update(renamed)
    text, problems = told(document)
    (problem,) = problems
    assert (problem.code, problem.position.line) == ("PRA020", line_of(text, f"{path[-1]}q:"))
    assert f"did you mean '{path[-1]}'?" in problem.message


@pytest.mark.parametrize("path", REQUIRED, ids=str)
def test_a_key_that_is_left_out_is_told_once(path):
    document = deepcopy(SPEC)
    del at(document, path[:-1])[path[-1]]
    _text, (problem,) = told(document)
    assert problem.code == "PRA021"
    assert f"'{path[-1]}' is missing" in problem.message


@pytest.mark.parametrize("path", LEAVES, ids=str)
@pytest.mark.parametrize("value", [[[]], {"zzz": "zzz"}], ids=["list", "group"])
def test_a_value_of_another_kind_is_told_once_on_its_line(path, value):
    document = deepcopy(SPEC)
    at(document, path[:-1])[path[-1]] = {"MARK": 1} if isinstance(value, dict) else ["MARK"]
    text, problems = told(document)
    (problem,) = problems
    assert problem.code in ("PRA022", "PRA023", "PRA027")
    assert problem.position.line == line_of(text, "MARK")


@pytest.mark.parametrize("path", [path for path in KEYS if len(path) > 1], ids=str)
def test_a_key_that_moved_to_the_top_is_told_once_on_its_line(path):
    if path[-1] in SPEC:
        return
    document = deepcopy(SPEC)
    value = at(document, path[:-1]).pop(path[-1])
    document = {path[-1]: value, **document}
    _text, problems = told(document)
    first = [problem for problem in problems if problem.position.line == 1]
    assert [problem.code for problem in first] == ["PRA020"]
    assert not [problem for problem in problems if problem.code == "PRA021" and f"'{path[-1]}'" in problem.message]


@settings(deadline=None)
@given(st.sampled_from([path for path in groups(SPEC) if at(SPEC, path)]), st.data())
def test_a_key_that_stands_twice_is_told_once(path, data):
    document = deepcopy(SPEC)
    key = data.draw(st.sampled_from(sorted(at(document, path))))
    at(document, path)["TWIN"] = at(document, path)[key]
    text = text_of(document).replace("TWIN:", f"{key}:")
    (problem,) = load(text.encode()).diagnostics
    assert problem.code == "PRA003"
    assert f"'{key}'" in problem.message


TEXT = text_of(SPEC)
LINES = TEXT.splitlines()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.integers(1, 6), st.sampled_from(" \t"))
def test_a_line_that_is_indented_wrongly_never_breaks_the_check(number, width, character):
    moved = [*LINES[:number], character * width + LINES[number], *LINES[number + 1 :]]
    loaded = load("\n".join(moved).encode())
    assert (loaded.lab is None) == any(problem.severity == "error" for problem in loaded.diagnostics)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 30), st.text(max_size=4))
def test_a_spec_with_a_torn_place_never_breaks_the_check(start, length, inserted):
    data = (TEXT[:start] + inserted + TEXT[start + length :]).encode(errors="surrogatepass")
    loaded = load(data)
    assert (loaded.lab is None) == any(problem.severity == "error" for problem in loaded.diagnostics)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"- " * 50_000,
        b"a: " + b"x" * 1_000_000,
        b"a: '" + b"x" * 1_000_000,
        b"a: " + b"9" * 500_000,
        b"a: 1e" + b"9" * 5_000,
        b"\x00" * 1000,
        b"\xed\xa0\x80",
        b'a: "\\ud800"',
        b'a: "\\U00110000"',
        b"a: &a [*a]",
        b"a: &a {b: *a}",
        b"? [a]\n: b",
        b"? {a: b}\n: c",
        b"&a a: *a",
        b"!!python/object:os.system x",
        b"%TAG ! tag:x,2000:\n---\na: !b c",
        b"\xff\xfe\x00\x00",
        b"a:\n" + b" " * 100_000 + b"b: c",
        yaml.safe_dump({f"k{number}": number for number in range(5_000)}).encode(),
    ],
    ids=lambda data: repr(data[:20]),
)
def test_hostile_texts_give_diagnostics(data):
    loaded = load(data)
    assert loaded.lab is None
    assert loaded.diagnostics
    assert len(loaded.diagnostics) < 1000
