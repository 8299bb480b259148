"""LXD definitions of a lab: one document shared by all seats and one a seat, in LXD's API vocabulary."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from generator.catalogue.model import MachineType
from generator.catalogue.node_image import NODE, type_on
from generator.catalogue.recipe import recipe_digest
from generator.catalogue.virtual_machine import image_key
from generator.render import machine_config, networks
from generator.render.checks import check_document
from generator.render.needs import needs
from generator.render.references import escaped, reference
from generator.render.routes import behind_routers
from generator.render.template import TemplateProblem, render
from generator.seats.addresses import LabAddresses
from generator.seats.names import PILOT, PROBE, PROFESSOR, SHARED, Scope, instance
from generator.spec.model import FileEntry, Lab, Machine, Volume
from generator.spec.platform import Platform
from generator.spec.sources import Sources
from generator.spec.units import format_size

FORMAT = 1
PROBE_TYPE = "debian"
PROBE_MEMORY = 256 * 2**20
PROBE_DISK = 2 * 2**30
OF_CONTAINERS = {"limits.processes": "2000"}
# Pods are containers in a container.
OF_NODES = {"limits.processes": "20000", "security.nesting": "true"}
# A VM has its own kernel, which bounds its processes, and our images' boot loader is not signed.
OF_VIRTUAL_MACHINES = {"security.secureboot": "false"}
Document = dict[str, Any]


class TemplateError(Exception):
    """A per-student file that cannot be rendered: which file, for whose seat, and why."""

    def __init__(self, file: str, seat: str, problem: TemplateProblem) -> None:
        super().__init__(problem.message)
        self.file = file
        self.seat = seat
        self.problem = problem


@dataclass(frozen=True)
class Target:
    """Where a lab is rendered to: an environment's platform and what the lab was given there."""

    lab: Lab
    platform: Platform
    addresses: LabAddresses
    catalogue: Mapping[str, MachineType]
    sources: Sources

    @property
    def scope(self) -> Scope:
        """The scope that names and markers of this rendering are made from."""
        return Scope(self.platform.installation, self.platform.environment, self.lab.course, self.lab.name)


def shared_document(target: Target) -> Document:
    """Return shared.yaml: project, profiles, common ACLs, the probe, image recipes, checks."""
    lab, scope = target.lab, target.scope
    return {
        "format": FORMAT,
        "marker": scope.marker(),
        "project": _project(target),
        "golden_project": scope.golden_project,
        "acls": [networks.students_acl(lab, scope, target.addresses)],
        "profiles": [*(_profile(target, machine) for machine in lab.machines), *_own_profiles(target)],
        "images": _images(target),
        "instances": [_probe(target)],
        "ports": {machine.name: list(machine.type.ports) for machine in lab.machines},
        **({"desktops": desktops} if (desktops := _desktops(lab)) else {}),
        "checks": [check_document(lab, check) for check in lab.checks],
        **({"behind": behind} if (behind := behind_routers(lab)) else {}),
        "keep": {machine.name: sorted({*machine.type.keep, *machine.keep}) for machine in lab.machines},
        "rendered": {machine.name: _rendered_paths(machine) for machine in lab.machines},
        "checkpoint": lab.checkpoint,
        "update": lab.update,
        **({"kubernetes": {"cluster": lab.kubernetes.cluster}} if lab.kubernetes else {}),
        **({"schedule": times} if (times := _schedule(lab)) else {}),
        "needs": [asdict(need) for need in needs(lab, target.platform)],
    }


def seat_document(target: Target, seat: str, *, power: str = "running") -> Document:
    """Return SEAT.yaml: networks, ACL, instances and volumes of one seat. Raises TemplateError."""
    lab, scope = target.lab, target.scope
    own_acls = (
        [networks.professor_acl(lab, scope, target.platform, target.addresses)]
        if seat == PROFESSOR
        else networks.seat_acls(lab, scope, target.addresses, seat)
    )
    places = {"places": machine_config.seat_places(lab, target.addresses, seat)} if len(lab.networks) > 1 else {}
    solution = {"solution": _solution(target)} if seat == PILOT and lab.solution else {}
    return {
        "format": FORMAT,
        "seat": seat,
        "power": power,
        "addresses": machine_config.seat_addresses(lab, target.addresses, seat),
        **places,
        "acls": own_acls,
        "networks": networks.seat_networks(lab, scope, target.addresses, seat),
        "volumes": [_volume(target, volume, seat) for volume in lab.volumes],
        "instances": [_instance(target, machine, seat) for machine in lab.machines],
        **solution,
    }


def check_templates(target: Target, seats: Iterable[str]) -> list[TemplateError]:
    """Return what is wrong with the lab's per-student files: of each, what fails first when rendered for the seats."""
    listed = list(seats)
    paths = sorted({path for machine in target.lab.machines for path in _template_paths(machine)})
    return [error for path in paths if (error := _first_failure(target, path, listed))]


def _first_failure(target: Target, path: str, seats: Iterable[str]) -> TemplateError | None:
    source = target.sources.read(path)
    for seat in seats:
        try:
            _filled(target, path, source, seat)
        except TemplateError as error:
            return error
    return None


def _desktops(lab: Lab) -> list[str]:
    return [machine.name for machine in lab.machines if machine.type.graphical]


def static_files(target: Target) -> dict[str, bytes]:
    """Return the spec's static files and scripts by digest, as they are stored beside the definitions."""
    paths = [path for machine in target.lab.machines for path in _static_paths(machine)]
    # Only dev has a pilot seat, so the reference solution never stands in prod's tree.
    solution = (target.lab.solution or {}).values() if target.platform.environment == "dev" else ()
    contents = [target.sources.read(path) for path in (*paths, *solution)]
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


def _template_paths(machine: Machine) -> list[str]:
    files = [entry.source for entry in machine.files if entry.rendered]
    return [*files, *(path for path in machine.setup if path.endswith(".j2"))]


def _static_paths(machine: Machine) -> list[str]:
    files = [entry.source for entry in machine.files if not entry.rendered and not entry.source.startswith("data:")]
    return [*files, *machine.run]


def _rendered_paths(machine: Machine) -> list[str]:
    """Return the files that each seat has of its own, which a checkpoint must not carry to another."""
    return [entry.target for entry in machine.files if entry.rendered]


def _images(target: Target) -> dict[str, str]:
    """Return the recipes of the images that machines of the lab, and its probe, are made from."""
    keys = {image_key(machine.type.name, machine.kind) for machine in target.lab.machines} | {PROBE_TYPE}
    keys |= {NODE} if target.lab.own_cluster else set()
    types = {key: type_on(target.catalogue, key, target.platform) for key in sorted(keys)}
    return {key: recipe_digest(type.image) for key, type in types.items() if type is not None}


def _schedule(lab: Lab) -> dict[str, str]:
    """Return the times of the spec that are set, as ISO strings."""
    return {key: time.isoformat() for key, time in vars(lab.schedule).items() if time is not None}


def _project(target: Target) -> Document:
    lab, scope = target.lab, target.scope
    used = {target.platform.storage[volume.storage] for volume in lab.volumes}
    folders = ",".join(folder for folder in target.platform.folders if folder in used)
    return {
        "name": scope.project,
        "description": f"Practicum {lab.key} ({scope.environment}): {lab.title}",
        "config": {
            "features.images": "false",
            "features.networks": "false",
            "features.profiles": "true",
            "features.storage.volumes": "true",
            "user.practicum": scope.marker(),
            **({"user.practicum.folders": folders} if folders else {}),
        },
    }


def _profile(target: Target, machine: Machine) -> Document:
    limits = {"limits.cpu": str(machine.cpu), "limits.memory": format_size(machine.memory)}
    own = OF_VIRTUAL_MACHINES if machine.kind == "vm" else OF_CONTAINERS
    return _profile_document(target, machine.name, {**limits, **own}, machine.disk)


def _own_profiles(target: Target) -> list[Document]:
    """Return the profiles of the machines that no spec names."""
    probe = {"limits.cpu": "1", "limits.memory": format_size(PROBE_MEMORY), **OF_CONTAINERS}
    profiles = [_profile_document(target, PROBE, probe, PROBE_DISK)]
    if target.lab.own_cluster:
        nodes = target.lab.own_cluster.nodes
        limits = {"limits.cpu": str(nodes["cpu"]), "limits.memory": format_size(nodes["memory"]), **OF_NODES}
        profiles.append(_profile_document(target, NODE, limits, nodes["disk"]))
    return profiles


def _profile_document(target: Target, name: str, limits: Mapping[str, str], disk: int) -> Document:
    root = {"type": "disk", "path": "/", "pool": target.platform.storage["local"], "size": format_size(disk)}
    config = {**limits, "user.practicum": target.scope.marker()}
    return {"name": name, "description": f"{target.lab.key} {name}", "config": config, "devices": {"root": root}}


def _probe(target: Target) -> Document:
    config = machine_config.probe(target.lab, target.scope, target.addresses)
    return {
        "name": PROBE,
        "type": "container",
        "source": {"image": PROBE_TYPE},
        "profiles": [PROBE],
        "config": config,
        "devices": {"eth0": machine_config.probe_nic(target.lab, target.scope, target.addresses)},
        "steps": [],
    }


def _instance(target: Target, machine: Machine, seat: str) -> Document:
    professor = seat == PROFESSOR and target.platform.environment == "dev"
    volumes = [volume for volume in target.lab.volumes if machine.name in volume.machines]
    return {
        "name": instance(seat, machine.name),
        "type": "virtual-machine" if machine.kind == "vm" else "container",
        "source": {"image": image_key(machine.type.name, machine.kind)} if professor else {"checkpoint": machine.name},
        "profiles": [machine.name],
        "config": machine_config.of_machine(target.lab, target.scope, target.addresses, seat, machine),
        "devices": {
            **machine_config.nics(target.lab, target.scope, target.addresses, seat, machine),
            **{volume.name: _disk(target, volume, seat) for volume in volumes},
        },
        "steps": _steps(target, machine, seat, professor=professor),
    }


def _volume(target: Target, volume: Volume, seat: str) -> Document:
    config = {"size": format_size(volume.size), "user.practicum": target.scope.marker(seat)}
    return {
        "name": instance(seat, volume.name),
        "pool": target.platform.storage[volume.storage],
        "volume": volume.name,
        "seed": volume.seed,
        "mount": volume.mount,
        "config": config,
    }


def _disk(target: Target, volume: Volume, seat: str) -> Document:
    pool, name = target.platform.storage[volume.storage], instance(seat, volume.name)
    if pool.startswith("/"):
        # The folder of the volume's work, as `practicum.lxd.folders` makes it.
        marker = target.scope.marker().removesuffix(f"/{SHARED}")
        return {"type": "disk", "source": f"{pool}/{marker}/{name}/work", "path": volume.mount}
    return {"type": "disk", "pool": pool, "source": name, "path": volume.mount}


def _steps(target: Target, machine: Machine, seat: str, *, professor: bool) -> list[Document]:
    """Return what is done inside a machine: all of it on the professor's, the seat's own part on a student's."""
    packages: list[Document] = (
        [{"kind": "packages", "packages": list(machine.packages)}] if professor and machine.packages else []
    )
    files = [_file_step(target, entry, seat) for entry in machine.files if professor or entry.rendered]
    runs = [_script_step(target, "run", path) for path in machine.run] if professor else []
    setups = [_setup_step(target, path, seat) for path in machine.setup]
    return [*packages, *files, *runs, *setups]


def _file_step(target: Target, entry: FileEntry, seat: str) -> Document:
    step: Document = {"kind": "file", "to": escaped(entry.target), "mode": f"{entry.mode:04o}"}
    if entry.rendered:
        return {**step, "content": _rendered(target, entry.source, seat)}
    if entry.source.startswith("data:"):
        return {**step, "data": escaped(entry.source.removeprefix("data:")), "sha256": entry.sha256}
    return {**step, "sha256": hashlib.sha256(target.sources.read(entry.source)).hexdigest()}


def _script_step(target: Target, kind: str, path: str) -> Document:
    return {"kind": kind, "name": escaped(path), "sha256": hashlib.sha256(target.sources.read(path)).hexdigest()}


def _solution(target: Target) -> list[Document]:
    """Return the scripts of the reference solution in the spec's order, each with its machine."""
    scripts = (target.lab.solution or {}).items()
    return [{"machine": machine, **_script_step(target, "solution", path)} for machine, path in scripts]


def _setup_step(target: Target, path: str, seat: str) -> Document:
    is_template = path.endswith(".j2")
    content = _rendered(target, path, seat) if is_template else escaped(target.sources.read(path).decode())
    return {"kind": "setup", "name": escaped(path), "content": content}


def _rendered(target: Target, path: str, seat: str) -> str:
    return _filled(target, path, target.sources.read(path), seat)


def _filled(target: Target, path: str, source: bytes, seat: str) -> str:
    lab = target.lab
    addresses = machine_config.seat_addresses(lab, target.addresses, seat)
    values = {
        "student": {"id": seat, "login": reference("login")},
        "seat": {"id": seat, "address": next(iter(addresses.values()), ""), "addresses": addresses},
        "lab": {"course": lab.course, "name": lab.name, "title": escaped(lab.title)},
        "environment": target.platform.environment,
    }
    try:
        return render(source.decode(), values)
    except UnicodeDecodeError as error:
        raise TemplateError(path, seat, TemplateProblem("it is not UTF-8 text", 1)) from error
    except TemplateProblem as problem:
        raise TemplateError(path, seat, problem) from problem


def canonical(document: Any) -> str:
    """Return a document as canonical JSON, for digests."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
