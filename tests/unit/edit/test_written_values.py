"""New values are quoted where a reader, ours or one of YAML 1.1, would take them for something else."""

import pytest
import yaml

from generator.edit.changes import AddEntry, SetValue
from generator.edit.editor import edit
from generator.edit.values import in_flow, scalar_text


@pytest.mark.parametrize(
    "text",
    [
        "web",
        "512MiB",
        "files/index.html.j2",
        "/var/www",
        "a.b-c",
        "Look at the input chain.",
        "Ada's lab",
        "1.2.3",
        "Über",
    ],
)
def test_words_stand_without_quotes(text):
    assert scalar_text(text, flow=False) == scalar_text(text, flow=True) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "no",
            "on",
            "yes",
            "true",
            "null",
            "~",
            "1.10",
            "010",
            "0x1",
            "1e3",
            "22:22",
            "0644",
            "2026-09-14",
            "=",
            "<<",
        ),
        *(
            "- a",
            "a: b",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "? a",
            "---",
            "...",
            " a",
            "a ",
            "a:",
        ),
        *("{a", "[a", '"a', "'a", ",a", "a\tb", "a\nb", "\u2028", "\ufeff", "\x00", "\x85"),
    ],
)
def test_what_could_be_misread_is_quoted(text):
    written = scalar_text(text, flow=False)
    assert written.startswith('"')
    assert written.isascii()
    assert yaml.safe_load(written) == text


@pytest.mark.parametrize("text", ["a, b", "a]", "a}", "a,b", "0?"])
def test_commas_and_brackets_are_quoted_between_brackets(text):
    assert in_flow([text]) == f'["{text}"]'


def test_a_quote_is_kept_unless_the_text_does_not_fit_it():
    assert scalar_text("a", flow=False, style='"') == '"a"'
    assert scalar_text("it's", flow=False, style="'") == "'it''s'"
    assert scalar_text("a\nb", flow=False, style="'") == '"a\\nb"'


@pytest.mark.parametrize("value", [1, -5, 1.5, 1e300, float("inf"), True, False, None])
def test_what_is_no_text_has_no_quotes(value):
    assert yaml.safe_load(scalar_text(value, flow=False).replace("1e+300", "1.0e+300")) == value


def test_long_lists_and_nested_keys_stand_in_block_style():
    words = [f"package-{number}" for number in range(20)]
    value = {"packages": words, "files": [{"from": "a", "to": "/a"}], "cpu": 2, "none": []}
    after = edit(b"machines:\n    web: 1\n", AddEntry(("machines",), "desk", value)).decode()
    assert after.splitlines()[2:] == [
        "    desk:",
        "        packages:",
        *(f"            - {word}" for word in words),
        "        files:",
        "            - {from: a, to: /a}",
        "        cpu: 2",
        "        none: []",
    ]


def test_a_text_that_a_comment_below_would_run_into_is_quoted_instead():
    text = b"a:\n b: 1\n  # deep\nc: 2\n"
    assert edit(text, SetValue(("a", "b"), "x\ny\n")) == b'a:\n b: "x\\ny\\n"\n  # deep\nc: 2\n'
