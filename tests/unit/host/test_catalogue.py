"""The catalogue's data files: valid, complete, and resolved as they say."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from generator.catalogue.load import load_catalogue, read_documents
from generator.catalogue.model import Image
from generator.catalogue.recipe import recipe_digest

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas/catalogue.schema.json").read_text())
IMAGE = Image("bookworm", ("nginx", "curl"), {"/a": "1", "/b": "2"}, ("true", "false"))


def keys(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in schema.get("properties", {}).items():
        yield f"{path}/{name}", value
        yield from keys(value, f"{path}/{name}")
    for name, value in schema.get("$defs", {}).items():
        yield f"{path}/$defs/{name}", value
        yield from keys(value, f"{path}/$defs/{name}")


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("path", "key"), list(keys(SCHEMA)), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_explains_itself_and_its_examples_are_valid(path: str, key: dict[str, Any]) -> None:
    assert key["title"]
    assert key["description"].endswith(".")
    validator = Draft202012Validator({**key, "$defs": SCHEMA["$defs"]})
    for example in key["examples"]:
        validator.validate(example)


@pytest.mark.parametrize("name", sorted(read_documents()))
def test_every_type_file_is_valid(name: str) -> None:
    Draft202012Validator(SCHEMA).validate(read_documents()[name])


@pytest.mark.parametrize(
    "change",
    [
        {"memory": "512MB"},
        {"disk": "0GiB"},
        {"cpu": 0},
        {"keep": ["etc"]},
        {"keep": ["/etc/../root"]},
        {"colour": "red"},
        {"checks": [{"name": "two", "tcp": {"port": 1}, "exec": {"run": "true"}}]},
        {"image": {"from": "debian", "suite": "bookworm"}},
        {"image": {"packages": ["nginx"]}},
        {"image": {"suite": "bookworm", "packages": ["nginx; reboot"]}},
    ],
)
def test_a_bad_type_file_is_refused(change: dict[str, Any]) -> None:
    document = {**read_documents()["webserver"], **change}
    assert list(Draft202012Validator(SCHEMA).iter_errors(document))


def test_the_promised_types_are_there() -> None:
    catalogue = load_catalogue()
    assert sorted(catalogue) == ["database", "debian", "desktop", "kubernetes-node", "webserver"]
    assert all(name == type.name for name, type in catalogue.items())
    assert [name for name, type in catalogue.items() if type.graphical] == ["desktop"]
    assert [name for name, type in catalogue.items() if type.hidden] == ["kubernetes-node"]
    assert [name for name, type in catalogue.items() if not type.image.built] == ["kubernetes-node"]


def test_sizes_are_bytes_and_keys_left_out_have_their_defaults() -> None:
    debian = load_catalogue()["debian"]
    assert (debian.memory, debian.disk) == (512 * 2**20, 5 * 2**30)
    assert (debian.keep, debian.checks, debian.home, debian.graphical) == ((), (), True, False)


def test_an_image_made_from_another_adds_to_it() -> None:
    catalogue = load_catalogue()
    base, web = catalogue["debian"].image, catalogue["webserver"].image
    assert web.suite == base.suite
    assert web.packages == (*base.packages, "nginx")
    assert web.scripts[: len(base.scripts)] == base.scripts
    assert base.files.items() <= web.files.items()


def test_types_bring_their_checks_and_what_they_keep() -> None:
    catalogue = load_catalogue()
    assert catalogue["webserver"].checks[0]["http"] == {"port": 80, "path": "/", "status": 200}
    assert catalogue["database"].checks[0]["tcp"] == {"port": 5432}
    assert catalogue["database"].keep == ("/var/lib/postgresql",)


def test_the_digest_does_not_depend_on_the_order_of_packages_and_files() -> None:
    other = replace(IMAGE, packages=("curl", "nginx"), files={"/b": "2", "/a": "1"})
    assert recipe_digest(other) == recipe_digest(IMAGE)
    assert recipe_digest(IMAGE).startswith("sha256:")


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "trixie"},
        {"packages": ("nginx",)},
        {"files": {"/a": "1", "/b": "3"}},
        {"scripts": ("false", "true")},
    ],
)
def test_the_digest_changes_with_the_content(change: dict[str, Any]) -> None:
    assert recipe_digest(replace(IMAGE, **change)) != recipe_digest(IMAGE)


def test_the_digest_is_the_same_on_every_machine() -> None:
    expected = "sha256:e40db6969df634463f2b1f785ed2e573f6d9bdf3d1661dc94c74a236eb23ef75"
    assert recipe_digest(IMAGE) == expected, "raising RECIPE_VERSION changes this: every image is built again"
