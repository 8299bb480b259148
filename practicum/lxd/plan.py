"""The pure part of reconciliation: what is wanted and what is there in, actions out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.seats.names import PROFESSOR
from practicum.lxd.desired import Desired, Instance, Seat, Volume
from practicum.lxd.observe import SEEDED, Observed

Verb = Literal["create", "update", "start", "stop", "delete", "seed", "attach", "complete"]
Kind = Literal["project", "acl", "profile", "network", "volume", "instance"]
READY = "user.practicum.ready"
STEPS = "user.practicum.steps"
# What LXD, images and Practicum's own records write; every other key is for the definitions to set.
RECORDS = ("volatile.", "image.", "user.")


@dataclass(frozen=True)
class Action:
    """One thing to do. `subject` is the desired object, `why` is for people."""

    verb: Verb
    kind: Kind
    name: str
    seat: str
    subject: Any = None
    machine: str = ""
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """What to do: `shared` first and in order, then each seat's actions in order, seats side by side.

    `extra` are machines that the definitions do not know; `outdated` run an older release.
    """

    shared: tuple[Action, ...]
    seats: Mapping[str, tuple[Action, ...]]
    extra: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions."""
        return (*self.shared, *(action for actions in self.seats.values() for action in actions))


@dataclass(frozen=True)
class _Planner:
    desired: Desired
    observed: Observed
    outdated: list[str] = field(default_factory=list)

    def shared(self) -> Iterator[Action]:
        project = self.desired.project
        if self.observed.project is None:
            yield Action("create", "project", project["name"], "-", project)
        elif not _covers(project["config"], self.observed.project["config"]):
            yield Action("update", "project", project["name"], "-", project)
        for acl in self.desired.acls:
            yield from self._acl(acl, "-")
        for profile in self.desired.profiles:
            yield from self._profile(profile)

    def seat(self, seat: Seat) -> Iterator[Action]:
        if not seat.running:
            yield from self._stopped(seat)
            return
        for acl in seat.acls:
            yield from self._acl(acl, seat.name)
        for network in seat.networks:
            yield from self._network(network, seat.name)
        for volume in seat.volumes:
            yield from self._volume(volume, seat.name)
        unseeded = {volume.name: volume for volume in seat.volumes if self._unseeded(volume)}
        for instance in (*seat.instances, *((self.desired.probe,) if seat.name == "prof" else ())):
            yield from self._instance(instance, unseeded)

    def extra(self) -> tuple[str, ...]:
        unknown = set(self.observed.instances) - self.desired.known - {self.desired.probe.name}
        return tuple(sorted(name for name in unknown if self._is_chosen(self.observed.instances[name])))

    def _is_chosen(self, found: Mapping[str, Any]) -> bool:
        """Say whether a machine that nothing defines is ours, and of a seat that this run is about."""
        scope, _, seat = found["config"].get("user.practicum", "").rpartition("/")
        ours = scope == self.desired.marker.rpartition("/")[0]
        return ours and (self.desired.whole or seat in {chosen.name for chosen in self.desired.seats})

    def _acl(self, acl: Mapping[str, Any], seat: str) -> Iterator[Action]:
        found = self.observed.acls.get(acl["name"])
        if found is None:
            yield Action("create", "acl", acl["name"], seat, acl)
        elif any(not _same_rules(acl[side], found[side]) for side in ("egress", "ingress")) or not _covers(
            acl["config"], found["config"]
        ):
            yield Action("update", "acl", acl["name"], seat, acl, why="rules differ")

    def _profile(self, profile: Mapping[str, Any]) -> Iterator[Action]:
        found = self.observed.profiles.get(profile["name"])
        if found is None:
            yield Action("create", "profile", profile["name"], "-", profile)
        elif profile["config"] != found["config"] or profile["devices"] != found["devices"]:
            yield Action("update", "profile", profile["name"], "-", profile, why="limits differ")

    def _network(self, network: Mapping[str, Any], seat: str) -> Iterator[Action]:
        found = self.observed.networks.get(network["name"])
        if found is None:
            yield Action("create", "network", network["name"], seat, network)
        elif not _covers(network["config"], found["config"]) or set_by_hand(network["config"], found["config"]):
            yield Action("update", "network", network["name"], seat, network, why="settings differ")

    def _volume(self, volume: Volume, seat: str) -> Iterator[Action]:
        found = self.observed.volumes.get((volume.pool, volume.name))
        if found is None:
            yield Action("create", "volume", volume.name, seat, volume)
        elif not _covers(volume.config, found["config"]):
            yield Action("update", "volume", volume.name, seat, volume, why="size differs")

    def _unseeded(self, volume: Volume) -> bool:
        found = self.observed.volumes.get((volume.pool, volume.name))
        return not volume.origin if found is None else SEEDED not in found["config"]

    def _instance(self, instance: Instance, unseeded: dict[str, Volume]) -> Iterator[Action]:
        found = self.observed.instances.get(instance.name)
        remade = instance.from_checkpoint and instance.seat != PROFESSOR
        if found is not None and READY not in found["config"] and remade:
            yield self._act("delete", instance, "it was not completed")
            found = None
        to_seed = [unseeded.pop(name) for name in _sources(instance) if name in unseeded]
        if found is None:
            yield self._act("create", instance, "", without=to_seed)
            yield self._act("start", instance)
        else:
            yield from self._present(instance, found, to_seed)
        for volume in to_seed:
            yield Action("seed", "volume", volume.name, instance.seat, (instance, volume), instance.machine)
        if to_seed:
            yield self._act("attach", instance)
        if found is None or found["config"].get(READY) != instance.digest:
            yield from self._completion(instance, found)

    def _present(self, instance: Instance, found: Mapping[str, Any], to_seed: list[Volume]) -> Iterator[Action]:
        wanted = _without(instance, to_seed)
        if self._differs(wanted, found):
            yield Action(
                "update", "instance", instance.name, instance.seat, wanted, instance.machine, "settings differ"
            )
        if found["status"] != "Running":
            yield self._act("start", instance, f"it is {found['status'].lower()}")

    def _completion(self, instance: Instance, found: Mapping[str, Any] | None) -> Iterator[Action]:
        if found is not None and instance.from_checkpoint and READY in found["config"]:
            self.outdated.append(instance.name)
        else:
            yield self._act("complete", instance)

    def _stopped(self, seat: Seat) -> Iterator[Action]:
        probe = (self.desired.probe,) if seat.name == "prof" else ()
        for instance in (*seat.instances, *probe):
            found = self.observed.instances.get(instance.name)
            if found is not None and found["status"] == "Running":
                yield self._act("stop", instance, "the lab or the seat is stopped")

    def _differs(self, instance: Instance, found: Mapping[str, Any]) -> bool:
        devices = {name: dict(device) for name, device in instance.devices.items()}
        return (
            not _covers(instance.config, found["config"])
            or bool(set_by_hand(instance.config, found["config"]))
            or list(instance.profiles) != found["profiles"]
            or devices != found["devices"]
        )

    def _act(self, verb: Verb, instance: Instance, why: str = "", without: list[Volume] | None = None) -> Action:
        subject = _without(instance, without or [])
        return Action(verb, "instance", instance.name, instance.seat, subject, instance.machine, why)


def plan(desired: Desired, observed: Observed) -> Plan:
    """Return what to do to get from what is there to what is wanted."""
    planner = _Planner(desired, observed)
    shared = tuple(planner.shared())
    seats = {seat.name: actions for seat in desired.seats if (actions := tuple(planner.seat(seat)))}
    return Plan(shared, seats, planner.extra(), tuple(planner.outdated))


def set_by_hand(wanted: Mapping[str, str], found: Mapping[str, str]) -> set[str]:
    """Return the keys that somebody gave an object beyond its definition: limits, rights, open doors."""
    return {key for key in found if key not in wanted and not key.startswith(RECORDS)}


def _sources(instance: Instance) -> list[str]:
    return [device["source"] for device in instance.devices.values() if device["type"] == "disk" and "source" in device]


def _without(instance: Instance, volumes: list[Volume]) -> Instance:
    """Return the instance without the disks of volumes that are yet to be filled from its own image."""
    names = {volume.name for volume in volumes}
    devices = {name: device for name, device in instance.devices.items() if device.get("source") not in names}
    return Instance(**{**instance.__dict__, "devices": devices})


def _covers(wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Say whether all wanted keys are there; LXD leaves out keys that are empty."""
    return all(found.get(key, "") == value for key, value in wanted.items())


def _same_rules(wanted: list[dict[str, str]], found: list[dict[str, str]]) -> bool:
    return sorted(map(_rule_key, wanted)) == sorted(map(_rule_key, found))


def _rule_key(rule: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in rule.items() if value))
