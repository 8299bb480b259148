"""`practicum explain` says of every key what the schema and the reference pages say."""

import re

import pytest

from generator.diagnostics.codes import codes
from generator.spec.explain import UnknownKey, explain_code, explain_key
from generator.spec.reference import PAGES, not_built, render_spec_reference
from generator.spec.schema_parts import schema_parts, value_words

# An entry of a list is explained with its list.
PLACES = [
    (schema, place) for schema in ("lab", "platform", "release") for place in schema_parts(schema) if place[-1:] != "]"
]


def flat(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("schema", "place"), PLACES, ids=lambda value: value or "whole")
def test_every_part_is_explained_in_the_words_of_its_schema(schema, place):
    part, text = schema_parts(schema)[place], flat(explain_key(place, schema))
    assert flat(part["description"]) in text
    assert f"value: {flat(value_words(part).replace('`', ''))}" in text
    assert flat(not_built(schema, place)) in text
    for key in part.get("properties", {}):
        assert re.search(rf"keys:.* {key} ", text)


@pytest.mark.parametrize("schema", PAGES)
def test_explain_and_the_page_say_the_same_of_every_key(schema):
    page = render_spec_reference(schema)
    for place, part in schema_parts(schema).items():
        for key in part.get("properties", {}):
            child = schema_parts(schema)[f"{place}.{key}".removeprefix(".")]
            row = next(line for line in page.splitlines() if line.startswith(f"| `{key}` | {child['description']}"))
            assert value_words(child).replace("|", "\\|") in row


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("machines.type", "machines.NAME.type"),
        ("machines.web.type", "machines.NAME.type"),
        ("machines.NAME.files[].mode", "machines.NAME.files[].mode"),
        ("machines.web.files.mode", "machines.NAME.files[].mode"),
        ("checks[3].http.port", "checks[].http.port"),
        ("checks.http", "checks[].http"),
        ("network.internet.cidr", "network.internet[].cidr"),
        ("volumes.home", "volumes.NAME"),
    ],
)
def test_names_and_numbers_may_be_left_out(text, place):
    assert explain_key(text) == explain_key(place)
    assert explain_key(text).startswith(f"{place}: ")


def test_a_key_has_value_default_and_an_example_that_is_yaml():
    assert explain_key("checks.http.port") == (
        "checks[].http.port: Port\n\nThe port of the web server.\n\nvalue:   a whole number, 1 to 65535\n"
        "default: 80\n\nexample:\n  port: 8080\n\ndocs: docs/reference/spec.md"
    )


def test_a_needed_key_says_so_and_examples_are_indented_as_in_a_file():
    text = explain_key("machines.type")
    assert "default: needed" in text
    assert "example:\n  machines:\n    web:\n      type: webserver\n" in explain_key("machines")


@pytest.mark.parametrize(
    ("text", "schema", "meant"),
    [
        ("memory", "lab", "machines.NAME.memory"),
        ("checks.htpp", "lab", "checks[].http"),
        ("machnes", "lab", "machines"),
        ("lxd.sockt", "platform", "lxd.socket"),
        ("zzzzzz", "lab", None),
    ],
)
def test_an_unknown_key_names_the_one_that_was_meant(text, schema, meant):
    with pytest.raises(UnknownKey) as caught:
        explain_key(text, schema)
    assert caught.value.meant == meant


def test_codes_are_explained_in_the_words_of_their_page():
    for name, entry in codes().items():
        text = flat(explain_code(name.lower()))
        assert text.startswith(f"{name}: {entry['title']}")
        assert flat(entry["text"]).strip() in text
        assert text.endswith(f"docs/reference/diagnostics.md#{name.lower()}")


def test_a_code_that_is_none():
    with pytest.raises(UnknownKey):
        explain_code("PRA999")
