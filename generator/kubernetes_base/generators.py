"""ConfigMaps and Secrets that a kustomization makes from files and values."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.kubernetes_base.files import Files
from generator.kubernetes_base.kustomization import Kustomization
from generator.kubernetes_base.manifest import Manifest
from generator.kubernetes_base.node import Place, made
from generator.kubernetes_base.texts import is_template, rendered
from generator.render.references import REFERENCE
from generator.spec.document import Path

__all__ = ["Generated", "generated"]

GENERATORS = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LARGEST = 2**20


@dataclass(frozen=True)
class Generated:
    """An object that a kustomization makes; `behaviour` says whether it is new, or changes one that exists."""

    manifest: Manifest
    behaviour: str


Value = tuple[str, bytes, Path]


def generated(files: Files, origin: Kustomization) -> Iterator[Generated | Diagnostic]:
    """Yield the objects that a kustomization makes, and what is wrong with their content."""
    for key, kind in GENERATORS.items():
        for path, entry in origin.items(key):
            if entry.get("namespace"):
                message = "the namespace cannot be chosen: every copy of the lab has its own"
                yield origin.problem("PRA118", message, (*path, "namespace"), on_key=True, hint="Take the key out.")
            found = list(_values(files, origin, entry, path))
            yield from (item for item in found if isinstance(item, Diagnostic))
            values = [item for item in found if not isinstance(item, Diagnostic)]
            yield from _repeated(origin, values)
            if sum(len(value) for _key, value, _path in values) > _LARGEST:
                message = f"the {kind} '{entry.get('name')}' holds more than 1 MiB, the most that Kubernetes stores"
                yield origin.problem("PRA113", message, path, on_key=True)
            if entry.get("name"):
                yield Generated(_manifest(origin, kind, entry, path, values), entry.get("behavior") or "create")


def _manifest(origin: Kustomization, kind: str, entry: Mapping[str, Any], path: Path, values: list[Value]) -> Manifest:
    document = origin.document
    place = Place(document.file, (*path, "name"), document.key((*path, "name")), document.value((*path, "name")))
    content = {key: b64encode(value).decode() for key, value, _path in values}
    data = {"apiVersion": "v1", "kind": kind, "metadata": {"name": entry["name"]}}
    return Manifest(made({**data, ("data" if kind == "Secret" else "binaryData"): content}, place))


def _repeated(origin: Kustomization, values: list[Value]) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for key, _value, path in values:
        if key in seen:
            yield origin.problem("PRA113", f"the key '{key}' stands here twice", path)
        seen.add(key)


def _values(files: Files, origin: Kustomization, entry: Mapping[str, Any], path: Path) -> Iterator[Value | Diagnostic]:
    for index, text in _texts(entry, "literals"):
        yield _pair(origin, text, (*path, "literals", index))
    for index, text in _texts(entry, "files"):
        yield _from_file(files, origin, text, (*path, "files", index))
    for index, name in _texts(entry, "envs"):
        yield from _from_lines(files, origin, name, (*path, "envs", index))
    if entry.get("env"):
        yield from _from_lines(files, origin, entry["env"], (*path, "env"))


def _texts(entry: Mapping[str, Any], key: str) -> list[tuple[int, str]]:
    return [(index, text) for index, text in enumerate(entry.get(key) or ()) if text is not None]


def _pair(origin: Kustomization, text: str, path: Path) -> Value | Diagnostic:
    key, separator, value = text.partition("=")
    if not separator or not _KEY.fullmatch(key):
        return origin.problem("PRA113", f"'{text[:60]}' is not of the form KEY=VALUE", path)
    return key, value.encode(errors="replace"), path


def _from_file(files: Files, origin: Kustomization, text: str, path: Path) -> Value | Diagnostic:
    key, separator, name = text.rpartition("=")
    place = files.find_file(origin, name, path)
    if isinstance(place, Diagnostic):
        return place
    key = key if separator else name.rpartition("/")[2].removesuffix(".j2")
    if not _KEY.fullmatch(key):
        return origin.problem("PRA113", f"'{key[:60]}' cannot be a key: letters, digits and - _ . only", path)
    content = _content(files, place)
    return content if isinstance(content, Diagnostic) else (key, content, path)


def _content(files: Files, place: str) -> bytes | Diagnostic:
    data = files.sources.read(place)
    if not is_template(place):
        return data
    text = rendered(data, place, files.values)
    if isinstance(text, str) and REFERENCE.search(text):
        return Diagnostic("PRA141", "what is generated from this file would stand in git, its secret too", place)
    return text if isinstance(text, Diagnostic) else text.encode(errors="replace")


def _from_lines(files: Files, origin: Kustomization, name: str, path: Path) -> Iterator[Value | Diagnostic]:
    place = files.find_file(origin, name, path)
    content = place if isinstance(place, Diagnostic) else _content(files, place)
    if isinstance(content, Diagnostic):
        yield content
        return
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), 1):
        key, separator, value = line.strip().partition("=")
        if not key or key.startswith("#"):
            continue
        if separator and _KEY.fullmatch(key):
            yield key, value.encode(errors="replace"), path
        else:
            yield _bad_line(str(place), number, line)


def _bad_line(file: str, number: int, line: str) -> Diagnostic:
    position = Position(number, 1, number, len(line) + 1)
    message = "this line is not of the form KEY=VALUE"
    hint = "A key alone would be read from the environment of whoever builds the base."
    return Diagnostic("PRA113", message, file, position, hint=hint)
