"""The metadata half of an image: the same bytes each time, and every template that LXD is told of is there."""

import io
import tarfile
from hashlib import sha256

import yaml

from practicum.lxd.image_metadata import TEMPLATES, metadata_tarball

PROPERTIES = {"user.practicum": "abc/-/-/-/-", "practicum.recipe": "sha256:1"}


def members(tarball: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(tarball)) as tar:
        return {entry.name: tar.extractfile(entry).read().decode() for entry in tar.getmembers()}  # type: ignore[union-attr]


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert metadata_tarball(PROPERTIES, 1) == metadata_tarball(dict(reversed(PROPERTIES.items())), 1)
    assert metadata_tarball(PROPERTIES, 1) != metadata_tarball({**PROPERTIES, "user.practicum": "other/-/-/-/-"}, 1)


def test_the_metadata_names_properties_and_templates_that_exist() -> None:
    content = members(metadata_tarball(PROPERTIES, 5))
    metadata = yaml.safe_load(content["metadata.yaml"])
    assert metadata["properties"] == PROPERTIES
    assert (metadata["creation_date"], metadata["architecture"]) == (5, "x86_64")
    assert set(metadata["templates"]) == set(TEMPLATES)
    assert all(f"templates/{entry['template']}" in content for entry in metadata["templates"].values())


def test_only_addresses_are_set_again_at_each_start() -> None:
    again = {path for path, (_, when, _) in TEMPLATES.items() if "start" in when}
    assert again == {"/etc/network/interfaces", "/etc/resolv.conf"}


def test_a_change_of_the_templates_raises_the_recipe_version() -> None:
    digest = sha256(repr(sorted(TEMPLATES.items())).encode()).hexdigest()[:16]
    assert digest == "54b767d7d3d12a4e", (
        "raise RECIPE_VERSION in generator/catalogue/recipe.py, then write the new digest here"
    )
