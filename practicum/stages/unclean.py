"""What of the professor's seat a checkpoint would leave out or carry along unseen, told before one is taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from practicum.errors import PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance, volume_of
from practicum.lxd.observe import Observed
from practicum.lxd.plan import unknown_machines
from practicum.parallel import in_parallel
from practicum.stages.workspace import Workspace

STAGE = "checkpoint"
# Without systemd there are no units that could have failed.
FAILED_UNITS = """
command -v systemctl >/dev/null || exit 0
systemctl list-units --failed --plain --no-legend --no-pager | cut -d' ' -f1
"""
ANSWER_SECONDS = 60
Document = Mapping[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """Something that students would not get: `name` is a machine's, `device` one that was attached by hand or empty."""

    name: str
    device: str
    words: str


def left_out(desired: Desired, observed: Observed) -> list[LeftOut]:
    """Return the machines and disks of dev that no definition knows, so that no checkpoint would have them."""
    machines = [
        LeftOut(name, "", f"machine {name} is in no definition") for name in unknown_machines(desired, observed)
    ]
    instances = [one for seat in desired.seats for one in seat.instances if one.name in observed.instances]
    return [*machines, *(found for one in instances for found in _disks(desired, one, observed.instances[one.name]))]


def _disks(desired: Desired, instance: Instance, found: Document) -> Iterator[LeftOut]:
    profiles = [one["devices"] for one in desired.profiles if one["name"] in instance.profiles]
    known = {*instance.devices, *(name for devices in profiles for name in devices)}
    for name, device in sorted(found.get("expanded_devices", found["devices"]).items()):
        if device.get("type") == "disk" and name not in known:
            shows = f"the volume {volume_of(device)}" if device.get("pool") else f"{device.get('source')} of the host"
            where = f"at {device.get('path', '(no path)')}"
            yield LeftOut(instance.name, name, f"{instance.name}: {shows}, attached by hand {where}: its data")


def refuse_left_out(lab: str, found: Sequence[LeftOut]) -> None:
    """Raise UnavailableError when students would not get something that the professor has."""
    if found:
        raise UnavailableError(
            f"a checkpoint of {lab} would leave out what you have on LXD; nothing was done",
            details="\n".join(one.words for one in found),
            resolution=f"name it in the spec, or remove it; or go on without it: practicum checkpoint {lab} --yes",
        )


def without(observed: Observed, found: Sequence[LeftOut]) -> Observed:
    """Return what is there without what is left out."""
    hidden = {(one.name, one.device) for one in found}
    instances = {
        name: {**one, "devices": {key: device for key, device in one["devices"].items() if (name, key) not in hidden}}
        for name, one in observed.instances.items()
        if (name, "") not in hidden
    }
    return replace(observed, instances=instances)


def warn_failed_units(workspace: Workspace, lxd: Lxd, desired: Desired) -> None:
    """Tell which units of systemd have failed in the professor's machines: students get them as they are."""

    def failed(instance: Instance) -> str:
        try:
            command = ["sh", "-c", FAILED_UNITS]
            units = lxd.run(instance.name, command, project=desired.project_name, timeout=ANSWER_SECONDS).stdout.split()
        except PracticumError as error:
            return f"its units are not known: {error.message}"
        return f"failed units, which students get too: {', '.join(units)}" if units else ""

    instances = [one for seat in desired.seats for one in seat.instances]
    for instance, words in zip(instances, in_parallel(failed, instances), strict=True):
        if words:
            workspace.emit(Event(STAGE, "warning", words, instance.seat, instance.machine))
