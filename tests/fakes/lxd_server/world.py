"""What stands on the fake LXD: plain documents in dictionaries, so that a whole state is one deepcopy."""

import hashlib
import json
from dataclasses import dataclass, field, fields

POOL = "practicum"
EPOCH = "2026-09-01T00:00:00Z"
NEVER = "0001-01-01T00:00:00Z"
IDMAP = '[{"Isuid":true,"Isgid":true,"Hostid":100000,"Nsid":0,"Maprange":10000001}]'


class Refusal(Exception):
    """LXD says no: `status` 0 is an operation that fails, else the HTTP status."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status
        self.words = words


@dataclass(frozen=True)
class Latency:
    """Seconds that LXD takes; as measured in a real one by `measured`, nothing by default."""

    network: float = 0.0
    network_delete: float = 0.0
    acl: float = 0.0
    clone: float = 0.0
    image: float = 0.0
    start: float = 0.0
    stop: float = 0.0
    delete: float = 0.0
    snapshot: float = 0.0
    publish: float = 0.0
    volume: float = 0.0
    command: float = 0.0

    @classmethod
    def measured(cls, factor=1.0):
        """Return what LXD 5.0.2 on btrfs and two cores took, times a factor."""
        seconds = cls(0.6, 0.2, 0.03, 0.25, 1.7, 0.35, 0.4, 0.15, 0.45, 1.0, 0.04, 0.03)
        return cls(**{entry.name: getattr(seconds, entry.name) * factor for entry in fields(cls)})


@dataclass
class World:
    """The state. Files are {path: (bytes, uid, gid, mode)}; a volume's `born` is another for every volume ever made."""

    projects: dict = field(default_factory=dict)
    acls: dict = field(default_factory=dict)
    networks: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)
    profiles: dict = field(default_factory=dict)
    instances: dict = field(default_factory=dict)
    volumes: dict = field(default_factory=dict)
    logs: dict = field(default_factory=dict)
    # What commands that no script of Practicum's is shall answer: text within the command → (code, out, err).
    answers: dict = field(default_factory=dict)
    # Names of machines that end right after their start, as they do when inotify instances are short.
    dying: set = field(default_factory=set)
    # Names of machines whose processor works all the time, and what each has had of it, in nanoseconds.
    busy: set = field(default_factory=set)
    usage: dict = field(default_factory=dict)
    # A pool that is full though it says that it has room, as btrfs does when its metadata is.
    fill: bool = False
    count: int = 0

    def __post_init__(self):
        if not self.projects:
            features = dict.fromkeys(("features.images", "features.profiles", "features.storage.volumes"), "true")
            self.projects["default"] = {"name": "default", "description": "", "config": features}
            self.profiles["default", "default"] = {"name": "default", "description": "", "config": {}, "devices": {}}
            eth0 = {"name": "eth0", "description": "", "type": "physical", "managed": False, "config": {}}
            self.networks["eth0"] = {**eth0, "status": "", "locations": None}

    def number(self):
        """Return another number each time, for identities."""
        self.count += 1
        return self.count

    def identity(self):
        """Return a made-up UUID, another each time."""
        text = hashlib.sha256(str(self.number()).encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"

    def add_image(self, properties, files, fingerprint=""):
        """Add an image of the default project; return its fingerprint."""
        made = fingerprint or hashlib.sha256(json.dumps([properties, self.number()]).encode()).hexdigest()
        if made in self.images:
            raise Refusal(409, "Image with same fingerprint already exists")
        self.images[made] = {"fingerprint": made, "properties": dict(properties), "files": dict(files)}
        return made

    def project(self, name):
        if name not in self.projects:
            raise Refusal(404, "Project not found")
        return self.projects[name]

    def instance(self, project, name):
        if (project, name) not in self.instances:
            raise Refusal(404, "Instance not found")
        return self.instances[project, name]

    def of(self, kind, project):
        """Return the things of a kind in a project."""
        return [thing for key, thing in getattr(self, kind).items() if key[0] == project]


def etag(document):
    """Return an ETag that changes with every change of the document."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def merged(config, changes):
    """Return a config with changes; LXD drops keys that are set to nothing."""
    return {key: value for key, value in {**config, **changes}.items() if value != ""}
