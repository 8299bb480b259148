"""LXD's API as far as leases and steps need it, in memory; what it does not know it refuses.

It keeps LXD's habits that matter: an ETag that changes with every change, PATCH of a project that drops the keys it
is not sent, and recorded commands with exit code and output.
"""

import hashlib
import json
from dataclasses import dataclass, field
from io import BytesIO

from practicum.lxd.client import CommandResult
from practicum.lxd.errors import LxdConflict, LxdNotFound


@dataclass
class Answer:
    """Bytes that are read as they come."""

    raw: BytesIO
    headers: dict[str, str]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


ITEMS = ("projects", "instances")


@dataclass
class FakeLxd:
    """Objects by kind and name. `commands` answers a command: (instance, command) → CommandResult."""

    objects: dict[str, dict[str, dict]] = field(default_factory=lambda: {kind: {} for kind in ITEMS})
    answers: dict[str, CommandResult] = field(default_factory=dict)
    log: list[tuple] = field(default_factory=list)
    before_write: list = field(default_factory=list)
    # What a machine has at a path: bytes and mode.
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def get(self, *path, project=""):
        kind, name = path
        if name not in self.objects[kind]:
            raise LxdNotFound("LXD refused GET", status=404, details="Not Found")
        return json.loads(json.dumps(self.objects[kind][name]))

    def get_with_etag(self, *path, project=""):
        found = self.get(*path, project=project)
        return found, self._etag(found)

    def patch(self, *path, body, project="", etag=""):
        for act in [self.before_write.pop()] if self.before_write else []:
            act()
        kind, name = path
        found = self.get(*path)
        if etag and etag != self._etag(found):
            raise LxdConflict("LXD refused PATCH", status=412, details="Precondition failed")
        assert set(body) == {"config"}
        config = body["config"] if kind == "projects" else {**found["config"], **body["config"]}
        self.objects[kind][name] = {**found, "config": config}
        self.log.append(("patch", name, body["config"]))

    def upload(self, *path, data, headers, project="", **params):
        kind, name, what = path
        assert (kind, what) == ("instances", "files")
        self.log.append(("upload", name, params["path"], bytes(data), headers["X-LXD-mode"]))

    def download(self, *path, project="", stream=False, **params):
        assert (path[0], path[2], stream) == ("instances", "files", True)
        if params["path"] not in self.files:
            raise LxdNotFound("LXD refused GET", status=404, details="Not Found")
        data, mode = self.files[params["path"]]
        return Answer(BytesIO(data), {"X-LXD-mode": mode})

    def run(self, instance, command, *, project, timeout=600):
        self.log.append(("run", instance, command))
        text = " ".join(command)
        found = [answer for words, answer in self.answers.items() if words in text]
        return found[0] if found else CommandResult(0, "", "")

    @staticmethod
    def _etag(document):
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
