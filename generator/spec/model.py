"""The lab as the rest of the generator sees it: frozen, complete, with every default resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from generator.catalogue.model import MachineType

CheckKind = Literal["http", "tcp", "exec", "kubernetes"]
When = Literal["smoke", "progress", "both"]


@dataclass(frozen=True)
class FileEntry:
    """One file that a machine gets. `source` is a repository path, or `data:NAME` for the operator's data folder."""

    source: str
    target: str
    mode: int
    sha256: str | None = None

    @property
    def rendered(self) -> bool:
        """True when the source is a template that is rendered for each seat."""
        return self.source.endswith(".j2")


@dataclass(frozen=True)
class Machine:
    """A container or VM of a seat. `memory` and `disk` are bytes; `run` and `setup` are repository paths."""

    name: str
    type: MachineType
    kind: Literal["container", "vm"]
    connect: tuple[str, ...]
    cpu: int
    memory: int
    disk: int
    packages: tuple[str, ...] = ()
    files: tuple[FileEntry, ...] = ()
    run: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    forward: bool = False


@dataclass(frozen=True)
class Volume:
    """Student data that survives delivery and reset. `size` is bytes; `storage` a name from the platform file."""

    name: str
    size: int
    mount: str
    machines: tuple[str, ...]
    storage: str = "local"
    seed: Literal["checkpoint", "empty"] = "checkpoint"


@dataclass(frozen=True)
class Check:
    """One probe: of the smoke test, of a student's progress, or of both. `wait` is seconds.

    `origin` is the machine a check starts from; None means the lab's probe container.
    `settings` holds what is particular to the kind: port, path, status, run, deployment, available.
    """

    name: str
    kind: CheckKind
    machine: str | None
    origin: str | None
    settings: Mapping[str, Any]
    when: When = "smoke"
    wait: float = 30.0
    points: int = 0
    hint: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class AllowedHost:
    """One entry of an internet allow-list. Exactly one of `host` and `cidr` is set; no ports means all."""

    host: str | None
    cidr: str | None
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """When a lab must be ready, is due, and ends."""

    ready_by: datetime | None = None
    due: datetime | None = None
    ends: datetime | None = None


EXISTING = "existing:"


@dataclass(frozen=True)
class Kubernetes:
    """The Kubernetes part of a lab, as the spec gives it (`cluster` is `lab`, `seat` or `existing:NAME`)."""

    cluster: str
    base: str | None
    nodes: Mapping[str, Any]
    quota: Mapping[str, Any]

    @property
    def existing(self) -> str | None:
        """The name of the existing cluster, None when the lab has one of its own."""
        return self.cluster.removeprefix(EXISTING) if self.cluster.startswith(EXISTING) else None


@dataclass(frozen=True)
class Student:
    """One row of a roster, or a numbered seat without an owner when the spec gives a number."""

    login: str | None
    name: str = ""
    email: str = ""
    group: str = ""


@dataclass(frozen=True)
class Lab:
    """One lab. `students` are the roster's rows in order; `networks[0]` has the gateway."""

    course: str
    name: str
    title: str
    path: str
    students: tuple[Student, ...]
    machines: tuple[Machine, ...]
    networks: tuple[str, ...] = ("lan",)
    internet: Literal["none", "full"] | tuple[AllowedHost, ...] = "none"
    volumes: tuple[Volume, ...] = ()
    checks: tuple[Check, ...] = ()
    description: str = ""
    professor: str | None = None
    assistants: tuple[str, ...] = ()
    kubernetes: Kubernetes | None = None
    solution: Mapping[str, str] | None = None
    checkpoint: Literal["manual", "auto"] = "manual"
    update: Literal["keep", "rebuild", "manual"] = "keep"
    schedule: Schedule = Schedule()
    # Until when who may hand in, by case-folded login; where seats have no logins, by seat.
    extensions: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`COURSE/LAB`, the name people type."""
        return f"{self.course}/{self.name}"

    @property
    def own_cluster(self) -> Kubernetes | None:
        """The Kubernetes part of a lab that has a cluster of its own, for all its seats; None for any other lab."""
        return self.kubernetes if self.kubernetes and self.kubernetes.cluster == "lab" else None
