"""Rules about where files go on a machine: each to a place of its own that a file can have."""

from collections.abc import Iterator
from posixpath import basename, normpath

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Path
from generator.spec.rules.context import Context
from generator.spec.rules.volumes import DEFAULT_MOUNT, volume_machines
from generator.spec.words import did_you_mean

__all__ = ["patterns", "targets"]

# File systems that the kernel makes, and one that is empty after each start.
_NO_FILES = ("/dev", "/proc", "/run", "/sys", "/var/run")


def targets(context: Context) -> Iterator[Diagnostic]:
    """Each file goes to a path of its own, which no folder and no other file has."""
    for machine in context.group("machines"):
        taken: dict[str, str] = {}
        mounts = _mounts(context, machine)
        for index, entry in context.items("machines", machine, "files"):
            target, path = entry.get("to"), ("machines", machine, "files", index, "to")
            if target is None:
                continue
            place = _place(target)
            problems = list(_bad(context, entry, target, path))
            problems = problems or list(_clash(context, place, {**mounts, **taken}, path))
            yield from problems
            if not problems:
                taken[place] = f"the file '{target}'"


def _place(target: str) -> str:
    return normpath("/" + target.lstrip("/"))


def _mounts(context: Context, machine: str) -> dict[str, str]:
    volumes = context.group("volumes") if "volumes" in context.data else {"home": {}}
    seen = [name for name in volumes if machine in volume_machines(context, name)]
    places = {name: (volumes[name] or {}).get("mount", DEFAULT_MOUNT) for name in seen}
    return {_place(mount): f"the volume '{name}'" for name, mount in places.items() if mount}


def _bad(context: Context, entry: dict[str, str], target: str, path: Path) -> Iterator[Diagnostic]:
    message = hint = ""
    if target.endswith("/"):
        source = basename(entry.get("from") or "").removesuffix(".j2")
        better = did_you_mean(f"{target}{source}") if source else ""
        message = f"'{target}' is a folder; 'to' names the file in it{better}"
    elif ".." in target.split("/"):
        message, hint = f"'{target}' contains '..'", f"Write the path as it is: {_place(target)}."
    elif _place(target).startswith(tuple(f"{folder}/" for folder in _NO_FILES)) or _place(target) in _NO_FILES:
        message = f"no file stays at '{target}': a machine makes this folder anew at each start"
        hint = "Choose a place below /etc, /srv, /opt or /home/student."
    if message:
        yield context.document.problem("PRA058", message, path, hint=hint)


def _clash(context: Context, place: str, taken: dict[str, str], path: Path) -> Iterator[Diagnostic]:
    for other, what in taken.items():
        inside = place.startswith(f"{other}/") and not what.startswith("the volume")
        if place == other or inside or other.startswith(f"{place}/"):
            where = "has this path" if place == other else "needs a folder where the other is a file"
            yield context.document.problem("PRA058", f"'{place}' collides: {what} {where}", path)
            return


def patterns(context: Context) -> Iterator[Diagnostic]:
    """Paths are taken as they are: a star would be a part of the name."""
    for path, text in _paths(context):
        if isinstance(text, str) and "*" in text:
            message = f"'{text}' has a '*' in it, and paths are taken as they are"
            yield context.document.problem("PRA073", message, path)


def _paths(context: Context) -> Iterator[tuple[Path, object]]:
    for machine in context.group("machines"):
        for index, entry in context.items("machines", machine, "files"):
            yield ("machines", machine, "files", index, "to"), entry.get("to")
        for index, kept in context.items("machines", machine, "keep"):
            yield ("machines", machine, "keep", index), kept
    for volume in context.group("volumes"):
        yield ("volumes", volume, "mount"), context.get("volumes", volume, "mount")
