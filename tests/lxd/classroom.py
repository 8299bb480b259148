"""A throw-away installation with one lab, small and fast: its repository, its platform files, its machines."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from practicum.errors import PracticumError
from practicum.events import Event
from practicum.git.repository import Repository
from practicum.lxd.client import Lxd
from practicum.stages.checkpoint import Proof, prove, take_checkpoint
from practicum.stages.destroy import Destruction, destroy
from practicum.stages.pipeline import Life, run_pipeline
from practicum.stages.provision import Provisioned, provision
from practicum.stages.smoke import smoke
from practicum.stages.workspace import Workspace

LAB = "net101/small"
MEMORY = "64MiB"
DISK = "256MiB"
SPEC: dict[str, Any] = {
    "version": 1,
    "title": "Small",
    "students": 3,
    "machines": {
        "web": {
            "type": "webserver",
            "memory": MEMORY,
            "disk": DISK,
            "files": [{"from": "files/me.txt.j2", "to": "/etc/me.txt", "mode": "0640"}],
        },
        "desk": {
            "type": "debian",
            "memory": MEMORY,
            "disk": DISK,
            "files": [{"from": "files/task.md", "to": "/home/student/task.md"}],
        },
    },
    "volumes": {"home": {"size": "32MiB", "mount": "/home/student", "machines": ["desk"]}},
    "checks": [
        {"name": "page", "http": {"machine": "web", "port": 80}, "wait": "3s"},
        {"name": "web from desk", "tcp": {"from": "desk", "machine": "web", "port": 80}, "wait": "3s"},
        {
            "name": "task is there",
            "exec": {"machine": "desk", "run": "grep -q firewall /home/student/task.md"},
            "wait": "3s",
        },
    ],
}
# Two networks a seat, of which the second has no gateway, and room for two thousand processes.
ROOMS: dict[str, Any] = {
    **SPEC,
    "students": 2,
    "networks": {"lan": {}, "dmz": {}},
    "network": {"internet": "full"},
    "machines": {
        "web": {**SPEC["machines"]["web"], "memory": "512MiB", "connect": ["lan", "dmz"]},
        "desk": {**SPEC["machines"]["desk"], "connect": ["lan", "dmz"]},
    },
}
# The smallest lab for tests that need seats and nothing else.
LONE: dict[str, Any] = {
    "version": 1,
    "title": "Lone",
    "students": 2,
    "machines": {"web": {"type": "webserver", "memory": MEMORY, "disk": DISK}},
    "volumes": {},
}
FILES = {
    "me.txt.j2": "{{ seat.id }} {{ student.login }} {{ secret('flag') }} {{ seat.address }}\n",
    "task.md": "Build a firewall.\n",
}
PACE = ("user.practicum.pace", "user.practicum.pace.replaced")
Document = dict[str, Any]


def until(holds: Callable[[], object], what: str = "the condition", seconds: float = 60) -> None:
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come true in time"
        time.sleep(0.02)


@dataclass
class Classroom:
    """One installation: `events` is what the stages said."""

    lxd: Lxd
    repository: Repository
    installation: str
    pool: str
    lab: str = LAB
    events: list[Event] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return Workspace(Repository.open(self.repository.root), self.events.append)

    # Intent.

    def write_spec(self, spec: Mapping[str, Any], files: Mapping[str, str] = FILES) -> None:
        course = self.lab.split("/")[0]
        texts = {f"labs/{self.lab}.lab.yaml": yaml.safe_dump(dict(spec), sort_keys=False)}
        texts |= {f"labs/{course}/files/{name}": text for name, text in files.items()}
        self.repository.write({path: text.encode() for path, text in texts.items()})

    def committed(self, environment: str, name: str) -> Document:
        """Return a committed definition."""
        path = f"environments/{environment}/{self.lab}/lxd/{name}.yaml"
        document: Document = yaml.safe_load(self.repository.sources("HEAD").read(path))
        return document

    # Stages.

    def pipeline(self) -> Life:
        try:
            return run_pipeline(self.workspace, self.lab, lambda _: None)
        except PracticumError as error:
            error.add_note(error.details)
            raise

    def provision(self, environment: str, *seats: str) -> Provisioned:
        done = provision(self.workspace, self.lab, environment, seats)
        assert done.failed == [], [(one.seat, one.error, one.error and one.error.details) for one in done.failed]
        return done

    def smoke(self, environment: str, *seats: str) -> dict[str, list[str]]:
        """Return what failed: seat → names of probes. Seats that passed are in it, with an empty list."""
        found: dict[str, list[str]] = {}
        for result in smoke(self.workspace, self.lab, environment, seats):
            found.setdefault(result.seat, []).extend([] if result.ok else [result.name])
        return found

    def checkpoint(self) -> Proof:
        take_checkpoint(self.workspace, self.lab, "by hand")
        return prove(self.workspace, self.lab)

    def destroy(self, *environments: str) -> Destruction:
        return destroy(self.workspace, self.lab, environments, without_export=True)

    def command(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the command line in this repository as a process of its own."""
        program = Path(sys.executable).with_name("practicum")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
        return subprocess.Popen([program, "-C", str(self.repository.root), *arguments], **{**pipes, **options})

    def say(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line to its end."""
        process = self.command(*arguments)
        out, errors = process.communicate(timeout=900)
        return subprocess.CompletedProcess(arguments, process.returncode, out, errors)

    # Facts.

    def project(self, environment: str) -> str:
        return str(self.committed(environment, "shared")["project"]["name"])

    def instances(self, environment: str) -> dict[str, Document]:
        project = self.project(environment)
        if self.lxd.find("projects", project) is None:
            return {}
        return {one["name"]: one for one in self.lxd.get("instances", project=project, recursion=1)}

    def address(self, environment: str, seat: str, machine: str) -> str:
        entries = self.committed(environment, seat)["instances"]
        found = next(entry for entry in entries if entry["config"]["user.practicum.machine"] == machine)
        return str(found["devices"]["eth0"]["ipv4.address"])

    def addresses(self, environment: str, instance: str) -> list[str]:
        """Return a machine's addresses, one a network, as it was told them."""
        found = self.instances(environment)[instance]["config"]["user.practicum.interfaces"].splitlines()
        return [line.split()[1].split("/")[0] for line in found if line.strip().startswith("address ")]

    def gateway(self, environment: str, seat: str) -> str:
        return str(self.committed(environment, seat)["networks"][0]["config"]["ipv4.address"]).split("/")[0]

    def bridge(self, environment: str, seat: str, number: int = 0) -> str:
        return str(self.committed(environment, seat)["networks"][number]["name"])

    def acl(self, environment: str, seat: str) -> str:
        return str(self.committed(environment, seat)["acls"][0]["name"])

    def run(self, environment: str, instance: str, script: str) -> tuple[int, str]:
        """Run a shell script in a machine: exit code and what it printed, without the last line end."""
        result = self.lxd.run(instance, ["sh", "-c", script], project=self.project(environment))
        return result.exit_code, (result.stdout + result.stderr).rstrip("\n")

    def read(self, environment: str, instance: str, script: str) -> str:
        """Return what a shell script printed that must succeed."""
        code, text = self.run(environment, instance, script)
        assert code == 0, (script, code, text)
        return text

    def opens(self, environment: str, instance: str, targets: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Return to which addresses and ports a machine can connect; all are tried at once."""
        listed = list(targets)
        # Once connected to a silent service busybox's nc stays: one that is ended by force was connected.
        attempt = (
            "try() { timeout 4 nc -w 2 $1 $2 </dev/null >/dev/null 2>&1; case $? in 0|124|143) echo $1 $2; esac; }"
        )
        tries = "".join(f"try {host} {port} &\n" for host, port in listed)
        found = [line.split() for line in self.read(environment, instance, f"{attempt}\n{tries}wait").splitlines()]
        return {(host, int(port)) for host, port in found}

    def set_state(self, environment: str, instance: str, action: str) -> None:
        body = {"action": action, "force": True, "timeout": 30}
        self.lxd.put("instances", instance, "state", project=self.project(environment), body=body)

    def wipe(self, environment: str) -> None:
        """Remove an environment's objects behind Practicum's back."""
        sweep(self.lxd, f"{self.installation}/{environment}/")

    def documents(self) -> dict[str, Document]:
        """Return every object of this installation as LXD's API tells it."""
        return documents(self.lxd, self.installation + "/")


def new_classroom(
    lxd: Lxd, repository: Repository, addresses: Mapping[str, str], storage: str, spec: Mapping[str, Any]
) -> Classroom:
    """Settle where the installation may work, and write its lab."""
    changes = {}
    for environment, block in addresses.items():
        path = f"environments/{environment}/platform.yaml"
        platform = yaml.safe_load(repository.sources("HEAD").read(path))
        platform |= {"addresses": block, "storage": {"local": storage}}
        changes[path] = yaml.safe_dump(platform).encode()
    repository.commit(changes, "Settle where the tests may work")
    repository.publish()
    classroom = Classroom(lxd, repository, platform["installation"], storage)
    classroom.write_spec(spec)
    return classroom


def documents(lxd: Lxd, marker: str) -> dict[str, Document]:
    """Return all objects whose marker, or whose project's marker, begins so, by kind, project and name."""
    found: dict[str, Document] = {}
    for kind, path in (("acl", "network-acls"), ("network", "networks")):
        for thing in lxd.get(path, recursion=1):
            if _marker(thing).startswith(marker):
                found[f"{kind} {thing['name']}"] = thing
    for image in lxd.get("images", recursion=1):
        if image["properties"].get("user.practicum", "").startswith(marker):
            found[f"image {image['fingerprint']}"] = image
    for project in lxd.get("projects", recursion=1):
        if _marker(project).startswith(marker):
            found[f"project {project['name']}"] = project
            found |= _of_project(lxd, project["name"])
    # How long a run took differs from run to run.
    return {key: {**thing, **_users(key, thing), **_timeless(thing)} for key, thing in found.items()}


def _users(key: str, thing: Document) -> Document:
    """Return who uses a thing, sorted: LXD tells them in any order.

    Nobody for an ACL: LXD's list of ACLs says so of all of them while anybody's network is going (it passes over the
    error). Which ACLs a network has is in that network's own config.
    """
    return {"used_by": [] if key.startswith("acl ") else sorted(thing.get("used_by") or [])}


def _timeless(thing: Document) -> Document:
    """Return the config of a document without the pace of the last run; nothing where there is no config."""
    config = thing.get("config")
    return {} if config is None else {"config": {key: text for key, text in config.items() if key not in PACE}}


def sweep(lxd: Lxd, marker: str) -> None:
    """Delete all objects whose marker begins so; not by Practicum's own means, which are under test."""
    found = documents(lxd, marker)
    with ThreadPoolExecutor(4) as pool:
        for kind in ("instance", "volume", "profile", "image", "network", "acl", "project"):
            keys = [key.split()[1:] for key in found if key.split()[0] == kind]
            list(pool.map(lambda key, kind=kind: _DELETERS[kind](lxd, *key), keys))


def inventory(lxd: Lxd, ours: str = "") -> set[str]:
    """Return the name of everything on LXD, marked or not, except what carries the marker of somebody else."""

    def is_foreign(thing: Document) -> bool:
        marker = _marker(thing) or str(thing.get("properties", {}).get("user.practicum", ""))
        return bool(marker) and not marker.startswith(ours or "?")

    found = {f"pool {pool['name']}" for pool in lxd.get("storage-pools", recursion=1) if not is_foreign(pool)}
    images = lxd.get("images", recursion=1)
    foreign_images = {image["fingerprint"] for image in images if is_foreign(image)}
    found |= {f"image {image['fingerprint']}" for image in images if not is_foreign(image)}
    for kind, path in (("acl", "network-acls"), ("network", "networks")):
        found |= {f"{kind} {thing['name']}" for thing in lxd.get(path, recursion=1) if not is_foreign(thing)}
    for project in [project for project in lxd.get("projects", recursion=1) if not is_foreign(project)]:
        inside = _of_project(lxd, project["name"], all_volumes=True)
        kept = {key for key, thing in inside.items() if not is_foreign(thing) and thing["name"] not in foreign_images}
        found |= {f"project {project['name']}", *kept}
    return found


def normalised(found: Mapping[str, Document]) -> dict[str, Document]:
    """Return documents without what differs between two runs that did the same: times and made-up identities."""
    return {key: json.loads(json.dumps(_plain(thing))) for key, thing in found.items()}


def _plain(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in sorted(thing.items()) if not _is_volatile(key)}
    if isinstance(thing, list):
        return sorted((_plain(value) for value in thing), key=str)
    return thing


def _is_volatile(key: str) -> bool:
    return key.startswith("volatile.") or key in ("created_at", "last_used_at")


def _marker(thing: Mapping[str, Any]) -> str:
    return str(thing.get("config", {}).get("user.practicum", ""))


def _of_project(lxd: Lxd, project: str, *, all_volumes: bool = False) -> dict[str, Document]:
    found = {f"instance {project} {one['name']}": one for one in lxd.get("instances", project=project, recursion=1)}
    found |= {f"profile {project} {one['name']}": one for one in lxd.get("profiles", project=project, recursion=1)}
    for pool in (one["name"] for one in lxd.get("storage-pools", recursion=1)):
        for volume in lxd.get("storage-pools", pool, "volumes", project=project, recursion=1):
            if volume["type"] == "custom":
                found[f"volume {project} {pool} {volume['name']}"] = volume
            elif all_volumes:
                found[f"volume {project} {pool} {volume['type']} {volume['name']}"] = volume
    return found


def _delete_instance(lxd: Lxd, project: str, name: str) -> None:
    found = lxd.find("instances", name, project=project)
    if found is not None and found["status"] != "Stopped":
        body = {"action": "stop", "force": True, "timeout": 30}
        lxd.put("instances", name, "state", project=project, body=body)
    lxd.delete("instances", name, project=project)


def _delete_volume(lxd: Lxd, project: str, pool: str, name: str) -> None:
    lxd.delete("storage-pools", pool, "volumes", "custom", name, project=project)


def _delete_profile(lxd: Lxd, project: str, name: str) -> None:
    if name == "default":
        lxd.put("profiles", name, project=project, body={"config": {}, "devices": {}})
    else:
        lxd.delete("profiles", name, project=project)


_DELETERS: dict[str, Callable[..., None]] = {
    "instance": _delete_instance,
    "volume": _delete_volume,
    "profile": _delete_profile,
    "image": lambda lxd, name: lxd.delete("images", name),
    "network": lambda lxd, name: lxd.delete("networks", name),
    "acl": lambda lxd, name: lxd.delete("network-acls", name),
    "project": lambda lxd, name: lxd.delete("projects", name),
}
