"""Rules about the files that a spec names: they exist, and lie in the folder of the course."""

from collections.abc import Iterator
from hashlib import sha256
from posixpath import normpath
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Path
from generator.spec.rules.context import Context

__all__ = ["DATA", "base", "file_problem", "machine_files", "resolve", "scripts", "solution"]

DATA = "data:"


def resolve(folder: str, name: str) -> str | None:
    """Return the repository path of a file named in a spec, or None when it leaves the spec's folder."""
    if name.startswith("/") or ".." in name.split("/") or "\x00" in name:
        return None
    return normpath(f"{folder}/{name}")


def file_problem(context: Context, name: str, path: Path, what: str = "file") -> Iterator[Diagnostic]:
    """Tell what is wrong with a file that the spec names at `path`."""
    place = resolve(context.folder, name)
    status = "outside" if place is None else context.sources.status(place)
    if status == "outside":
        message = f"the {what} '{name}' is outside the lab's folder {context.folder}"
        yield context.document.problem("PRA051", message, path)
    elif status == "missing":
        yield context.document.problem("PRA050", f"there is no {what} '{place}'", path)
    elif status == "folder":
        yield context.document.problem("PRA053", f"'{name}' is a folder, not a {what}", path)


def machine_files(context: Context) -> Iterator[Diagnostic]:
    """The files of each machine, from the course's folder or from the operator's data folder."""
    for name in context.group("machines"):
        for index, entry in context.items("machines", name, "files"):
            path = ("machines", name, "files", index)
            if entry.get("from") is not None:
                yield from _one_file(context, entry, path)


def _one_file(context: Context, entry: dict[str, Any], path: Path) -> Iterator[Diagnostic]:
    source = entry["from"]
    if not source.startswith(DATA):
        problems = list(file_problem(context, source, (*path, "from")))
        yield from problems or _wrong_sum(context, entry, path)
    elif resolve("", source.removeprefix(DATA)) in (None, "/"):
        message, hint = f"'{source}' is outside the data folder", "Write data: and a name in that folder."
        yield context.document.problem("PRA051", message, (*path, "from"), hint=hint)
    elif "sha256" not in entry:
        yield context.document.problem("PRA052", f"the data file '{source}' needs its sha256", (*path, "from"))


def _wrong_sum(context: Context, entry: dict[str, Any], path: Path) -> Iterator[Diagnostic]:
    place = resolve(context.folder, entry["from"])
    if entry.get("sha256") is None or place is None:
        return
    found = sha256(context.sources.read(place)).hexdigest()
    if found != entry["sha256"]:
        message = f"'{entry['from']}' has another sha256: {found}"
        yield context.document.problem("PRA054", message, (*path, "sha256"))


def scripts(context: Context) -> Iterator[Diagnostic]:
    """The scripts that a machine runs once."""
    for name in context.group("machines"):
        for key in ("run", "setup"):
            for index, script in context.items("machines", name, key):
                path = ("machines", name, key, index)
                problems = list(file_problem(context, script, path, "script"))
                yield from problems or (_not_text(context, script, path) if key == "setup" else ())


def _not_text(context: Context, name: str, path: Path) -> Iterator[Diagnostic]:
    """Tell a setup script that is not UTF-8: it stands in definitions as text. Templates are judged when rendered."""
    place = resolve(context.folder, name)
    if place is None or name.endswith(".j2"):
        return
    try:
        context.sources.read(place).decode()
    except UnicodeDecodeError:
        yield context.document.problem("PRA007", f"the script '{name}' is not UTF-8 text", path)


def solution(context: Context) -> Iterator[Diagnostic]:
    """The scripts of the reference solution, each for a machine of the lab."""
    for machine, script in context.group("solution").items():
        path = ("solution", machine)
        yield from context.unknown_machine(machine, path, on_key=True)
        if script is not None:
            yield from file_problem(context, script, path, "script")


def base(context: Context) -> Iterator[Diagnostic]:
    """The Kustomize base of a Kubernetes lab is a folder."""
    name, path = context.get("kubernetes", "base"), ("kubernetes", "base")
    if name is None:
        return
    place = resolve(context.folder, name)
    if place is None or context.sources.status(place) == "outside":
        message = f"the folder '{name}' is outside the lab's folder {context.folder}"
        yield context.document.problem("PRA051", message, path)
    elif context.sources.status(f"{place}/kustomization.yaml") != "file":
        yield context.document.problem("PRA055", f"there is no Kustomize base at '{place}'", path)
