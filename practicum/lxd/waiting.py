"""A copy of a system's snapshot that only waits: without network and volumes, with none of its services running.

It stands beside the golden machines, so that what a killed run leaves is found where theirs is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.golden import golden_marker, waiting
from practicum.lxd.plan import CARRIED, READY
from practicum.lxd.power import delete, start

# What no copy may claim to be.
FORGOTTEN = dict.fromkeys((READY, CARRIED), "")


@contextmanager
def waiting_copy(lxd: Lxd, desired: Desired, instance: Instance, snapshot: str) -> Iterator[str]:
    """Give the name of such a copy in the golden project, which is there already; it goes at the end."""
    project, name = desired.golden_project, f"collect-{instance.name}"
    delete(lxd, project, name)
    profile = next(entry for entry in desired.profiles if entry["name"] == instance.machine)
    nothing = {device: {"type": "none"} for device in instance.devices}
    body = {
        "name": name,
        "profiles": [],
        "config": {**FORGOTTEN, "user.practicum": golden_marker(desired), **waiting(instance.kind)},
        "devices": {**nothing, "root": dict(profile["devices"]["root"])},
        "source": {"type": "copy", "source": f"{instance.name}/{snapshot}", "project": desired.project_name},
    }
    lxd.post("instances", body=body, project=project)
    try:
        start(lxd, project, name)
        yield name
    finally:
        delete(lxd, project, name)
