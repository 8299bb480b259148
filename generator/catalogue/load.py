"""The catalogue of machine types, read from the data files that come with the generator."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from generator.catalogue.model import Image, MachineType
from generator.spec.units import parse_size

Document = Mapping[str, Any]


def load_catalogue() -> dict[str, MachineType]:
    """Return every machine type by name, in the order of the names."""
    documents = read_documents()
    return {name: _machine_type(name, documents) for name in sorted(documents)}


@cache
def read_documents() -> Mapping[str, Document]:
    """Return the type files as they stand, by type name."""
    folder = files("generator.catalogue") / "types"
    entries = [entry for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    return MappingProxyType({entry.name[:-5]: yaml.safe_load(entry.read_text("utf-8")) for entry in entries})


def _machine_type(name: str, documents: Mapping[str, Document]) -> MachineType:
    document = documents[name]
    return MachineType(
        name=name,
        title=document["title"],
        description=document["description"],
        cpu=document["cpu"],
        memory=parse_size(document["memory"]),
        disk=parse_size(document["disk"]),
        ports=tuple(document.get("ports", ())),
        keep=tuple(document.get("keep", ())),
        checks=tuple(document.get("checks", ())),
        image=_image(name, documents),
        home=document.get("home", True),
        graphical=document.get("graphical", False),
        hidden=document.get("hidden", False),
    )


def _image(name: str, documents: Mapping[str, Document]) -> Image:
    document = documents[name]["image"]
    base = _image(document["from"], documents) if "from" in document else Image(document["suite"], (), {}, ())
    added = tuple(package for package in document.get("packages", ()) if package not in base.packages)
    return Image(
        suite=base.suite,
        packages=base.packages + added,
        files=MappingProxyType({**base.files, **document.get("files", {})}),
        scripts=base.scripts + tuple(document.get("scripts", ())),
        built=document.get("built", True),
    )
