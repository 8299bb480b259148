"""Makes the frozen lab from a document without errors, with every default resolved."""

from collections.abc import Mapping
from typing import Any

from generator.spec.model import (
    AllowedHost,
    Check,
    FileEntry,
    Kubernetes,
    Lab,
    Machine,
    Schedule,
    Student,
    Volume,
)
from generator.spec.rules.checks import KINDS
from generator.spec.rules.context import Context
from generator.spec.rules.files import DATA, resolve
from generator.spec.rules.kubernetes import NODES, QUOTA
from generator.spec.rules.names import lab_key
from generator.spec.rules.students import roster_of
from generator.spec.rules.times import extensions_of, parse_time
from generator.spec.rules.volumes import DEFAULT_MOUNT, volume_machines
from generator.spec.units import parse_duration, parse_size

__all__ = ["build_lab"]

_DEFAULT_VOLUMES: Mapping[str, Any] = {"home": {}}
_CHECK_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "http": {"port": 80, "path": "/", "status": 200},
    "tcp": {},
    "exec": {},
    "kubernetes": {"available": 1},
}
_SIZES = ("memory", "disk", "storage")


def build_lab(context: Context) -> Lab:
    """Return the lab of a document in which no check found an error."""
    data = context.data
    course, name = lab_key(context.document.file) or ("", "")
    machines = tuple(_machine(context, name, entry) for name, entry in context.group("machines").items())
    return Lab(
        course=course,
        name=name,
        title=data["title"],
        path=context.document.file,
        students=_students(context),
        machines=machines,
        networks=context.networks,
        internet=_internet(context.group("network").get("internet", "none")),
        volumes=_volumes(context, machines),
        checks=_checks(context, machines),
        description=data.get("description", ""),
        professor=data.get("professor"),
        assistants=tuple(data.get("assistants", ())),
        kubernetes=_kubernetes(context),
        solution=_solution(context),
        checkpoint=data.get("checkpoint", "manual"),
        update=data.get("update", "keep"),
        schedule=Schedule(**{key: parse_time(text) for key, text in context.group("schedule").items()}),
        extensions=extensions_of(context).times,
    )


def _students(context: Context) -> tuple[Student, ...]:
    value = context.data["students"]
    if isinstance(value, int):
        return (Student(None),) * value
    roster = roster_of(context)
    return roster.students if roster else ()


def _internet(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return tuple(AllowedHost(entry.get("host"), entry.get("cidr"), tuple(entry.get("ports", ()))) for entry in value)


def _repository_path(context: Context, name: str) -> str:
    return name if name.startswith(DATA) else resolve(context.folder, name) or ""


def _machine(context: Context, name: str, entry: Mapping[str, Any]) -> Machine:
    kind = context.catalogue[entry["type"]]
    return Machine(
        name=name,
        type=kind,
        kind=entry.get("kind", "container"),
        connect=context.connections(name),
        cpu=entry.get("cpu", kind.cpu),
        memory=parse_size(entry["memory"]) if "memory" in entry else kind.memory,
        disk=parse_size(entry["disk"]) if "disk" in entry else kind.disk,
        packages=tuple(entry.get("packages", ())),
        files=tuple(_file(context, file) for file in entry.get("files", ())),
        run=tuple(_repository_path(context, script) for script in entry.get("run", ())),
        setup=tuple(_repository_path(context, script) for script in entry.get("setup", ())),
        keep=tuple(dict.fromkeys((*kind.keep, *entry.get("keep", ())))),
        forward=entry.get("forward", False),
    )


def _file(context: Context, entry: Mapping[str, Any]) -> FileEntry:
    mode = int(entry.get("mode", "0644"), 8)
    return FileEntry(_repository_path(context, entry["from"]), entry["to"], mode, entry.get("sha256"))


def _volumes(context: Context, machines: tuple[Machine, ...]) -> tuple[Volume, ...]:
    """Return the volumes that at least one machine sees."""
    with_home = tuple(machine.name for machine in machines if machine.type.home)
    if "volumes" not in context.data:
        found = [_volume(name, entry, with_home) for name, entry in _DEFAULT_VOLUMES.items()]
    else:
        entries = context.group("volumes").items()
        found = [_volume(name, entry, tuple(volume_machines(context, name))) for name, entry in entries]
    return tuple(volume for volume in found if volume.machines)


def _volume(name: str, entry: Mapping[str, Any], machines: tuple[str, ...]) -> Volume:
    return Volume(
        name=name,
        size=parse_size(entry.get("size", "1GiB")),
        mount=entry.get("mount", DEFAULT_MOUNT).rstrip("/"),
        machines=machines,
        storage=entry.get("storage", "local"),
        seed=entry.get("seed", "checkpoint"),
    )


def _checks(context: Context, machines: tuple[Machine, ...]) -> tuple[Check, ...]:
    own = tuple(_check(entry) for entry in context.data.get("checks", ()))
    if "checks" in context.data and not own:
        return ()
    smoked = {check.machine for check in own if check.when != "progress"}
    brought = [check for machine in machines if machine.name not in smoked for check in _of_type(context, machine)]
    return (*own, *brought)


def _of_type(context: Context, machine: Machine) -> list[Check]:
    """Return the checks that a machine's type brings, for machines that no smoke test of the spec looks at."""
    checks = [_check(_for_machine(entry, machine.name)) for entry in machine.type.checks]
    reachable = context.networks[0] in machine.connect
    return [check for check in checks if reachable or check.kind == "exec"]


def _for_machine(entry: Mapping[str, Any], machine: str) -> Mapping[str, Any]:
    kind = next(kind for kind in KINDS if kind in entry)
    return {**entry, "name": f"{machine}: {entry['name']}", kind: {**entry[kind], "machine": machine}}


def _check(entry: Mapping[str, Any]) -> Check:
    kind: Any = next(kind for kind in KINDS if kind in entry)
    settings = {**_CHECK_DEFAULTS[kind], **entry[kind]}
    return Check(
        name=entry["name"],
        kind=kind,
        machine=settings.pop("machine", None),
        origin=settings.pop("from", None),
        settings=settings,
        when=entry.get("when", "smoke"),
        wait=parse_duration(entry.get("wait", "30s")),
        points=entry.get("points", 0),
        hint=entry.get("hint", ""),
        hidden=entry.get("hidden", False),
    )


def _kubernetes(context: Context) -> Kubernetes | None:
    if "kubernetes" not in context.data:
        return None
    entry = context.group("kubernetes")
    base = resolve(context.folder, entry["base"]) if "base" in entry else None
    nodes, quota = _resolved(NODES, entry.get("nodes", {})), _resolved(QUOTA, entry.get("quota", {}))
    return Kubernetes(entry.get("cluster", "lab").replace(" ", ""), base, nodes, quota)


def _resolved(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = {**defaults, **given}
    return {key: parse_size(value) if key in _SIZES else value for key, value in merged.items()}


def _solution(context: Context) -> Mapping[str, str] | None:
    scripts = {name: _repository_path(context, script) for name, script in context.group("solution").items()}
    return scripts or None
