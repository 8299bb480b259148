"""Rules about volumes: where they are mounted and on which storage they live."""

import re
from collections.abc import Iterator
from posixpath import normpath

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules.context import Context

__all__ = ["collisions", "machines", "mounts", "nested", "storage", "volume_machines"]

DEFAULT_MOUNT = "/home/student"
# Below these nothing may be mounted; the second group may hold mounts but not be one.
_SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "usr")
_PARENTS = ("/", "/home", "/opt", "/root", "/srv", "/tmp", "/var", "/var/lib", "/var/log", "/var/tmp")  # noqa: S108


_SYSTEM_DATA = re.compile(r"/var/(cache|run|lib/(apt|dpkg|systemd|dbus|pam))(/.*)?")


def _place(mount: str) -> str:
    return normpath("/" + mount.lstrip("/"))


def volume_machines(context: Context, name: str) -> list[str]:
    """Return the machines that see a volume: those it names, or all whose type has a student account."""
    if "machines" in context.group("volumes", name):
        return [machine for _index, machine in context.items("volumes", name, "machines")]
    described = context.group("machines").items()
    kinds = {machine: context.catalogue.get(entry.get("type") or "") for machine, entry in described if entry}
    return [machine for machine, kind in kinds.items() if kind is not None and kind.home]


def machines(context: Context) -> Iterator[Diagnostic]:
    """Volumes are mounted on machines that the lab has."""
    for name in context.group("volumes"):
        for index, machine in context.items("volumes", name, "machines"):
            yield from context.unknown_machine(machine, ("volumes", name, "machines", index))


def mounts(context: Context) -> Iterator[Diagnostic]:
    """A volume must not hide the system of the machine."""
    for name in context.group("volumes"):
        mount = context.get("volumes", name, "mount")
        if mount is not None and _hides_the_system(_place(mount)):
            message = f"a volume at '{mount}' would hide a part of the machine's system"
            yield context.document.problem("PRA071", message, ("volumes", name, "mount"))


def _hides_the_system(place: str) -> bool:
    return place in _PARENTS or place.split("/")[1] in _SYSTEM or _SYSTEM_DATA.fullmatch(place) is not None


def collisions(context: Context) -> Iterator[Diagnostic]:
    """A folder of a machine holds one volume; one problem a pair of volumes."""
    taken: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    for name, volume in context.group("volumes").items():
        if volume is None or ("mount" in volume and volume["mount"] is None):
            continue
        place = _place(volume.get("mount", DEFAULT_MOUNT))
        for machine in volume_machines(context, name):
            first = taken.setdefault((machine, place), name)
            if first != name and (first, name) not in told:
                told.add((first, name))
                message = f"the volumes '{first}' and '{name}' are both mounted at '{place}' on '{machine}'"
                path = ("volumes", name, *(("mount",) if "mount" in volume else ()))
                yield context.document.problem("PRA070", message, path, on_key="mount" not in volume)


def nested(context: Context) -> Iterator[Diagnostic]:
    """A volume in the folder of another is possible, and rarely meant."""
    places = {name: _mount_of(context, name) for name in context.group("volumes")}
    for name, place in places.items():
        for outer, folder in places.items():
            common = set(volume_machines(context, name)) & set(volume_machines(context, outer))
            if place and folder and common and place.startswith(f"{folder}/"):
                message = f"the volume '{name}' at '{place}' lies inside the volume '{outer}' at '{folder}'"
                path = ("volumes", name, *(("mount",) if "mount" in context.group("volumes", name) else ()))
                yield context.document.problem("PRA074", message, path, severity="warning")


def _mount_of(context: Context, name: str) -> str | None:
    mount = context.group("volumes", name).get("mount", DEFAULT_MOUNT)
    return _place(mount) if mount and context.get("volumes", name) is not None else None


def storage(context: Context) -> Iterator[Diagnostic]:
    """Storage is what every environment's platform file offers."""
    for name in context.group("volumes"):
        pool = context.get("volumes", name, "storage")
        lacking = [env for env, platform in context.platforms.items() if pool and pool not in platform.storage]
        if lacking:
            offered = sorted(set.intersection(*(set(platform.storage) for platform in context.platforms.values())))
            where = " and ".join(lacking)
            message = f"there is no storage '{pool}' in {where}; there is {', '.join(offered) or 'none'}"
            yield context.document.problem("PRA035", message, ("volumes", name, "storage"))
