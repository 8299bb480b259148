"""What was changed by hand on the system disks that a delivery would replace, told before anything happens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.delivered import delivered_paths, mounts, overwritten, recorded
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.observe import Observed
from practicum.lxd.plan import BASE_IMAGE
from practicum.lxd.systems import Listing, changed, listing
from practicum.parallel import in_parallel

SHOWN = 5


@dataclass(frozen=True)
class Drift:
    """One machine's paths that somebody changed and a delivery would overwrite; or why they are not known.

    `system`: the machine gets a new system. Else only new files are delivered, and a changed one is left by itself.
    """

    seat: str
    instance: str
    paths: tuple[str, ...]
    unknown: str = ""
    system: bool = True

    @property
    def words(self) -> str:
        """Return it for people, in one line."""
        if self.unknown:
            return f"{self.instance}: {self.unknown}"
        more = f" and {len(self.paths) - SHOWN} more" if len(self.paths) > SHOWN else ""
        return f"{self.instance}: {', '.join(self.paths[:SHOWN])}{more}"


def find_drift(lxd: Lxd, desired: Desired, observed: Observed, instances: Iterable[Instance]) -> list[Drift]:
    """Return, for each machine that differs from the checkpoint it was made from, what differs."""
    golden = GoldenMachines(lxd, desired)
    bases: dict[tuple[str, str], Listing | str] = {}
    listed = list(instances)
    for instance in listed:
        made_of = observed.instances[instance.name]["config"].get(BASE_IMAGE, "")
        if (instance.machine, made_of) not in bases:
            bases[instance.machine, made_of] = base_of(lxd, golden, instance, made_of)

    def compare(instance: Instance) -> Drift:
        found = observed.instances[instance.name]
        base = bases[instance.machine, found["config"].get(BASE_IMAGE, "")]
        return _compare(lxd, desired.project_name, instance, found, base)

    return [drift for drift in in_parallel(compare, listed) if drift.paths or drift.unknown]


def find_touched(lxd: Lxd, desired: Desired, observed: Observed, instances: Iterable[Instance]) -> list[Drift]:
    """Return, for each machine that only gets new files, which of them somebody changed."""

    def look(instance: Instance) -> Drift:
        config = observed.instances[instance.name]["config"]
        paths = overwritten(lxd, desired.project_name, instance, config, system=False)
        return Drift(instance.seat, instance.name, tuple(paths), system=False)

    return [drift for drift in in_parallel(look, instances) if drift.paths]


def base_of(lxd: Lxd, golden: GoldenMachines, instance: Instance, fingerprint: str) -> Listing | str:
    """Return what the checkpoint had, or in words why that is not known."""
    try:
        return golden.listing(replace(instance, fingerprint=fingerprint))
    except PracticumError as error:
        gone = not fingerprint or lxd.find("images", fingerprint) is None
        why = "is gone" if gone else f"cannot be read ({error.message} {' '.join(error.details.split())})"
        return f"its checkpoint {fingerprint[:12]} {why}, so its changes are not known"


def given(instance: Instance) -> list[str]:
    """Return the paths of a machine that are nobody's work on its system: rendered per-seat files, and volumes."""
    own = [step["to"] for step in instance.steps if step["kind"] == "file"]
    return own + [device["path"] for device in instance.devices.values() if device["type"] == "disk"]


def _compare(lxd: Lxd, project: str, instance: Instance, found: Mapping[str, Any], base: Listing | str) -> Drift:
    if isinstance(base, str):
        return Drift(instance.seat, instance.name, (), base)
    if found["status"] != "Running":
        return Drift(instance.seat, instance.name, (), f"it is {found['status'].lower()}, so its changes are not known")
    try:
        now = listing(lxd, project, instance.name)
    except PracticumError as error:
        return Drift(instance.seat, instance.name, (), f"its changes are not known: {error.details}")
    # Files of the seat's own are not the checkpoint's; their records tell whether they are as they were delivered.
    own = delivered_paths(recorded(found["config"]))
    paths = changed(base, now, (*instance.keep, *own, *mounts(instance)))
    own = overwritten(lxd, project, instance, found["config"], system=True)
    return Drift(instance.seat, instance.name, tuple(sorted({*paths, *own})))
