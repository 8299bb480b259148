"""Names and markers of everything that is created on LXD, within LXD's own rules.

A bridge name has at most 15 characters (Linux), an instance name is a DNS label of at most 63, a project name
has no space, slash or underscore. Bridges and ACLs live in LXD's default project whatever the lab, so their names
start with a hash of installation, environment, course and lab.
"""

import hashlib
from base64 import b32encode
from dataclasses import dataclass

PROFESSOR = "prof"
PILOT = "pilot"
# The nodes of a lab's own Kubernetes cluster.
CLUSTER = "cluster"
SHARED = "-"
PROBE = "probe"
# A bridge name has room for five characters of a seat's name: s9999 is the last one.
MOST_STUDENTS = 9999
# What copies of volumes and snapshots of machines begin with that belong to a seat's snapshots; no seat does.
SNAPSHOT = "snap-"
SHORT = {CLUSTER: "clust"}
HASH_LENGTH = 7
PROJECT_LENGTH = 48


@dataclass(frozen=True)
class Scope:
    """One lab in one environment of one installation: what names and markers are made from.

    `environment` is `-` for what belongs to all environments: checkpoints.
    """

    installation: str
    environment: str
    course: str
    lab: str

    @property
    def hash(self) -> str:
        """Seven base-32 characters that no other lab on the same LXD shares in practice (35 bits)."""
        digest = hashlib.sha256(self.marker(SHARED).encode()).digest()
        return b32encode(digest).decode().lower()[:HASH_LENGTH]

    @property
    def prefix(self) -> str:
        """What the names of the lab's bridges and ACLs begin with."""
        return f"p{self.hash}-"

    @property
    def project(self) -> str:
        """The LXD project that holds the seats."""
        return _fit(f"p{self.hash}-{self.environment.strip('-') or 'checkpoints'}-{self.course}-{self.lab}")

    def namespace(self, seat: str) -> str:
        """Return the Kubernetes namespace of a seat: a DNS label of at most 63 characters, of this lab alone."""
        return f"{self.project}-{seat}"

    @property
    def golden_project(self) -> str:
        """The LXD project that holds the stopped machines that students' machines are cloned from."""
        return _fit(f"p{self.hash}-golden-{self.course}-{self.lab}")

    @property
    def backup_project(self) -> str:
        """The LXD project that holds the backups in another pool."""
        return _fit(f"p{self.hash}-backup-{self.course}-{self.lab}")

    @property
    def checkpoints(self) -> "Scope":
        """The scope of the lab's checkpoints, which belong to no environment."""
        return Scope(self.installation, "-", self.course, self.lab)

    def marker(self, seat: str = SHARED) -> str:
        """Return the value of `user.practicum`: INSTALLATION/ENV/COURSE/LAB/SEAT."""
        return f"{self.installation}/{self.environment}/{self.course}/{self.lab}/{seat}"

    def bridge(self, seat: str, index: int) -> str:
        """Return the name of a seat's bridge; `index` counts the seat's networks from 0."""
        return f"{self.prefix}{SHORT.get(seat, seat)}{'abcd'[index]}"

    def acl(self, name: str) -> str:
        """Return the name of an ACL: of one seat, or `students` for what all students share."""
        return f"{self.prefix}{name}"


def image_marker(installation: str) -> str:
    """Return the marker of images that are built from recipes and belong to no lab."""
    return f"{installation}/-/-/-/-"


def student_id(number: int) -> str:
    """Return the seat id of the student with that number, counted from 1."""
    return f"s{number:03d}"


def student_number(seat: str) -> int:
    """Return the number in a student's seat id."""
    return int(seat[1:])


def is_student(seat: str) -> bool:
    """Say whether a seat id is a student's."""
    return seat[:1] == "s" and seat[1:].isdigit()


def instance(seat: str, machine: str) -> str:
    """Return an instance name, unique within the lab's project."""
    return f"{seat}-{machine}"


def upcoming(name: str) -> str:
    """Return the name of the machine that is being prepared to take an instance's place; no seat begins like it."""
    return f"next-{name}"


def previous(name: str) -> str:
    """Return the name of the system that an instance had before its last replacement."""
    return f"prev-{name}"


def snapped(moment: str, name: str) -> str:
    """Return what a volume's copy of a moment is called; without a name, how those of a moment begin."""
    return f"{SNAPSHOT}{moment}-{name}"


def _fit(name: str) -> str:
    return name[:PROJECT_LENGTH].rstrip("-")
