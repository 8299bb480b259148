"""What the schema's complaints say, and that one mistake gives one message."""

import json

import pytest
from jsonschema import Draft202012Validator

from generator.diagnostics.codes import codes
from generator.schema_files import read_schema, read_schema_yaml
from generator.spec.load_document import load_document
from generator.spec.words import nearest_key, proper_place

SCHEMAS = ("lab", "platform")


def parts(node, place=""):
    """Yield every described part of a schema with its place."""
    for key, child in node.get("properties", {}).items():
        yield f"{place}.{key}", child
        yield from parts(child, f"{place}.{key}")
    for keyword in ("additionalProperties", "items", "then", "else", "if"):
        if isinstance(node.get(keyword), dict):
            yield from parts(node[keyword], f"{place}/{keyword}")
    for name, child in node.get("$defs", {}).items():
        yield from parts(child, f"#{name}")


def objects(node):
    """Yield every part of a schema that describes a group of keys."""
    if isinstance(node, dict):
        if "properties" in node or node.get("type") == "object":
            yield node
        for keyword, child in node.items():
            yield from objects(child) if keyword != "if" else ()


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_one(name):
    Draft202012Validator.check_schema(read_schema(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described_with_an_example(name):
    schema = read_schema(name)
    for place, part in parts(schema):
        words = {**schema["$defs"][part["$ref"].rsplit("/", 1)[1]], **part} if "$ref" in part else part
        assert {"title", "description", "examples"} <= set(words), place
        assert words["description"].endswith((".", "}", "{}.")), place


@pytest.mark.parametrize("name", SCHEMAS)
def test_examples_and_defaults_are_valid(name):
    schema = read_schema(name)
    for place, part in parts(schema):
        validator = Draft202012Validator({**part, "$defs": schema["$defs"]})
        for value in [*part.get("examples", []), *([part["default"]] if "default" in part else [])]:
            assert validator.is_valid(value), (place, value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_group_takes_unknown_keys(name):
    found = list(objects(read_schema(name)))
    assert found
    for part in found:
        # False, or the schema of what stands below names that the author chooses.
        assert part.get("additionalProperties", True) is not True, part


@pytest.mark.parametrize("name", SCHEMAS)
def test_forms_have_words(name):
    forms = read_schema_yaml("hints.yaml")["forms"]
    text = json.dumps(read_schema(name))
    used = {piece.split('"')[0] for piece in text.split('"x-hint": "')[1:]}
    assert used <= set(forms)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_pattern_says_in_words_what_it_wants(name):
    found = [part for _, part in parts(read_schema(name)) if "pattern" in part and "x-hint" not in part]
    assert found == []


def test_hints_name_codes_that_exist():
    assert set(read_schema_yaml("hints.yaml")["codes"]) <= set(codes())


def test_synonyms_lead_to_keys_of_the_schema():
    assert all(proper_place("lab", key) for key in read_schema_yaml("hints.yaml")["synonyms"].values())


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("machnes", ["machines", "networks"], "machines"),
        ("ram", ["memory", "disk"], "memory"),
        ("ram", ["title", "students"], None),
        ("networsk", ["network", "networks"], "networks"),
        ("xyz", ["memory", "disk"], None),
    ],
)
def test_the_nearest_key_is_by_spelling_or_meaning(word, choices, meant):
    assert nearest_key(word, choices) == meant


def test_a_key_at_the_wrong_level_has_a_place():
    assert proper_place("lab", "checks") == "checks"
    assert proper_place("lab", "forward") == "machines.NAME.forward"
    assert proper_place("lab", "sha256") == "machines.NAME.files[].sha256"


SMALL = "version: 1\ntitle: T\nstudents: 3\nmachines:\n  web: {type: webserver}\n"


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("title: T", "titel: T", "PRA020", "titel"),
        ("title: T\n", "", "PRA021", ""),
        ("title: T", "title: 5", "PRA022", "title"),
        ("title: T", "title:", "PRA022", "title"),
        ("students: 3", "students: 3.0", "PRA022", "students"),
        ("students: 3", "students: true", "PRA022", "students"),
        ("version: 1", "version: '1'", "PRA027", "version"),
        ("webserver}", "webserver, kind: VM}", "PRA023", "machines.web.kind"),
        ("webserver}", "webserver, cpu: 0}", "PRA024", "machines.web.cpu"),
        ("webserver}", 'webserver, memory: "1GiB\\n"}', "PRA025", "machines.web.memory"),
        ("webserver}", "webserver, run: []}", None, ""),
        ("webserver}", "webserver, connect: []}", "PRA026", "machines.web.connect"),
        ("webserver}", "webserver, keep: [/a, /a]}", "PRA026", "machines.web.keep[1]"),
        ("web:", "wEb:", "PRA032", "machines.wEb"),
    ],
)
def test_one_mistake_gives_one_message(old, new, code, path):
    loaded = load_document(SMALL.replace(old, new).encode(), "f", "lab")
    assert [(problem.code, problem.path) for problem in loaded.diagnostics] == ([(code, path)] if code else [])


def test_later_checks_see_no_bad_values_and_no_unknown_keys():
    text = SMALL.replace("webserver}", "webserver, memory: 2GB, cpus: 2, cpu: 3}")
    loaded = load_document(text.encode(), "f", "lab")
    assert loaded.schema.data["machines"] == {"web": {"type": "webserver", "memory": None, "cpu": 3}}
    assert ("machines", "web", "cpu") in loaded.schema.excused
