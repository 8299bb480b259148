"""Rules about the files that a spec names: they exist, and lie in the folder of the course."""

from collections.abc import Iterator
from hashlib import sha256
from posixpath import basename, normpath
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.kustomization import file_in
from generator.spec.document import Path
from generator.spec.rules.context import Context
from generator.spec.units import MIB, format_size
from generator.spec.words import did_you_mean, nearest

__all__ = ["DATA", "base", "file_problem", "machine_files", "resolve"]

DATA = "data:"
LARGEST = 10 * MIB


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
        message = f"there is no {what} '{place}'{did_you_mean(_near(context, name))}"
        yield context.document.problem("PRA050", message, path, hint=_instead(name, what))
    elif status == "folder":
        yield context.document.problem("PRA053", f"'{name}' is a folder, not a {what}", path)


def _near(context: Context, name: str) -> str | None:
    """Return the file of the course's folder that was meant: of another case, in another folder, or misspelt."""
    top = f"{context.folder}/"
    known = [path.removeprefix(top) for path in context.sources.files(context.folder) if path != f"{top}{name}"]
    wanted = normpath(name.replace("\\", "/").removeprefix(top)).casefold()
    names = {basename(path).casefold(): path for path in reversed(known)}
    alike = next((path for path in known if path.casefold() == wanted), None)
    return alike or names.get(nearest(basename(wanted), names) or "")


def _instead(name: str, what: str) -> str:
    """Return what to do where a name cannot be that of a file; nothing when it can."""
    if "://" in name:
        return "Files come from the repository: fetch it, and commit it next to the spec."
    if "*" in name:
        return "Name each file in an entry of its own; names are taken as they are, without patterns."
    if what == "script" and " " in name:
        return "Write the command in a script next to the spec and name that; software goes to `packages`."
    return ""


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
        yield from problems or _content(context, entry, path)
    elif resolve("", source.removeprefix(DATA)) in (None, "/"):
        message, hint = f"'{source}' is outside the data folder", "Write data: and a name in that folder."
        yield context.document.problem("PRA051", message, (*path, "from"), hint=hint)
    elif "sha256" not in entry:
        yield context.document.problem("PRA052", f"the data file '{source}' needs its sha256", (*path, "from"))


def _content(context: Context, entry: dict[str, Any], path: Path) -> Iterator[Diagnostic]:
    place = resolve(context.folder, entry["from"])
    if place is None:
        return
    data = context.sources.read(place)
    found = sha256(data).hexdigest()
    if len(data) > LARGEST:
        size = f"{len(data) / MIB:.1f}MiB"
        message = f"'{entry['from']}' has {size}; a file in git has at most {format_size(LARGEST)}"
        better = f'from: "{DATA}{basename(place)}", sha256: {found}'
        hint = f"Ask the operator to put it into the data folder, and write {better}."
        yield context.document.problem("PRA059", message, (*path, "from"), hint=hint)
    elif entry.get("sha256") not in (None, found):
        message = f"'{entry['from']}' has another sha256: {found}"
        yield context.document.problem("PRA054", message, (*path, "sha256"))


def base(context: Context) -> Iterator[Diagnostic]:
    """The Kustomize base of a Kubernetes lab is a folder."""
    name, path = context.get("kubernetes", "base"), ("kubernetes", "base")
    if name is None:
        return
    place = resolve(context.folder, name)
    if place is None or context.sources.status(place) == "outside":
        message = f"the folder '{name}' is outside the lab's folder {context.folder}"
        yield context.document.problem("PRA051", message, path)
    elif file_in(context.sources, place) is None:
        yield context.document.problem("PRA055", f"there is no Kustomize base at '{place}'", path)
