"""Replace the system of a seat's machine by the checkpoint's, and back: names are the whole state.

`next-M` is prepared beside M while M runs: a clone of the checkpoint with M's identity and kept paths. Then M is
stopped, let go of its network and volumes and renamed to `prev-M`, and `next-M` becomes M. Whatever a kill leaves
behind, the next run finds by these names:

- M is there: what was prepared is prepared again. Only an undo leaves a `next-M` that was complete: it is `prev-M`.
- M is missing, `next-M` was prepared to its end: `next-M` becomes M.
- M is missing otherwise: `prev-M` becomes M again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from generator.seats.names import previous, upcoming
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.delivered import mounts, record_of, recorded
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.golden import GoldenMachines, waiting
from practicum.lxd.instances import hardware_addresses, mark, put_settings
from practicum.lxd.kept import carry
from practicum.lxd.plan import AGAIN, CARRIED, READY, STEPS
from practicum.lxd.power import delete, start, stop
from practicum.lxd.systems import covered

Document = Mapping[str, Any]
UNTIL = "user.practicum.until"
# On a system that an undo put aside: it is not what another undo would bring back.
UNDONE = "user.practicum.undone"
KEPT_FOR = timedelta(days=14)
NO_MARKS = {"raw.lxc": "", UNTIL: "", UNDONE: ""}
# What an undo finds of a machine: nothing to go back to, a previous system, a swap that was cut off, one that was done.
Way = Literal["none", "open", "begun", "done"]


def prepare(lxd: Lxd, desired: Desired, golden: GoldenMachines, instance: Instance) -> None:
    """Make `next-M` beside M: no network, no volumes, an init that only waits until files were carried over."""
    project, name = desired.project_name, upcoming(instance.name)
    delete(lxd, project, name)
    body = {
        "name": name,
        "type": instance.kind,
        "profiles": list(instance.profiles),
        "config": {**instance.config, **waiting(instance.kind)},
        "devices": {},
        "source": golden.source(instance),
    }
    lxd.post("instances", body=body, project=project)
    start(lxd, project, name)


def switch(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """Put `next-M` in M's place and start it; M stays as `prev-M`, stopped and without network and volumes."""
    project = desired.project_name
    found = lxd.find("instances", instance.name, project=project)
    if found is not None:
        _carry_over(lxd, desired, instance)
        _put_aside(lxd, project, instance.name, found)
    _rename(lxd, project, upcoming(instance.name), instance.name)
    attach(lxd, desired, instance)


def _put_aside(lxd: Lxd, project: str, name: str, found: Document) -> None:
    """Make M `prev-M`. A system that was never completed is nobody's: it goes, and an older `prev-M` stays."""
    if READY not in found["config"] and lxd.find("instances", previous(name), project=project) is not None:
        delete(lxd, project, name)
        return
    mark(lxd, project, name, {UNTIL: _end(), UNDONE: ""})
    delete(lxd, project, previous(name))
    _rename(lxd, project, name, previous(name))


def _carry_over(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """Carry identity and kept paths from M to `next-M`, and halt M."""
    project, name = desired.project_name, upcoming(instance.name)
    stays = () if desired.replacement.clear else (*mounts(instance), *instance.keep)
    chosen = [path for path in desired.replacement.systems[instance.name] if not covered(path, mounts(instance))]
    paths = (*(() if desired.replacement.clear else instance.keep), *chosen)
    record = recorded(lxd.get("instances", instance.name, project=project)["config"])
    # What programs write is only whole when they have ended; an identity does not change.
    if paths:
        stop(lxd, project, instance.name)
    woken = _wake(lxd, project, instance)
    # What only waits does so for minutes; other machines of the seat may have taken longer.
    start(lxd, project, name)
    try:
        carry(lxd, project, instance.name, name, paths)
    except PracticumError:
        # The seat goes on with the system that it has.
        stop(lxd, project, instance.name, force=True)
        attach(lxd, desired, instance)
        raise
    stop(lxd, project, name, force=True)
    again = {AGAIN: "true"} if desired.replacement.again else {}
    steps = record_of(record, (*stays, *chosen))
    mark(lxd, project, name, {"raw.lxc": "", CARRIED: instance.digest, STEPS: steps, **again})
    halt(lxd, desired, instance, force=woken)


def halt(lxd: Lxd, desired: Desired, instance: Instance, *, force: bool = False) -> None:
    """Stop M and take its network and volumes from it: LXD lets no two machines have one address."""
    stop(lxd, desired.project_name, instance.name, force=force)
    put_settings(lxd, desired.project_name, instance.name, {}, {"raw.lxc": ""})


def attach(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """Give M what its definition says, and start it."""
    project = desired.project_name
    config = {**instance.config, **NO_MARKS, **hardware_addresses(project, instance)}
    put_settings(lxd, project, instance.name, instance.devices, config)
    start(lxd, project, instance.name)


def return_previous(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """Make `prev-M` M again where a kill left M missing."""
    _rename(lxd, desired.project_name, previous(instance.name), instance.name)
    put_settings(lxd, desired.project_name, instance.name, {}, NO_MARKS)


def keep_as_previous(lxd: Lxd, desired: Desired, instance: Instance) -> None:
    """End an undo that was killed: the system that it put aside becomes `prev-M`."""
    _rename(lxd, desired.project_name, upcoming(instance.name), previous(instance.name))


def remove_expired(lxd: Lxd, project: str) -> list[str]:
    """Remove previous systems whose time is over; return their names."""
    removed = []
    for found in lxd.get("instances", project=project, recursion=1):
        end = found["config"].get(UNTIL)
        if found["name"].startswith(previous("")) and end and datetime.fromisoformat(end) < datetime.now(UTC):
            delete(lxd, project, found["name"])
            removed.append(found["name"])
    return removed


def way_back(name: str, machines: Mapping[str, Document]) -> Way:
    """Return what an undo finds of a machine. `machines` are those of the project, by name."""
    now, before, aside = (machines.get(other) for other in (name, previous(name), upcoming(name)))
    if aside is not None and UNDONE in aside["config"]:
        return "begun"
    if before is None:
        return "none"
    if UNDONE not in before["config"]:
        return "open"
    return "done" if now is not None and now["status"] == "Running" else "begun"


def undo(lxd: Lxd, desired: Desired, instance: Instance, machines: Mapping[str, Document]) -> None:
    """Swap M and `prev-M`; a swap that was killed is ended. Volumes are not touched: they go with whatever is M."""
    project, name = desired.project_name, instance.name
    if way_back(name, machines) == "open":
        delete(lxd, project, upcoming(name))
        halt(lxd, desired, instance)
        mark(lxd, project, name, {CARRIED: instance.digest, UNTIL: _end(), UNDONE: "true", AGAIN: ""})
        _rename(lxd, project, name, upcoming(name))
    if lxd.find("instances", name, project=project) is None:
        _rename(lxd, project, previous(name), name)
    if lxd.find("instances", upcoming(name), project=project) is not None:
        _rename(lxd, project, upcoming(name), previous(name))
    attach(lxd, desired, instance)


def _wake(lxd: Lxd, project: str, instance: Instance) -> bool:
    """Start a stopped machine so that files can be read from it: it only waits, none of its services runs.

    Returns whether it only waits: then it is asked to stop in vain.
    """
    found = lxd.get("instances", instance.name, project=project)
    if found["status"] == "Running":
        return bool(found["config"].get("raw.lxc"))
    put_settings(lxd, project, instance.name, {}, waiting(instance.kind))
    start(lxd, project, instance.name)
    return True


def _end() -> str:
    return (datetime.now(UTC) + KEPT_FOR).isoformat(timespec="seconds")


def _rename(lxd: Lxd, project: str, name: str, to: str) -> None:
    lxd.post("instances", name, body={"name": to}, project=project)
