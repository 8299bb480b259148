"""Golden machines: one stopped machine a checkpoint image, from whose snapshot all students' machines are cloned.

A clone of a snapshot costs a quarter of a launch from an image: ids are shifted once, here. Golden machines have a
project of their own, because bulk state changes of LXD touch every machine of a project.
"""

import threading
from typing import Any

from generator.seats.names import PILOT
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Document, Instance
from practicum.lxd.observe import GOLDEN_SNAPSHOT
from practicum.lxd.power import delete, start, stop
from practicum.lxd.projects import ensure_project
from practicum.lxd.systems import Listing, listing

# An init that only waits to be killed: LXD shifts the ids, the machine's own services never run and leave no identity
# behind. LXD 5.0.2 takes five seconds to notice an init that ends at once.
WAIT_ONLY = "lxc.init.cmd = /bin/sleep {seconds}"
WAIT_SECONDS = 600


def waiting(kind: str, seconds: int = WAIT_SECONDS) -> dict[str, str]:
    """Return the config with which a machine of a kind only waits; a virtual machine can only boot."""
    return {"raw.lxc": WAIT_ONLY.format(seconds=seconds)} if kind == "container" else {}


def golden_marker(desired: Desired) -> str:
    """Return the marker of what stands in a lab's golden project."""
    return desired.marker.removesuffix("-") + "golden"


class GoldenMachines:
    """Makes golden machines when they are first needed; safe to use from several threads."""

    def __init__(self, lxd: Lxd, desired: Desired) -> None:
        self._lxd = lxd
        self._desired = desired
        self._project = desired.golden_project
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def make(self, instance: Instance) -> None:
        """Make the golden machine that clones of this instance's checkpoint come from, ahead of need."""
        if _is_cloned(instance):
            self._ensure(instance)

    def source(self, instance: Instance) -> dict[str, Any]:
        """Return the `source` of an instance's creation."""
        if not _is_cloned(instance):
            return {"type": "image", "fingerprint": instance.fingerprint}
        name = self._ensure(instance)
        return {"type": "copy", "source": f"{name}/{GOLDEN_SNAPSHOT}", "project": self._project}

    def listing(self, instance: Instance) -> Listing:
        """Return what a machine that was made from the instance's checkpoint has on its system disk.

        Raises LxdError when the checkpoint's image is gone.
        """
        name = self._ensure(instance)
        with self._lock(name):
            stop(self._lxd, self._project, name, force=True)
            self._lxd.patch("instances", name, body={"config": waiting(instance.kind)}, project=self._project)
            start(self._lxd, self._project, name)
            try:
                return listing(self._lxd, self._project, name)
            finally:
                stop(self._lxd, self._project, name, force=True)

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
        config = {**self._desired.project["config"], "user.practicum": self._marker}
        description = self._desired.project["description"] + ": golden machines"
        ensure_project(self._lxd, {"name": self._project, "description": description, "config": config})

    @property
    def _marker(self) -> str:
        return golden_marker(self._desired)

    def _make(self, name: str, instance: Instance) -> None:
        delete(self._lxd, self._project, name)
        profile = next(entry for entry in self._desired.profiles if entry["name"] == instance.machine)
        marker = {"user.practicum": self._marker}
        own = {"name": name, "devices": profile["devices"], "config": {**marker, **_of_virtual_machines(profile)}}
        self._lxd.delete("profiles", name, project=self._project)
        self._lxd.post("profiles", body=own, project=self._project)
        config = {**marker, **waiting(instance.kind)}
        source = {"type": "image", "fingerprint": instance.fingerprint}
        body = {"name": name, "type": instance.kind, "profiles": [name], "config": config, "source": source}
        self._lxd.post("instances", body=body, project=self._project)
        if instance.kind == "container":  # the disk of a virtual machine has no ids to shift
            self._shift(name)
            self._lxd.patch("instances", name, body={"config": {"raw.lxc": ""}}, project=self._project)
        self._lxd.post("instances", name, "snapshots", body={"name": GOLDEN_SNAPSHOT}, project=self._project)

    def _shift(self, name: str) -> None:
        self._lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=self._project)
        stop(self._lxd, self._project, name, force=True)


def _is_cloned(instance: Instance) -> bool:
    """Say whether a machine is one of many: the pilot and the professor's own are made from the image."""
    return instance.from_checkpoint and instance.seat != PILOT


def _of_virtual_machines(profile: Document) -> dict[str, str]:
    """Return what a virtual machine must be told before it boots."""
    return {key: value for key, value in profile["config"].items() if key == "security.secureboot"}
