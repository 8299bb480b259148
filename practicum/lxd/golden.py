"""Golden machines: one stopped machine a checkpoint image, from whose snapshot all students' machines are cloned.

A clone of a snapshot costs a quarter of a launch from an image: ids are shifted once, here. Golden machines have a
project of their own, because bulk state changes of LXD touch every machine of a project.
"""

import threading
from typing import Any

from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.observe import GOLDEN_SNAPSHOT
from practicum.lxd.power import delete, stop
from practicum.lxd.projects import create_project

# An init that only waits to be killed: LXD shifts the ids, the machine's own services never run and leave no identity
# behind. LXD 5.0.2 takes five seconds to notice an init that ends at once.
WAIT_ONLY = "lxc.init.cmd = /bin/sleep 600"


class GoldenMachines:
    """Makes golden machines when they are first needed; safe to use from several threads."""

    def __init__(self, lxd: Lxd, desired: Desired) -> None:
        self._lxd = lxd
        self._desired = desired
        self._project = desired.golden_project
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def source(self, instance: Instance) -> dict[str, Any]:
        """Return the `source` of an instance's creation."""
        if not instance.from_checkpoint or instance.seat == "pilot" or instance.kind != "container":
            return {"type": "image", "fingerprint": instance.fingerprint}
        name = self._ensure(instance)
        return {"type": "copy", "source": f"{name}/{GOLDEN_SNAPSHOT}", "project": self._project}

    def _ensure(self, instance: Instance) -> str:
        name = f"{instance.machine}-{instance.fingerprint[:12]}"
        with self._lock(name):
            if self._lxd.find("instances", name, "snapshots", GOLDEN_SNAPSHOT, project=self._project) is None:
                self._make(name, instance)
        return name

    def _lock(self, name: str) -> threading.Lock:
        with self._guard:
            if not self._locks:
                self._make_project()
            return self._locks.setdefault(name, threading.Lock())

    def _make_project(self) -> None:
        if self._lxd.find("projects", self._project) is None:
            config = {**self._desired.project["config"], "user.practicum": self._marker}
            description = self._desired.project["description"] + ": golden machines"
            create_project(self._lxd, {"name": self._project, "description": description, "config": config})

    @property
    def _marker(self) -> str:
        return self._desired.marker.removesuffix("-") + "golden"

    def _make(self, name: str, instance: Instance) -> None:
        delete(self._lxd, self._project, name)
        profile = next(entry for entry in self._desired.profiles if entry["name"] == instance.machine)
        own = {"name": name, "devices": profile["devices"], "config": {"user.practicum": self._marker}}
        self._lxd.delete("profiles", name, project=self._project)
        self._lxd.post("profiles", body=own, project=self._project)
        config = {"user.practicum": self._marker, "raw.lxc": WAIT_ONLY}
        source = {"type": "image", "fingerprint": instance.fingerprint}
        body = {"name": name, "profiles": [name], "config": config, "source": source}
        self._lxd.post("instances", body=body, project=self._project)
        self._shift(name)
        self._lxd.patch("instances", name, body={"config": {"raw.lxc": ""}}, project=self._project)
        self._lxd.post("instances", name, "snapshots", body={"name": GOLDEN_SNAPSHOT}, project=self._project)

    def _shift(self, name: str) -> None:
        self._lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=self._project)
        stop(self._lxd, self._project, name, force=True)
