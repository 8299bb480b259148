"""What people do to a lab's spec: set a value; add, remove and rename machines, volumes and checks.

Each function takes the bytes of a spec and returns those of the edited one. `file` is the name that diagnostics carry.
EditRefused says why nothing was changed. Whether the result is a good lab is for `load_lab` to say.
"""

from collections.abc import Iterator
from typing import Any

from generator.edit.changes import AppendItem, Change, EditRefused, Remove, RenameKey, SetValue
from generator.edit.editor import edit, edits, read
from generator.edit.placement import placed
from generator.spec.document import Document, Path, path_text

__all__ = [
    "add_check",
    "add_machine",
    "add_volume",
    "machine_references",
    "remove_check",
    "remove_machine",
    "remove_volume",
    "rename_machine",
    "set_value",
]

_FILE = "spec"
_NAMING = {"http": ("machine", "from"), "tcp": ("machine", "from"), "exec": ("machine",)}


def set_value(data: bytes, path: Path, value: Any, file: str = _FILE) -> bytes:
    """Give the key at `path` a value; a key that is not there is added, with the keys above it that are missing."""
    return edit(data, placed(read(data, file).data, path, value), file)


def add_machine(data: bytes, name: str, machine: dict[str, Any], file: str = _FILE) -> bytes:
    """Add a machine, the last of the lab; `machine` is what stands under its name, such as `{"type": "debian"}`."""
    return _add(data, ("machines", name), machine, file)


def add_volume(data: bytes, name: str, volume: dict[str, Any], file: str = _FILE) -> bytes:
    """Add a volume, such as `{"size": "2GiB", "machines": ["web"]}`.

    The first volume that a lab names takes the place of the `home` that a lab without `volumes` has.
    """
    return _add(data, ("volumes", name), volume, file)


def add_check(data: bytes, check: dict[str, Any], file: str = _FILE) -> bytes:
    """Add a check to the end of the list; its `name` must be new."""
    document = read(data, file)
    name = check.get("name")
    if _checks_named(document, name):
        raise EditRefused(f"there is a check '{name}' already")
    checks = _group(document, "checks", list)
    return edit(data, AppendItem(("checks",), check) if checks else placed(document.data, ("checks",), [check]), file)


def remove_machine(data: bytes, name: str, file: str = _FILE) -> bytes:
    """Remove a machine; refused while checks, volumes or the solution name it, and for the last one of a lab."""
    document = read(data, file)
    _require(document, "machines", name)
    named = [_place(document, path) for path in machine_references(document, name)]
    if named:
        raise EditRefused(f"the machine '{name}' is still named in {', '.join(named)}; change that first")
    is_last = len(document.data["machines"]) == 1
    if is_last and "kubernetes" not in document.data:
        raise EditRefused(f"'{name}' is the only machine of this lab, and a lab without machines is nothing")
    return edit(data, Remove(("machines",) if is_last else ("machines", name)), file)


def remove_volume(data: bytes, name: str, file: str = _FILE) -> bytes:
    """Remove a volume. After the last one stands `volumes: {}`: without the key the lab would get `home` instead."""
    _require(read(data, file), "volumes", name)
    return edit(data, Remove(("volumes", name)), file)


def remove_check(data: bytes, name: str, file: str = _FILE) -> bytes:
    """Remove the check of that name; with the last one goes the key, as `checks: []` would mean no checks at all."""
    document = read(data, file)
    found = _checks_named(document, name)
    if len(found) != 1:
        raise EditRefused(f"there are {len(found) or 'no'} checks '{name}' in this lab")
    is_last = len(document.data["checks"]) == 1
    return edit(data, Remove(("checks",) if is_last else ("checks", found[0])), file)


def rename_machine(data: bytes, name: str, new_name: str, file: str = _FILE) -> bytes:
    """Give a machine another name, here and wherever checks, volumes and the solution name it.

    Commands and templates that speak to the machine by its name are text, and stay as they are.
    """
    document = read(data, file)
    _require(document, "machines", name)
    keys: list[Path] = [("machines", name)]
    values: list[Change] = []
    for path in machine_references(document, name):
        if path[0] == "solution":
            keys.append(path)
        else:
            values.append(SetValue(path, new_name))
    return edits(data, [*values, *(RenameKey(path, new_name) for path in keys)], file)


def machine_references(document: Document, machine: str) -> list[Path]:
    """Return where a spec names a machine, other than where it describes it: checks, volumes, solution."""
    return [path for path, name in _named(document) if name == machine]


def _named(document: Document) -> Iterator[tuple[Path, Any]]:
    for index, check in enumerate(_group(document, "checks", list)):
        for kind, keys in _NAMING.items():
            settings = check.get(kind) if isinstance(check, dict) else None
            for key in keys:
                if isinstance(settings, dict) and key in settings:
                    yield ("checks", index, kind, key), settings[key]
    for name, volume in _group(document, "volumes", dict).items():
        machines = volume.get("machines") if isinstance(volume, dict) else None
        for index, machine in enumerate(machines if isinstance(machines, list) else ()):
            yield ("volumes", name, "machines", index), machine
    for machine in _group(document, "solution", dict):
        yield ("solution", machine), machine


def _group(document: Document, key: str, kind: type) -> Any:
    """Return the collection at a top-level key, or an empty one when there is none."""
    found = document.data.get(key) if isinstance(document.data, dict) else None
    return found if isinstance(found, kind) else kind()


def _checks_named(document: Document, name: Any) -> list[int]:
    checks = enumerate(_group(document, "checks", list))
    return [index for index, check in checks if isinstance(check, dict) and check.get("name") == name]


def _add(data: bytes, path: tuple[str, str], entry: dict[str, Any], file: str) -> bytes:
    document = read(data, file)
    group, name = path
    if name in _group(document, group, dict):
        line = document.key(path).line
        raise EditRefused(f"there is a {group.removesuffix('s')} '{name}' already, in line {line}")
    return edit(data, placed(document.data, path, entry), file)


def _require(document: Document, group: str, name: str) -> None:
    names = _group(document, group, dict)
    if name not in names:
        known = f"; there is {', '.join(names)}" if names else ""
        raise EditRefused(f"there is no {group.removesuffix('s')} '{name}' in this lab{known}")


def _place(document: Document, path: Path) -> str:
    position = document.key(path) if path[0] == "solution" else document.value(path)
    return f"line {position.line} ({path_text(path)})"
