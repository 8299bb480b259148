"""A copy of a system, or of its snapshot, that only waits: without network and volumes; none of its services runs.

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
    """Give the name of such a copy in the golden project, which is there already; it goes at the end.

    Without a `snapshot` it is one of the system as it is, which must be stopped.
    """
    project, name = desired.golden_project, f"collect-{instance.name}"
    delete(lxd, project, name)
    profile = next(entry for entry in desired.profiles if entry["name"] == instance.machine)
    nothing = {device: {"type": "none"} for device in instance.devices}
    source = f"{instance.name}/{snapshot}" if snapshot else instance.name
    body = {
        "name": name,
        "profiles": [],
        "config": {**FORGOTTEN, "user.practicum": golden_marker(desired), **waiting(instance.kind)},
        "devices": {**nothing, "root": dict(profile["devices"]["root"])},
        "source": {"type": "copy", "source": source, "instance_only": True, "project": desired.project_name},
    }
    lxd.post("instances", body=body, project=project)
    try:
        start(lxd, project, name)
        yield name
    finally:
        delete(lxd, project, name)
